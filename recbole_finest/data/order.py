"""The order of training that survives a perturbation (``shuffle_order: stable``)."""

from __future__ import annotations

import numpy as np

from recbole_finest.seeding import generator


class StableOrder:
    """Batches from a permutation of clean row ids.

    RecBole shuffles by a permutation of the number of instances: remove one, and the whole order
    changes. Here every epoch permutes the *clean* row ids and cuts the clean instances into batches;
    an instance of any log joins the batch in which its ``place`` falls, so a perturbed row drops out
    of, or joins, one batch and all others stay as they were.

    Args:
        clean_rows: row ids of the clean training instances, ``[n]``.
        n_clean: number of rows of the clean log.
        batch_size: clean instances in a batch.
        seed: the run's seed.
        stage: name of the training stage; stages have orders of their own.
    """

    def __init__(
        self, clean_rows: np.ndarray, n_clean: int, batch_size: int, seed: int, stage: str
    ):
        self.clean_rows = np.asarray(clean_rows, np.int64)
        self.n_clean = n_clean
        self.batch_size = batch_size
        self.seed = seed
        self.stage = stage

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.clean_rows) // self.batch_size)

    def rank(self, epoch: int) -> np.ndarray:
        """Place of every clean row id in this epoch's permutation, ``[n_clean]``."""
        permutation = generator(self.seed, "order", self.stage, epoch).permutation(self.n_clean)
        rank = np.empty(self.n_clean, np.int64)
        rank[permutation] = np.arange(self.n_clean)
        return rank

    def batches(self, place: np.ndarray, epoch: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Cut instances into batches.

        Args:
            place: clean row id whose place each instance takes, ``[m]``.
            epoch: number of the epoch.

        Returns:
            For each batch the indices of its instances, ``[B]`` (a batch may be empty), and their
            slots, ``[B]``: how many clean instances of the batch stand before each.
        """
        rank = self.rank(epoch)
        clean = np.sort(rank[self.clean_rows])
        mine = rank[np.asarray(place, np.int64)]
        order = np.argsort(mine, kind="stable")
        mine = mine[order]
        cuts = np.searchsorted(mine, clean[self.batch_size :: self.batch_size])
        slots = np.searchsorted(clean, mine)
        parts = zip(np.split(order, cuts), np.split(slots, cuts))
        return [(rows, slot - b * self.batch_size) for b, (rows, slot) in enumerate(parts)]
