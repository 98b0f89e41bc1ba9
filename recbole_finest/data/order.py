"""The order of training that survives a change of the log (``shuffle_order: stable``)."""

from __future__ import annotations

import numpy as np

from recbole_finest.seeding import Keys, bucket_of, derive_seed, mixed


class StableOrder:
    """Batches that an instance falls into by what it is, not by where it stands.

    RecBole shuffles by a permutation of the number of instances: remove one, and the whole order
    changes. Here the batch of an instance in an epoch, and its place within the batch, follow from its
    key alone (user, item, time), so that a row that comes or goes moves nothing else, in one log or in
    two. When the number of batches changes by one, so do the batches of about one instance in that
    many (:func:`recbole_finest.seeding.bucket_of`). Batches are about equally large, not exactly.

    Args:
        n_instances: what one epoch trains on, which the number of batches follows.
        batch_size: instances in a batch, on average.
        seed: the run's seed.
        stage: name of the training stage; stages have orders of their own.
    """

    def __init__(self, n_instances: int, batch_size: int, seed: int, stage: str):
        self.n_batches = max(1, round(n_instances / batch_size))
        self.seed = seed
        self.stage = stage

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.n_batches

    def batches(self, keys: Keys, epoch: int) -> list[np.ndarray]:
        """Cut things into batches.

        Args:
            keys: of what is trained on, ``[m]``.
            epoch: number of the epoch.

        Returns:
            For each batch the indices into ``keys`` of what is in it; a batch may be empty.
        """
        drawn = mixed(keys, derive_seed(self.seed, "order", self.stage, epoch))
        batch = bucket_of(drawn, self.n_batches)
        order = np.lexsort((drawn, batch))
        return np.split(order, np.cumsum(np.bincount(batch, minlength=self.n_batches))[:-1])
