"""Random keys that stay with an interaction when the log around it changes."""

from __future__ import annotations

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.seeding import keyed_uniform


def spawn(rng: np.random.Generator, n: int) -> list[np.random.Generator]:
    """``n`` independent generators; ``rng`` advances equally far whatever they are used for."""
    return [np.random.default_rng(int(seed)) for seed in rng.integers(2**63 - 1, size=n)]


def interaction_keys(
    log: InteractionLog, rng: np.random.Generator, positions: np.ndarray | None = None
) -> np.ndarray:
    """A uniform key in [0, 1) for each interaction (at ``positions``; default all), float64.

    It depends on the interaction's user, item and time and on the state of the generator, so that what
    is drawn by key differs only where the logs do.
    """
    keys = log.keys if positions is None else log.keys[positions]
    return keyed_uniform(keys, int(rng.integers(2**63 - 1)))


def smallest(keys: np.ndarray, count: int) -> np.ndarray:
    """Indices of the ``count`` smallest keys, ascending by index; equal keys by index.

    The keys are uniform, so a threshold leaves few candidates: faster than to partition all.
    """
    share = count / max(len(keys), 1)
    candidates = np.flatnonzero(keys < share + 4 * (share / max(len(keys), 1)) ** 0.5)
    if len(candidates) < count:
        candidates = np.arange(len(keys))
    order = np.argsort(keys[candidates], kind="stable")[:count]
    return np.sort(candidates[order])
