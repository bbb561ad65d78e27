"""Doubts: what is allowed and yet hardly meant. Each becomes a warning; none keeps a file from going live."""
