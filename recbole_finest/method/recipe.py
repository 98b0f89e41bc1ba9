"""Base trained by other settings: what training itself does for stability."""

from recbole_finest.method.base import Method


class Recipe(Method):
    """Base with the settings of training that ``recipe`` names in place of its own, on both sides.

    Its accuracy and stability stand beside base's, which keeps the run's settings. It costs one training.
    """

    by_recipe = True
    fine_tunes = (False, False)
