"""A training batch cut into parts: some of its instances, and groups of them that fit a memory bound."""

from __future__ import annotations

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.packed import POSITION_FIELD
from recbole_finest.parallel import distributed
from recbole_finest.seeding import mixed

LIST_FIELD = "finest_list"  # number of an instance's reference list; -1 where it takes no part


def subset(batch: Interaction, index: np.ndarray, item_field: str) -> Interaction:
    """The batch of some of its instances; of a packed one, with the windows that hold them.

    Args:
        batch: single histories, or windows.
        index: instances to keep, ``[M]``.
        item_field: name of the target item, which a packed batch has per instance.
    """
    kept = torch.from_numpy(index)
    if POSITION_FIELD not in batch:
        return Interaction({name: batch[name][kept] for name in batch.columns})
    width = _width(batch)
    position = batch[POSITION_FIELD][kept]
    windows, number = torch.unique(position // width, return_inverse=True)
    per_instance = (item_field, ROW_FIELD, POSITION_FIELD, LIST_FIELD)
    fields = {n: batch[n][kept if n in per_instance else windows] for n in batch.columns}
    fields[POSITION_FIELD] = number * width + position % width
    return Interaction(fields)


def units(batch: Interaction) -> np.ndarray:
    """What can be kept or left out as a whole: its number for every instance, ``[N]``, ascending.

    A single history, or the window of a packed batch, whose instances one pass scores together.
    """
    if POSITION_FIELD not in batch:
        return np.arange(len(batch[ROW_FIELD]))
    return np.unique(batch[POSITION_FIELD].cpu().numpy() // _width(batch), return_inverse=True)[1]


def cut(unit: np.ndarray, rows: np.ndarray, most: int) -> list[np.ndarray]:
    """Instances in groups of whole units with at most ``most`` rows, at least one unit each.

    >>> [group.tolist() for group in cut(np.array([0, 0, 1, 2]), np.array([1, 1, 1, 1]), 2)]
    [[0, 1], [2, 3]]
    """
    ends = np.cumsum(np.bincount(unit, rows)).astype(np.int64)  # rows up to and with each unit
    groups, first, before = [], 0, 0
    while first < len(ends):
        stop = max(int(np.searchsorted(ends, before + most, "right")), first + 1)
        groups.append(np.flatnonzero((unit >= first) & (unit < stop)))
        first, before = stop, int(ends[stop - 1])
    return groups


def draw(lists: np.ndarray, unit: np.ndarray, rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Leave ``most`` of the instances their reference lists, or of windows as many whole ones as fit.

    At least one unit is drawn, out of those of all processes. Its place in the draw depends on ``seed``
    and its first row id only, so that a perturbed row elsewhere changes nothing.

    Args:
        lists: list of every instance, ``[N]``; -1 where there is none.
        unit: its unit, ``[N]``.
        rows: its row id, ``[N]``.
        most: instances to draw.
        seed: of this step.

    Returns:
        ``lists``, -1 for those that were not drawn.
    """
    count = np.bincount(unit, lists >= 0).astype(np.int64)
    first = np.unique(unit, return_index=True)[1]
    found = distributed.gather((mixed(rows[first].astype(np.int64).view(np.uint64), seed), count))
    key, size = (np.concatenate(column) for column in zip(*found))
    order = np.argsort(key, kind="stable")
    order = order[size[order] > 0]
    fits = np.cumsum(size[order]) <= most
    fits[:1] = True
    chosen = np.zeros(len(key), bool)
    chosen[order[fits]] = True
    before = sum(len(keys) for keys, _ in found[: distributed.rank()])
    return np.where(chosen[before + unit], lists, -1)


def _width(batch: Interaction) -> int:
    return next(batch[n].shape[1] for n in batch.columns if batch[n].dim() == 2)


def to_device(batch: Interaction, device: torch.device) -> Interaction:
    """The batch on ``device``; to a GPU it is sent from pinned memory, which nothing waits for."""
    if device.type != "cuda":
        return batch.to(device)
    sent = {n: batch[n].pin_memory().to(device, non_blocking=True) for n in batch.columns}
    return Interaction(sent)
