"""The table of measures by name, and all of them in one pass over two arrays of rank lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from recbole_finest.errors import UserError, nearest
from recbole_finest.evaluator.measures.agreement import Profile, over_profiles
from recbole_finest.evaluator.measures.checks import check_depth, check_lists, check_persistence
from recbole_finest.evaluator.measures.correlation import kendall_tau, rank_shift, weighted_tau
from recbole_finest.evaluator.measures.overlap import (
    churn,
    churn_at,
    jaccard,
    jaccard_at,
    top1,
    top1_at,
)
from recbole_finest.evaluator.measures.rbo import (
    average_overlap,
    average_overlap_at,
    frbo,
    frbo_at,
    rbo,
    rbo_at,
)


@dataclass(frozen=True)
class Measure:
    """One measure of agreement between two rank lists.

    Attributes:
        display: the name that people read.
        function: ``(reference, other, k, p) -> [n]`` on arrays.
        at: ``(profile, k, p) -> [n]``, for the measures that follow from the agreement profile.
        smaller: whether a smaller value means more agreement.
        per_depth: whether the value depends on k.
    """

    display: str
    function: Callable[[np.ndarray, np.ndarray, int, float], np.ndarray]
    at: Callable[[Profile, int, float], np.ndarray] | None = None
    smaller: bool = False
    per_depth: bool = True


MEASURES: dict[str, Measure] = {
    "rbo": Measure("RBO", rbo, rbo_at),
    "frbo": Measure("FRBO", frbo, frbo_at),
    "jaccard": Measure(
        "Jaccard",
        lambda reference, other, k, p: jaccard(reference, other, k),
        lambda profile, k, p: jaccard_at(profile, k),
    ),
    "averageoverlap": Measure(
        "AverageOverlap",
        lambda reference, other, k, p: average_overlap(reference, other, k),
        lambda profile, k, p: average_overlap_at(profile, k),
    ),
    "churn": Measure(
        "Churn",
        lambda reference, other, k, p: churn(reference, other, k),
        lambda profile, k, p: churn_at(profile, k),
        smaller=True,
    ),
    "top1": Measure(
        "Top1",
        lambda reference, other, k, p: top1(reference, other),
        lambda profile, k, p: top1_at(profile),
        per_depth=False,
    ),
    "kendalltau": Measure(
        "KendallTau", lambda reference, other, k, p: kendall_tau(reference, other, k)
    ),
    "weightedtau": Measure(
        "WeightedTau", lambda reference, other, k, p: weighted_tau(reference, other, k)
    ),
    "rankshift": Measure(
        "RankShift",
        lambda reference, other, k, p: rank_shift(reference, other, k),
        smaller=True,
    ),
}


def get_measure(name: str) -> Measure:
    """Return a measure by its name, in any case; ``UserError`` names the nearest known one."""
    measure = MEASURES.get(str(name).lower())
    if measure is not None:
        return measure
    known = {name: measure.display for name, measure in MEASURES.items()}
    raise UserError(f"there is no stability measure {name!r}; {nearest(name, known)}")


def keys(names: Iterable[str], topk: Iterable[int]) -> dict[str, tuple[str, int]]:
    """Map ``"jaccard@10"`` to ``("jaccard", 10)`` for all names and depths; Top1 has ``top1@1``.

    Raises ``UserError`` for an unknown name, a depth below 1, and when either is empty.
    """
    names = [str(name).lower() for name in names]
    depths = [check_depth(k) for k in topk]
    if not names or not depths:
        raise UserError("Name at least one stability measure and one list depth k.")
    wanted = [(name, k) for name in names for k in (depths if get_measure(name).per_depth else [1])]
    return {f"{name}@{k}": (name, k) for name, k in wanted}


def measure_lists(
    reference: np.ndarray,
    other: np.ndarray,
    names: Iterable[str],
    topk: Iterable[int],
    p: float = 0.9,
    distinct: bool = False,
) -> dict[str, np.ndarray]:
    """Measure two arrays of rank lists in one pass; the agreement profile is computed only once.

    Args:
        reference: item ids best first, ``[n, any]``, padded with -1 at the end.
        other: the lists to compare with, ``[n, any]``.
        names: names from ``MEASURES``, in any case.
        topk: the depths k.
        p: persistence of RBO and FRBO.
        distinct: a promise that no list repeats an item; not looking for it saves a third of the
            time. Where it is not kept, the values are wrong.

    Returns:
        For example ``{"rbo@10": [n], "jaccard@10": [n]}``, float64, in the order asked for.

    Raises:
        UserError: unknown name, k below 1, p outside (0, 1), arrays of the wrong kind.
    """
    wanted, p = keys(names, topk), check_persistence(p)
    reference, other = check_lists(reference, other)
    values = {key: np.empty(len(reference)) for key in wanted}
    from_profile = {
        key: (at, k) for key, (name, k) in wanted.items() if (at := MEASURES[name].at) is not None
    }
    if from_profile:
        depth = max(k for _, k in from_profile.values())

        def measure(profile: Profile) -> np.ndarray:
            return np.stack([at(profile, k, p) for at, k in from_profile.values()])

        parts = [
            np.zeros((len(from_profile), 0)),
            *over_profiles(measure, reference, other, depth, distinct),
        ]
        values.update(zip(from_profile, np.concatenate(parts, axis=1)))
    for key, (name, k) in wanted.items():
        if key not in from_profile:
            values[key] = MEASURES[name].function(reference, other, k, p)
    return values
