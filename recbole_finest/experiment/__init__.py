"""A run: what a side of a method is made of, its stages, its folder and its result."""
