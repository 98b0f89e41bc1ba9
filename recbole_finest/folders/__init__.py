"""A folder of ours: one writer at a time, and a manifest of what stands in it."""
