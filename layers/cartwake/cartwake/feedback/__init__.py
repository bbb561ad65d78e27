"""Feedback: what SES tells of a message, and what that makes of the ledger, the address and our events."""
