"""A log replayed period by period: what nights do to people's lists, by method."""
