"""Yesterday's model on today's log."""
