"""Two days, each made once."""

from .two_days import days, deployed_run  # noqa: F401
