"""Continue yesterday's model on today's log instead of training anew."""

from recbole_finest.method.base import Method


class WarmStart(Method):
    """Clean side: base itself. Perturbed side: base's weights, trained on with the perturbed log.

    The perturbed log is today's and the clean one yesterday's. Epochs and learning rate are those of
    fine-tuning, with the next-item loss alone, so that the budget is ``plain``'s; nothing is retrained.
    """

    starts_from = "base"
    fine_tunes = (False, True)
