"""Trained runs for the command recommend."""

from tests.serve.trained import caser_run, gru_run, toy_path  # noqa: F401
