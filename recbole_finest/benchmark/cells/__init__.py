"""Cells: their identity, what depends on what, and how each is made."""
