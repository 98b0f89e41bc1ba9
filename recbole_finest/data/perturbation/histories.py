"""Where each user's training history lies in a log."""

from __future__ import annotations

import numpy as np

from recbole_finest.data.log import InteractionLog


def train_runs(log: InteractionLog) -> tuple[np.ndarray, np.ndarray]:
    """Where each user's run in ``log.train_positions`` begins, and its length, ``[users]`` each.

    Users without training interactions have no run.
    """
    if "runs" not in log._cache:
        user = log.user[log.train_positions]
        starts = np.flatnonzero(np.diff(user, prepend=user.dtype.type(0)))
        log._cache["runs"] = starts, np.diff(starts, append=len(user))
    return log._cache["runs"]
