"""Processes of one training: which one this is, what they tell each other, starting others."""
