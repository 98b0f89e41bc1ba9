"""Trained runs for these tests."""

from .trained import caser_run, gru_run, toy_path  # noqa: F401
