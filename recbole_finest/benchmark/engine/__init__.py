"""Where cells are made, and in which order."""
