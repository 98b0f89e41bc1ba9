"""The best baseline of a block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recbole_finest.report.leaderboard.questions import KEEP, NO_METHOD
from recbole_finest.report.leaderboard.rows import Row
from recbole_finest.report.questions import ROUNDING, TOLERATED


def is_finest(method: str, settings: Mapping[str, Any]) -> bool:
    """Whether a method is FINEST, a variant or an ablation of it, and so no baseline.

    Args:
        method: its name.
        settings: the grid's ``method_settings``, which say what a variant is a variant of.
    """
    named = (settings.get(method) or {}).get("method", method)
    return str(named).partition("(")[0].startswith("finest")


def best_baseline(rows: list[Row]) -> Row | None:
    """The most stable of the baselines whose accuracy change is not below -1 %; ties to the cheaper.

    ``none`` is one of them, so that there always is one among methods retrained alone. ``keep`` is
    none: it renews nothing. None where no method is left.
    """
    kept = [row for row in rows if keeps_accuracy(row, TOLERATED) or _is_none(row)]
    kept = [row for row in kept if row.method != KEEP]
    return max(kept, key=_merit, default=None)


def keeps_accuracy(row: Row, tolerated: float) -> bool:
    """Whether a method loses at most this share of the accuracy of ``none``, on either side."""
    return row.accuracy_change.mean >= -tolerated - ROUNDING


def _merit(row: Row) -> tuple[float, float, bool]:
    return known(row.removed.mean), -_cost(row), _is_none(row)


def _is_none(row: Row) -> bool:
    return row.method == NO_METHOD


def known(value: float) -> float:
    return -np.inf if np.isnan(value) else value


def _cost(row: Row) -> float:
    return np.inf if np.isnan(row.cost) else row.cost
