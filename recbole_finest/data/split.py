"""Parts of the data set that RecBole's splits do not give, and those they do without Python loops."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.errors import UserError

LAST_RATIO = "last_ratio"  # its name in eval_args: {split: {last_ratio: 0.1}}
SPLIT_ERRORS = (  # what RecBole raises for settings that it cannot split by
    ArithmeticError,
    AssertionError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
FULL = "full"  # ranks all items


def held_out(log: InteractionLog, positions: np.ndarray, ratio: float) -> np.ndarray:
    """Whether the interactions at ``positions`` are among their users' last int(ratio · n) of n.

    The split of the papers on rank-list sensitivity. RecBole's ``RS`` counts instances instead of
    interactions, and gives every small user a test instance. ``ratio`` is read as the decimal that it
    prints as: the last 0.29 of 100 are 29, which binary floating point would make 28.

    Raises:
        UserError: the ratio is not between 0 and 1.
    """
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio < 1:
        raise UserError(f"{LAST_RATIO} is {ratio!r}, but must be a number between 0 and 1")
    begin, exact = log.user_begin, Fraction(repr(float(ratio)))
    held = np.array([int(exact * n) for n in np.diff(begin).tolist()])
    return positions >= (begin[1:] - held)[log.user[positions]]


def chosen_targets(log: InteractionLog, stride: int, recent: int | None) -> np.ndarray | None:
    """Which rows of a clean log with roles are next items of training instances, ``[n]``; None is all.

    Args:
        log: the clean log.
        stride: of a user's training interactions the last, and every ``stride``-th before it, are.
        recent: of the user's last ``recent`` training interactions only; None is of all.
    """
    if stride == 1 and recent is None:
        return None
    rows = log.train_positions
    last = np.zeros(log.n_users, np.int64)
    last[log.user[rows]] = rows  # ascending, so that each user's last stays
    before = last[log.user[rows]] - rows  # interactions from each to the user's last training one
    chosen = before % stride == 0
    if recent is not None:
        chosen &= before < recent
    found = np.zeros(len(log), bool)
    found[rows[chosen]] = True
    return found


def groups_in_order(keys: np.ndarray) -> list[np.ndarray]:
    """Indices of equal keys, a group each, the groups in the order in which their keys appear."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
    return [groups[g] for g in np.argsort(first)]


def modes(mode: Any) -> tuple[Any, Any]:
    """How validation and test rank, ``full`` or among ``uni100``, as RecBole reads ``mode``."""
    if isinstance(mode, Mapping):
        either = mode.get("valid", mode.get("test", FULL))
        return mode.get("valid", either), mode.get("test", either)
    return (FULL, FULL) if mode is None else (mode, mode)
