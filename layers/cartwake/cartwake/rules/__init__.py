"""What marketers write: models of their files, the faults found in them, and the bundle made of them."""
