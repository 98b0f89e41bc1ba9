"""Intervals, tests and spreads of figures that are given."""
