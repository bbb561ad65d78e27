"""Sending: from a planned message to what is handed to SES and SNS, and what can come of it."""
