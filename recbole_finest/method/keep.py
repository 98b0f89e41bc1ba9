"""Keep the deployed model: nothing is trained on today's log."""

from recbole_finest.method.base import Method


class Keep(Method):
    """The clean base on both sides: perfectly stable, and as accurate as yesterday's model is today."""

    starts_from = "base"
    fine_tunes = (False, False)
