"""Rank lists of any system: reading, writing, comparing."""
