"""Windows of a user's sequence, each scoring all its positions in one pass (packed training)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.gather import Histories, int64_tensor
from recbole_finest.data.instances import KEY_FIELD, ROW_FIELD, Fields
from recbole_finest.data.log import InteractionLog
from recbole_finest.seeding import Keys, mixed

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
        keys: of the user and of the interaction that the window begins behind, ``[w]``.
        instances: training instances that the window scores, ``[w]``; fewer than ``stop - first`` where
            not every interaction is a target.
    """

    start: np.ndarray
    first: np.ndarray
    stop: np.ndarray
    keys: Keys
    instances: np.ndarray

    def __len__(self) -> int:
        return len(self.start)


def cut_windows(log: InteractionLog, width: int, stride: int) -> Windows:
    """The windows that score a log's training instances, in log order, each instance in exactly one.

    The first window of a user scores everything up to target L. Each further one scores the next
    targets up to a boundary ⌈stride / 2⌉ … stride later, the one there whose key is the smallest, and
    has the L interactions before the last of them as inputs. So an instance has all of its history as
    context up to L interactions, at least L − stride + 1 once the history is that long. Because keys
    decide, an interaction that comes or goes changes the windows around it only: the boundaries behind
    it are soon the same again (content-defined chunking: Muthitacharoen et al., LBFS, SOSP 2001).

    Args:
        log: the log; every user's training rows must precede the others.
        width: L, ``MAX_ITEM_LIST_LENGTH``.
        stride: largest distance between two windows, 1 … L.
    """
    targets = log.target_positions
    if len(targets) == 0:
        none = np.zeros(0, np.int64)
        return Windows(none, none, none, np.zeros(0, np.uint64), none)
    users, head = np.unique(log.user[targets], return_index=True)
    begin = log.user_begin[users]
    last = np.append(targets[head[1:] - 1], targets[-1:]) - begin  # indices in the user's history
    first = targets[head] - begin
    keys = log.entity_keys()[0][users]
    found = []
    end = np.minimum(last, width)
    late = first > width  # only the newest are targets
    end[late] = _boundary(log, begin[late], first[late] - 1, last[late], stride)
    while len(begin):
        found.append(np.stack([begin + np.maximum(0, end - width), begin + first, begin + end + 1]))
        more = end < last
        begin, end, last = begin[more], end[more], last[more]
        first = end + 1
        end = _boundary(log, begin, end, last, stride)
    start, first, stop = np.concatenate(found, axis=1)
    order = np.argsort(first, kind="stable")
    start, first, stop = start[order], first[order], stop[order]
    whose = np.searchsorted(users, log.user[first])
    heads = np.append(True, whose[1:] != whose[:-1])
    before = np.where(heads, 0, log.keys[first - 1])  # the boundary that it begins behind
    is_target = np.zeros(len(log), np.int64)
    is_target[targets] = 1
    until = np.append(0, np.cumsum(is_target))  # targets before each position
    count = until[stop] - until[first]
    columns = start, first, stop, mixed(keys[whose] ^ mixed(before)), count
    return Windows(*(column[count > 0] for column in columns))


def _boundary(
    log: InteractionLog, begin: np.ndarray, end: np.ndarray, last: np.ndarray, stride: int
) -> np.ndarray:
    """The next boundary behind ``end`` for each user, all indices in the user's history, ``[u]``."""
    near = -(-stride // 2)
    steps = np.arange(near, stride + 1)
    at = end[:, None] + steps
    inside = at <= last[:, None]
    keys = log.keys[np.minimum(begin[:, None] + at, len(log) - 1)]
    best = np.where(inside, keys, np.uint64(2**64 - 1)).argmin(axis=1)
    return np.where(last - end <= stride, last, end + near + best)


def packed_batch(
    log: InteractionLog, fields: Fields, windows: Windows, index: np.ndarray
) -> Interaction:
    """Gather windows into a batch that a model's own ``calculate_loss`` takes.

    Returns:
        Interaction with user, length and ``finest_key`` ``[W]``, item list ``[W, L]`` and,
        for the N instances that the windows score, item, ``finest_row`` and ``finest_position`` ``[N]``.
    """
    start, first = windows.start[index], windows.first[index]
    stop = windows.stop[index]
    count = stop - first
    inputs = Histories(start, stop - 1 - start, fields.width)
    window = np.repeat(np.arange(len(index)), count)  # [N]
    before = np.cumsum(count) - count
    target = np.arange(len(window)) - np.repeat(before - first, count)
    if log.is_target is not None:
        chosen = log.is_target[log.place[target]]
        window, target = window[chosen], target[chosen]
    batch = {
        fields.user: int64_tensor(log.user[start]),
        fields.item_list: int64_tensor(inputs.of(log.item)),
        fields.length: int64_tensor(stop - 1 - start),
        fields.item: int64_tensor(log.item[target]),
        ROW_FIELD: int64_tensor(log.row[target]),
        POSITION_FIELD: int64_tensor(window * fields.width + target - 1 - start[window]),
        KEY_FIELD: torch.from_numpy(windows.keys[index].view(np.int64)),
    }
    if fields.offset:
        offsets = inputs.of(log.time, minus=log.first_time(start))
        batch[fields.offset] = torch.from_numpy(offsets)
    return Interaction(batch)
