"""The setting that a sweep recommends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recbole_finest.benchmark.grid.sweep import MAX_ACCURACY_LOSS
from recbole_finest.report.leaderboard.baseline import keeps_accuracy
from recbole_finest.report.leaderboard.questions import KEEP, NO_METHOD
from recbole_finest.report.leaderboard.records import Variant
from recbole_finest.report.leaderboard.rows import Row

Variants = Mapping[str, Variant]

SAME = 3  # decimals of the share of instability removed in which two settings count as equal


def swept_methods(rows: Sequence[Row], variants: Variants) -> dict[str, list[Row]]:
    """The swept methods, each with its rows: the default first where it was run.

    Args:
        rows: rows of one block.
        variants: the methods that have settings of their own.
    """
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.method not in (NO_METHOD, KEEP):
            variant = variants.get(row.method)
            found.setdefault(variant.method if variant else row.method, []).append(row)
    return {
        method: sorted(members, key=lambda row: row.method in variants)
        for method, members in found.items()
        if len(members) > 1
    }


def recommend(rows: Sequence[Row], max_accuracy_loss: float = MAX_ACCURACY_LOSS) -> Row | None:
    """The setting that removes most instability among those that keep accuracy.

    A setting keeps it when the first accuracy metric is not more than ``max_accuracy_loss``, a share,
    below that of ``none`` on either side. Settings that remove the same share of the instability, to
    a tenth of a per cent, are ordered by their training cost, then as they come.

    Returns:
        Its row; None where no setting keeps accuracy, or nothing is known of it.
    """
    kept = [
        row
        for row in rows
        if keeps_accuracy(row, max_accuracy_loss) and row.removed.mean == row.removed.mean
    ]
    return max(kept, key=_merit, default=None)


def _merit(row: Row) -> tuple[float, float]:
    cost = row.cost if row.cost == row.cost else float("inf")
    return round(row.removed.mean, SAME), -cost
