"""Cartwake on one machine: the engine, the deploy to it, and what the engine cannot do by itself."""
