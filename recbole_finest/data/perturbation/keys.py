"""Random keys that stay with an interaction when the log around it changes."""

from __future__ import annotations

import numpy as np

from recbole_finest.data.log import InteractionLog


def spawn(rng: np.random.Generator, n: int) -> list[np.random.Generator]:
    """``n`` independent generators; ``rng`` advances equally far whatever they are used for."""
    return [np.random.default_rng(int(seed)) for seed in rng.integers(2**63 - 1, size=n)]


def interaction_keys(
    log: InteractionLog, rng: np.random.Generator, positions: np.ndarray | None = None
) -> np.ndarray:
    """A uniform key in [0, 1) for each interaction (at ``positions``; default all), float64.

    The key belongs to the clean row, or, for an inserted interaction, to the place it took. The
    same generator state therefore gives an interaction the same key in two logs made from one clean
    log, and what is drawn by key differs only where the logs do.
    """
    clean, inserted = spawn(rng, 2)
    place = log.place if positions is None else log.place[positions]
    row = log.row if positions is None else log.row[positions]
    drawn = clean.random(log.n_clean)
    keys = drawn if place is log.row and len(place) == log.n_clean else drawn[place]
    new = np.flatnonzero(row < 0)
    if len(new):
        keys[new] = inserted.random(log.n_clean)[place[new]]
    return keys


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
