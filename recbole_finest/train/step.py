"""The parts of a fine-tuning step: next-item loss, reference lists, scores of their items."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import Tensor

from recbole_finest.data.packed import POSITION_FIELD
from recbole_finest.data.parts import LIST_FIELD, subset, to_device
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.scoring.logits import logits_alone, loss_logits
from recbole_finest.scoring.modes import evaluating, packed, shallow
from recbole_finest.scoring.probes import shares_forward
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.seeding import global_streams, replayed
from recbole_finest.train.base import summed

PROBE = 64  # instances that show whether one forward pass serves both losses


class NextItemLoss:
    """The model's own loss of a batch.

    Args:
        model: the model.
        sent: the batch on its device.
        function: RecBole's ``loss_func``; the model's ``calculate_loss`` when missing.
        still: whether it is computed without dropout.
        repeatable: whether :meth:`again` will be asked for.
    """

    def __init__(
        self,
        model: Any,
        sent: Interaction,
        function: Callable[..., Any] | None,
        still: bool,
        repeatable: bool,
    ):
        self.model, self.sent, self.still = model, sent, still
        self.function = function or model.calculate_loss
        self._streams = global_streams() if repeatable else None

    def __call__(self) -> Tensor:
        """The loss, a scalar."""
        mode = evaluating(self.model) if self.still else nullcontext()
        with mode, packed(self.model, self.sent):
            return summed(self.function(shallow(self.sent)))

    def with_logits(self) -> tuple[Tensor, Tensor | None]:
        """The loss, and the logits that it was computed from, ``[N, n_items]``; None where it has none."""
        with loss_logits(self.model) as caught:
            loss = self()
        return loss, caught[0] if caught else None

    def again(self) -> Tensor:
        """The loss from a second forward pass that draws the same random numbers."""
        if self._streams is None:
            raise ValueError("this loss was not made to be computed again")
        with replayed(self._streams):
            return self()


class PartLists:
    """The reference lists of a batch's instances.

    Args:
        references: of all training instances.
        batch: with ``LIST_FIELD``, on the CPU.
        device: where they go.

    Attributes:
        index: the instances that have a list, ``[R]``.
        n_instances: all instances of the batch.
        items: item ids best first, ``[R, 2K]``.
        weights: how far each list should still hold, ``[R]``; None is fully.
    """

    def __init__(self, references: ReferenceLists, batch: Interaction, device: torch.device):
        numbers = batch[LIST_FIELD].numpy()
        self.index = np.flatnonzero(numbers >= 0)
        self.n_instances = len(numbers)
        self.items = references.lists(numbers[self.index], device)
        self.weights = references.list_weights(numbers[self.index], device)
        self._numbers = numbers[self.index]
        self._references = references

    def scores(self) -> Tensor:
        """The reference model's logits of the items, ``[R, 2K]``."""
        return self._references.list_scores(self._numbers, self.items.device)


class ListScores:
    """Scores of reference items by the model that is trained.

    They come from the forward pass of the next-item loss where that serves both, else from a pass of
    their own.

    Args:
        scorer: of the model.
        batch: a batch, on the CPU, to find out on.
        device: of the model.
        item_field: name of the target item.
        dropout: ``finest_dropout``: ``none`` and ``both`` treat both losses alike, ``next_item`` does not.
        same_logits: whether the next-item loss sees the scores of full sorting, where that is known.
    """

    def __init__(
        self,
        scorer: Scorer,
        batch: Interaction,
        device: torch.device,
        item_field: str,
        dropout: str,
        same_logits: bool | None = None,
    ):
        self.scorer, self.device, self.item_field = scorer, device, item_field
        self.same_logits = POSITION_FIELD in batch or bool(same_logits)
        if not self.same_logits and same_logits is None:
            few = subset(batch, np.arange(min(len(batch), PROBE)), item_field)
            self.same_logits = shares_forward(scorer, to_device(few, device))
        self.one_pass = self.same_logits and dropout != "next_item"
        self.still = dropout != "both"

    def of(
        self, lists: PartLists, batch: Interaction, sent: Interaction, logits: Tensor | None
    ) -> Tensor:
        """Scores ``[R, 2K]`` of the items of ``lists``, in 32 bits whatever the forward pass takes.

        Args:
            lists: of the batch.
            batch, sent: the batch on the CPU, and on the device.
            logits: those of the next-item loss.
        """
        if len(lists.index) == 0:
            return torch.zeros(0, lists.items.shape[1], device=self.device)
        if self.one_pass and logits is not None:
            return _gathered(logits, lists).float()
        if len(lists.index) < lists.n_instances:
            sent = to_device(subset(batch, lists.index, self.item_field), self.device)
        with evaluating(self.scorer.model) if self.still else nullcontext():
            if self.same_logits:
                return logits_alone(self.scorer.model, sent).gather(1, lists.items).float()
            return self.scorer.of_items(sent, lists.items).float()


def _gathered(logits: Tensor, lists: PartLists) -> Tensor:
    """``logits[index].gather(1, items)`` without copying whole rows of ``logits``."""
    if len(lists.index) == len(logits):
        return logits.gather(1, lists.items)
    where = to_device(Interaction({"index": torch.from_numpy(lists.index)}), logits.device)["index"]
    items = lists.items
    every = items.new_zeros(len(logits), items.shape[1]).index_copy_(0, where, items)
    return logits.gather(1, every)[where]
