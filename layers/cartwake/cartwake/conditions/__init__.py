"""Conditions: what marketers say about a shopper, compiled, and its verdict with an expiry."""
