"""Charts: journeys as pictures."""
