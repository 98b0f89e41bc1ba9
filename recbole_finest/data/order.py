"""The order of training that survives a perturbation (``shuffle_order: stable``)."""

from __future__ import annotations

import numpy as np

from recbole_finest.data.log import InteractionLog, position_int
from recbole_finest.seeding import generator


class StableOrder:
    """Batches from a permutation of clean row ids.

    RecBole shuffles by a permutation of the number of instances: remove one, and the whole order
    changes. Here every epoch permutes the *clean* row ids and cuts the clean instances into batches;
    an instance of any log joins the batch in which its ``place`` falls, so a perturbed row drops out
    of, or joins, one batch and all others stay as they were.

    Args:
        clean: the clean log.
        batch_size: clean instances in a batch.
        seed: the run's seed.
        stage: name of the training stage; stages have orders of their own.
        rows: clean row ids in the order of every epoch, ``[n_clean]``; None permutes them.
    """

    def __init__(
        self,
        clean: InteractionLog,
        batch_size: int,
        seed: int,
        stage: str,
        rows: np.ndarray | None = None,
    ):
        self.batch_size = batch_size
        self.seed = seed
        self.stage = stage
        self.rows = rows
        self.is_instance = np.zeros(len(clean), bool)
        self.is_instance[clean.target_positions] = True
        self.n_instances = int(self.is_instance.sum())

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-self.n_instances // self.batch_size)

    def permutation(self, epoch: int) -> np.ndarray:
        """Clean row ids in this epoch's order, ``[n_clean]``."""
        if self.rows is not None:
            return self.rows
        n = len(self.is_instance)
        rows = np.arange(n, dtype=position_int(n))
        generator(self.seed, "order", self.stage, epoch).shuffle(rows)
        return rows

    def batches(self, log: InteractionLog, epoch: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Cut the training instances of a log into batches.

        Args:
            log: the clean log, or a perturbed one.
            epoch: number of the epoch.

        Returns:
            For each batch the positions of its targets in ``log``, ``[B]`` (a batch may be empty), and
            their slots, ``[B]``: how many clean instances of the batch stand before each. An inserted
            one, which precedes the one whose place it shares, has the slot of that one.
        """
        rows = self.permutation(epoch)
        clean = self.is_instance[rows]
        heads = np.flatnonzero(clean)[self.batch_size :: self.batch_size]
        slots = np.cumsum(clean, dtype=rows.dtype) - clean

        targets = log.target_positions
        count = np.bincount(log.place[targets], minlength=len(rows)).astype(rows.dtype)
        first = np.cumsum(count, dtype=rows.dtype) - count  # places ascend in a log
        count, first = count[rows], first[rows]
        cuts = (np.cumsum(count) - count)[heads]
        order, slots = targets[_runs(first, count)], np.repeat(slots, count)
        parts = zip(np.split(order, cuts), np.split(slots, cuts))
        return [(where, slot - b * self.batch_size) for b, (where, slot) in enumerate(parts)]


def _runs(first: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The numbers ``first[i] … first[i] + count[i] - 1`` for every ``i``, one run after another."""
    if count.max(initial=0) <= 1:
        return first[count > 0]
    ends = np.cumsum(count, dtype=first.dtype)
    return np.repeat(first - (ends - count), count) + np.arange(ends[-1], dtype=first.dtype)
