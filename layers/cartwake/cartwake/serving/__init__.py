"""Serving: what pages do when somebody presses a button on them; edges, which read rows and write them."""
