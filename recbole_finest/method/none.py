"""Nothing: base itself, for comparison."""

from recbole_finest.method.base import Method


class Nothing(Method):
    """Base as it is, on both sides."""

    fine_tunes = (False, False)
