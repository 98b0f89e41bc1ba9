"""Windows of a user's sequence, each scoring all its positions in one pass (packed training)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.gather import Histories, int64_tensor
from recbole_finest.data.instances import ROW_FIELD, Fields
from recbole_finest.data.log import InteractionLog

POSITION_FIELD = (
    "finest_position"  # flat index, into [W · L], of the input that scores each instance
)


@dataclass(frozen=True)
class Windows:
    """Windows over a log; ``w`` of them.

    Attributes:
        start: log position of the first input, ``[w]``.
        first: log position of the first target that the window scores, ``[w]``.
        stop: log position of the last target, plus 1, ``[w]``; inputs are ``start … stop - 2``.
        clean: number of the clean window that this one belongs to, ``[w]``, ascending.
    """

    start: np.ndarray
    first: np.ndarray
    stop: np.ndarray
    clean: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    @property
    def instances(self) -> np.ndarray:
        """Instances that each window scores, ``[w]``."""
        return self.stop - self.first


class WindowPlan:
    """Which clean window scores which training instance.

    The first window of a user holds inputs 0 … L − 1 and scores everything up to target L. Window i
    starts ``i · stride`` later and scores the targets after those of window i − 1, up to its end.
    Each instance is scored exactly once, from the window that gives it the longest context: all of
    its history up to L interactions, at least L − stride + 1 once the history is that long.

    The boundaries are clean row ids, so a perturbation changes the windows that contain it only: what
    is deleted there shortens the context, and an insertion can cost one interaction of it.

    Args:
        clean: the clean log; every user's training rows must precede the others.
        width: L, ``MAX_ITEM_LIST_LENGTH``.
        stride: distance between windows, 1 … L.
    """

    def __init__(self, clean: InteractionLog, width: int, stride: int):
        self.width, self.stride = width, stride
        rows = clean.train_positions
        begin = clean.user_begin[clean.user[rows]]
        step = rows - begin  # index of the row in its user's history
        number = np.maximum(0, -(-(step - width) // stride))  # window that scores it as a target
        new_user = np.flatnonzero(np.diff(begin, prepend=-1))
        per_user = np.append(number[new_user[1:] - 1], number[-1:]) + 1
        # base: windows before this user
        base = np.repeat(np.cumsum(per_user) - per_user, np.diff(np.append(new_user, len(rows))))
        self.window_of_row = np.full(clean.n_clean, -1, np.int64)
        self.window_of_row[rows] = base + number
        self.start_row = np.zeros(int(per_user.sum()), np.int64)
        self.start_row[base + number] = begin + number * stride
        targets = clean.target_positions
        self.clean_instances = np.bincount(
            self.window_of_row[targets], minlength=len(self.start_row)
        )

    def windows(self, log: InteractionLog) -> Windows:
        """The windows of a (perturbed) log, in log order; every target of ``log`` is in exactly one."""
        targets = log.target_positions
        number = self.window_of_row[log.place[targets]]
        head = np.flatnonzero(np.diff(number, prepend=-1))
        first = targets[head]
        stop = np.append(targets[head[1:] - 1], targets[-1:]) + 1
        clean = number[head]
        start = np.searchsorted(log.place, self.start_row[clean])
        start = np.minimum(np.maximum(start, log.user_begin[log.user[first]]), first - 1)
        return self._split(Windows(start, first, stop, clean), log)

    def _split(self, whole: Windows, log: InteractionLog) -> Windows:
        """Cut windows that insertions made longer than L into some of at most L inputs.

        First goes context that can be spared: a target keeps L − stride interactions.
        """
        context = max(1, self.width - self.stride)
        parts: list[Windows] = []
        rest = whole
        while len(rest) or not parts:
            spared = np.minimum(rest.stop - 1 - self.width, rest.first - context)
            start = np.maximum(rest.start, spared)
            stop = np.minimum(rest.stop, start + self.width + 1)
            parts.append(Windows(start, rest.first, stop, rest.clean))
            more = stop < rest.stop
            begin = log.user_begin[log.user[stop[more]]]
            rest = Windows(begin, stop[more], rest.stop[more], rest.clean[more])
        joined = [np.concatenate([getattr(p, n) for p in parts]) for n in Windows.__annotations__]
        order = np.argsort(joined[3], kind="stable")
        return Windows(*(column[order] for column in joined))

    def batches(self, windows: Windows, rank: np.ndarray, batch_size: int) -> list[np.ndarray]:
        """Cut windows into batches of about ``batch_size`` scored instances.

        ``rank`` is the place of every clean window in this epoch, ``[clean windows]``; the cuts are
        those of the clean windows, whatever the log.
        """
        by_rank = np.argsort(rank)
        before = np.cumsum(self.clean_instances[by_rank]) - self.clean_instances[by_rank]
        batch_of_clean = np.empty(len(rank), np.int64)
        batch_of_clean[by_rank] = before // batch_size
        order = np.argsort(rank[windows.clean], kind="stable")
        cuts = np.searchsorted(
            batch_of_clean[windows.clean[order]], np.arange(1, self.n_batches(batch_size))
        )
        return np.split(order, cuts)

    def n_batches(self, batch_size: int) -> int:
        """Batches in an epoch."""
        return max(1, -(-int(self.clean_instances.sum()) // batch_size))


def packed_batch(
    log: InteractionLog, fields: Fields, windows: Windows, index: np.ndarray
) -> Interaction:
    """Gather windows into a batch that a model's own ``calculate_loss`` takes.

    Returns:
        Interaction with user ``[W]``, item list ``[W, L]``, length ``[W]`` and, for the N instances
        that the windows score, item ``[N]``, ``finest_row`` ``[N]`` and ``finest_position`` ``[N]``.
    """
    start, first = windows.start[index], windows.first[index]
    stop, count = windows.stop[index], windows.instances[index]
    inputs = Histories(start, stop - 1 - start, fields.width)
    window = np.repeat(np.arange(len(index)), count)  # [N]
    before = np.cumsum(count) - count
    target = np.arange(len(window)) - np.repeat(before - first, count)
    batch = {
        fields.user: int64_tensor(log.user[start]),
        fields.item_list: int64_tensor(inputs.of(log.item)),
        fields.length: int64_tensor(stop - 1 - start),
        fields.item: int64_tensor(log.item[target]),
        ROW_FIELD: int64_tensor(log.row[target]),
        POSITION_FIELD: int64_tensor(window * fields.width + target - 1 - start[window]),
    }
    if fields.offset:
        offsets = inputs.of(log.time, minus=log.first_time(start))
        batch[fields.offset] = torch.from_numpy(offsets)
    return Interaction(batch)
