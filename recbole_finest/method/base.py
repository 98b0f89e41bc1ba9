"""The interface of a fine-tuning method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from recbole_finest.data.transform import LogPerturbation, OneOf


@dataclass
class Step:
    """What a method sees of one training step.

    Attributes:
        next_item_loss: the model's own loss, a scalar.
        scores: gives the logits of the reference items, ``[R, 2K]``, for the R instances of the batch
            that have a reference list, from the same forward pass where the model allows it.
        reference_scores: gives base's logits of the same items, ``[R, 2K]``.
        users: number of different users (windows, in packed training) in the batch.
    """

    next_item_loss: Tensor
    scores: Callable[[], Tensor]
    reference_scores: Callable[[], Tensor]
    users: int


class Method:
    """A way to fine-tune base; subclass it and add it to ``METHODS`` (or name it ``module:Class``).

    Args:
        config: the run's settings.

    Attributes:
        needs_lists: whether :meth:`loss` asks for ``scores``.
        needs_reference_scores: whether it asks for ``reference_scores``.
    """

    needs_lists = False
    needs_reference_scores = False

    def __init__(self, config: Any):
        self.config = config

    def simulation(self) -> Any | None:
        """The transform of the log that is drawn in every epoch, or None."""
        return None

    def loss(self, step: Step) -> Tensor:
        """The loss of one step, a scalar."""
        return step.next_item_loss


def simulation(config: Any) -> OneOf | None:
    """FINEST's simulation from the settings ``simulation_*``; None when the ratio is 0."""
    if config["simulation_ratio"] == 0:
        return None
    amount = {"ratio": config["simulation_ratio"]}
    item = config["simulation_item"]
    kinds = config["simulation_kinds"]
    return OneOf(tuple(LogPerturbation(kind, "random", item, amount) for kind in kinds))
