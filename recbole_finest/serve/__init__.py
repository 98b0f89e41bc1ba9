"""Lists for any history, from a saved model: its ids checked, asked in batches, written as they come."""
