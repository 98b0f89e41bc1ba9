"""Steps on batches whose scores would not fit: parts with gradients that add up to the whole batch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from logging import getLogger
from typing import Any

import numpy as np
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.config.config import Config
from recbole_finest.data.parts import LIST_FIELD, cut, subset, to_device, units
from recbole_finest.method import Method, Step
from recbole_finest.parallel import distributed
from recbole_finest.scoring.probes import loss_is_mean, rows_of_loss

# [rows, n_items] matrices alive at once: logits, their log-softmax, its gradient, that of the logits
COPIES = 4
PROBE_UNITS = 8
LossFunction = Callable[..., Any] | None  # RecBole's ``loss_func``; the model's own where None


@dataclass(frozen=True)
class Part:
    """Some instances of a batch.

    Attributes:
        batch: their own batch.
        share: its share of what the next-item loss is the mean over (instances, or masked positions),
            times the number of processes, whose gradients are averaged.
        list_share: the same of the instances with a reference list.
        users: different users in the whole batch, of all processes.
    """

    batch: Interaction
    share: float = 1.0
    list_share: float = 1.0
    users: int = 1


class Partition:
    """Cuts batches into parts whose scores take at most ``score_memory`` MiB.

    For a loss over all items that is a mean over instances (found out on a few, in evaluation mode),
    the sum over parts of share × loss is the loss of the batch. A model whose loss is something else,
    or that has batch normalisation, is trained on whole batches, with a warning. A single window of
    packed training is never cut.

    Args:
        config: the run's settings.
        model: the model.
    """

    def __init__(self, config: Config, model: nn.Module):
        self.config = config
        self.model = model
        self.divides: bool | None = None

    def __call__(
        self, batch: Interaction, loss_func: LossFunction, allowed: bool
    ) -> Iterator[Part]:
        """The parts of a batch; a single one where it fits, or where ``allowed`` is False."""
        users = np.unique(batch[self.config["USER_ID_FIELD"]].cpu().numpy())
        rows = rows_of_loss(self.model, batch)
        lists = batch[LIST_FIELD].numpy() >= 0 if LIST_FIELD in batch else np.zeros(len(rows))
        found = distributed.gather((int(rows.sum()), int(lists.sum()), users))
        all_rows, all_lists = [n for n, _, _ in found], [n for _, n, _ in found]
        n_users = len(np.unique(np.concatenate([ids for _, _, ids in found])))

        def part(of: Interaction, index: Any) -> Part:
            share, list_share = weight(rows[index].sum(), all_rows), 0.0
            if lists[index].any():
                list_share = weight(lists[index].sum(), all_lists)
            return Part(of, float(share), float(list_share), n_users)

        if (
            loss_func is not None
            or rows.sum() <= self.most_rows()
            or not self._may_cut(batch, allowed)
        ):
            yield part(batch, slice(None))
            return
        for index in cut(units(batch), rows, self.most_rows()):
            yield part(subset(batch, index, self.config["ITEM_ID_FIELD"]), index)

    def most_rows(self) -> int:
        """Rows of scores of all items that fit at once."""
        n_items: Any = self.model.n_items
        return max(1, self.config["score_memory"] * 2**20 // (4 * COPIES * n_items))

    def _may_cut(self, batch: Interaction, allowed: bool) -> bool:
        if self.config["train_neg_sample_args"]["distribution"] != "none":
            return False  # scores some items only
        if self.divides is None:
            self.divides = allowed and self._is_mean(batch)
            if not self.divides:
                getLogger().warning(
                    f"score_memory is {self.config['score_memory']} MiB, which a batch exceeds, but "
                    f"the loss of {type(self.model).__name__} cannot be computed in parts; lower "
                    "train_batch_size if memory runs out"
                )
        return self.divides

    def _is_mean(self, batch: Interaction) -> bool:
        unit = units(batch)
        few = np.flatnonzero(unit < PROBE_UNITS)
        halves = few[unit[few] < PROBE_UNITS // 2], few[unit[few] >= PROBE_UNITS // 2]
        if len(halves[1]) == 0:
            return False
        item = self.config["ITEM_ID_FIELD"]
        sent = [to_device(subset(batch, i, item), self.config["device"]) for i in (few, *halves)]
        return loss_is_mean(self.model, sent[0], sent[1:])


def weight(own: float, all_of_them: Sequence[float]) -> float:
    """What this process's (or part's) mean over ``own`` of all processes' instances weighs."""
    total = sum(all_of_them)
    return own * len(all_of_them) / total if total else 1.0


def weighted(method: Method, step: Step, part: Part) -> Tensor:
    """A method's loss of a part, by its shares of the batch.

    The next-item loss is a mean over instances and a regulariser one over those with a reference
    list, so each takes its own share; the method adds the first one as it is to the second.
    """
    if part.list_share == 0:
        return part.share * method.loss(step)
    loss = step.next_item_loss * (part.share / part.list_share)
    return part.list_share * method.loss(replace(step, next_item_loss=loss))
