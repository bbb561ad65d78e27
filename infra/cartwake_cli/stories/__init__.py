"""Stories: what marketers tell of their shoppers, played by the real functions on a clock that the story moves."""
