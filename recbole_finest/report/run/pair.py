"""What one comparison of two models' lists gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recbole_finest.evaluator.measures import measure_lists
from recbole_finest.evaluator.ranks import ranks_in
from recbole_finest.evaluator.statistics.summary import summarise
from recbole_finest.report.run.movement import Movement, movement
from recbole_finest.report.run.near_ties import NearTies, near_ties
from recbole_finest.report.run.run_folder import Lists

Summary = dict[str, dict[str, float]]  # {"jaccard@10": {mean, median, p5, low, high}}
_DEPTHS = (*range(1, 11), 12, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 150, 200, 300, 500, 1000)


@dataclass(frozen=True)
class Measures:
    """What is measured: names and depths, ``k`` being the depth that the report shows.

    Attributes:
        names: names of stability measures.
        topk: their depths.
        p: persistence of RBO and FRBO.
        k: the main depth.
        users: the user of each instance as a number, ``[n]``.
        n_codes: number of item codes.
    """

    names: Sequence[str]
    topk: Sequence[int]
    p: float
    k: int
    users: np.ndarray
    n_codes: int

    def values(self, one: Lists, other: Lists) -> dict[str, np.ndarray]:
        """Similarity of each pair of lists, ``{"jaccard@10": [n]}``."""
        width = min(one.codes.shape[1], other.codes.shape[1])
        topk = [k for k in self.topk if k <= width] or [width]
        return measure_lists(one.codes, other.codes, self.names, topk, self.p)

    def summary(self, values: Mapping[str, np.ndarray], rng: np.random.Generator) -> Summary:
        """Mean, interval, median and 5th percentile of each; equal values need no resampling."""
        varied = {name: row for name, row in values.items() if np.ptp(row) > 0}
        found = summarise(varied, self.users, rng) if varied else {}
        return {name: found.get(name) or _constant(float(row[0])) for name, row in values.items()}


def _constant(value: float) -> dict[str, float]:
    return dict.fromkeys(("mean", "median", "p5", "low", "high"), value)


@dataclass(frozen=True)
class Pair:
    """Two models' lists of the same instances, compared.

    Attributes:
        values: per-instance values, ``{"jaccard@10": [n]}``.
        summary: their means, intervals, medians and 5th percentiles.
        by_depth: mean Jaccard index at list depths, ``{depth: mean}``.
        near: how much of the change happened among near-ties; None without scores.
        movement: where the items of the first model's lists went.
    """

    values: dict[str, np.ndarray]
    summary: Summary
    by_depth: dict[int, float]
    near: NearTies | None
    movement: Movement


def compare_pair(one: Lists, other: Lists, what: Measures, rng: np.random.Generator) -> Pair:
    """Compare two models' lists in every way that the report shows."""
    depth = other.codes.shape[1]
    ranks = ranks_in(one.codes, other.codes, what.n_codes)
    values = what.values(one, other)
    near = None
    if one.scores is not None:
        near = near_ties(one.codes, one.scores, ranks, what.k, depth)
    return Pair(
        values=values,
        summary=what.summary(values, rng),
        by_depth=_by_depth(one, other, what),
        near=near,
        movement=movement(one.codes, ranks, depth),
    )


def _by_depth(one: Lists, other: Lists, what: Measures) -> dict[int, float]:
    width = min(one.codes.shape[1], other.codes.shape[1])
    depths = sorted({d for d in (*_DEPTHS, *what.topk, width) if d <= width})
    found = measure_lists(one.codes, other.codes, ["jaccard"], depths)
    return {depth: float(found[f"jaccard@{depth}"].mean()) for depth in depths}
