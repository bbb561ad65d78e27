"""Compiling of conditions: what marketers write becomes what is evaluated."""
