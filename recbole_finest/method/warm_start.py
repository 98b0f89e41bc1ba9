"""Continue yesterday's model on today's log instead of training anew."""

from recbole_finest.method.base import Method


class WarmStart(Method):
    """Both sides: the clean base's weights, trained on with the side's own log.

    The perturbed log is today's and the clean one yesterday's. Epochs and learning rate are those of
    fine-tuning, with the next-item loss alone, so that the budget is ``plain``'s; nothing is retrained.
    """

    starts_from = "base"
