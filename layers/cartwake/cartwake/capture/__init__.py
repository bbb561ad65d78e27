"""Capture: from an HTTP request to events that are worth storing, and reasons for those that are not."""
