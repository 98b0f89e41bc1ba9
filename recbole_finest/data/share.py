"""A global batch cut into one share a process, and what each share weighs.

With R processes every one makes the same global batch and keeps its share, so that batches, negative
samples and masks are those of one process. A share's loss is a mean over the share's own instances;
times (its instances · R / all instances), the mean of the R gradients is the gradient of the mean over
the global batch. A share without any instance holds one stand-in, which weighs nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.instances import ROW_FIELD

STAND_IN = -2  # row id of an instance that only keeps a process company


def row_share(batch: Interaction, instances: int, rank: int, world: int) -> Interaction:
    """One share of a batch of single histories.

    Args:
        batch: the global batch; its rows are its ``instances``, repeated as a whole for negatives.
        instances: histories of their own in it, at least 1.
        rank, world: which share, of how many.
    """
    first, stop = instances * rank // world, instances * (rank + 1) // world
    empty = first == stop
    kept = np.arange(1) if empty else np.arange(first, stop)
    blocks = np.arange(len(batch) // instances) * instances
    index = torch.from_numpy((blocks[:, None] + kept).reshape(-1))
    share = Interaction({name: batch[name][index] for name in batch.columns})
    return stand_in(share) if empty else share


def window_share(instances: np.ndarray, rank: int, world: int) -> slice:
    """One share of a batch of windows, about even in scored instances; it may be empty.

    Args:
        instances: scored instances of each window, ``[W]``.
        rank, world: which share, of how many.
    """
    middle = np.cumsum(instances) - instances / 2
    ends = np.searchsorted(middle, instances.sum() * np.arange(world + 1) / world)
    return slice(int(ends[rank]), int(ends[rank + 1]))


def stand_in(batch: Interaction) -> Interaction:
    """The same batch, as one that weighs nothing."""
    batch.update(Interaction({ROW_FIELD: torch.full_like(batch[ROW_FIELD], STAND_IN)}))
    return batch
