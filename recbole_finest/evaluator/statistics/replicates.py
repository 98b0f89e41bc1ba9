"""What several seeds and test perturbations say together: of the method, no longer of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from recbole_finest.evaluator.measures.direction import share_removed, smaller_is_better
from recbole_finest.names import is_perturbed

KINDS = ("accuracy", "stability", "stability_filtered", "similarity_to_base")


@dataclass(frozen=True)
class Spread:
    """A measure over pairs of seeds and test perturbations.

    Attributes:
        n: number of values; accuracy on the clean log has one a seed, all else one a pair.
        mean: their mean.
        sd: their sample standard deviation; NaN for one value.
        least, most: the smallest and the largest.
    """

    n: int
    mean: float
    sd: float
    least: float
    most: float


@dataclass(frozen=True)
class Difference:
    """How two methods differ over pairs of seeds and test perturbations, second - first.

    Attributes:
        n: number of pairs.
        seeds: number of training seeds.
        perturbations: number of test perturbations.
        mean: mean difference.
        sd: sample standard deviation of the differences; NaN for one pair.
        low, high: 95 % interval of the mean difference (:func:`crossed_interval`).
        better: number of pairs in which the second is the better one.
    """

    n: int
    seeds: int
    perturbations: int
    mean: float
    sd: float
    low: float
    high: float
    better: int

    def sentence(self, measure: str, first: str, second: str) -> str:
        """Say the result in words, and of what it speaks."""
        interval = ""
        if np.isfinite(self.low):
            interval = f", 95 % interval of the mean {self.low:+.4f} to {self.high:+.4f}"
        spread = f" ± {self.sd:.4f}" if np.isfinite(self.sd) else ""
        return (
            f"Over {sizes(self.seeds, self.perturbations)}, {measure} of {second} differs from that "
            f"of {first} by {self.mean:+.4f}{spread} (mean ± standard deviation{interval}), and {second} "
            f"is the better one in {self.better} of {self.n}. {self.scope()}"
        )

    def scope(self) -> str:
        """What the figures speak of, and what they do not."""
        if self.seeds > 1 and self.perturbations > 1:
            return "This speaks of the method on this data set, as far as so few of either can."
        if self.seeds > 1:
            return "This speaks of the method under this one perturbation of this data set."
        return "This speaks of one trained base; a claim about the method needs several seeds, too."


def sizes(seeds: int, perturbations: int) -> str:
    """``2 training seeds × 3 test perturbations``; no word of perturbations where there is none."""
    found = ((seeds, "training seed"), (perturbations, "test perturbation"))
    return " × ".join(f"{n} {what}{'s' if n > 1 else ''}" for n, what in found if n)


def values(rows: Sequence[Mapping[str, Any]], kind: str, model: str, measure: str) -> np.ndarray:
    """A measure of one model by seed and test perturbation.

    Args:
        rows: ``replicates`` of ``result.json``.
        kind: ``accuracy``, ``stability``, …
        model, measure: names within it.

    Returns:
        ``[seeds, perturbations]``, in the order of the rows.
    """
    found: dict[Any, list[float]] = {}
    for row in rows:
        found.setdefault(row["seed"], []).append(row[kind][model][measure])
    return np.array(list(found.values()))


def spreads(rows: Sequence[Mapping[str, Any]], kind: str) -> dict[str, dict[str, Spread]]:
    """Mean and spread of all models' measures of a kind, ``{model: {measure: …}}``.

    Accuracy and similarity to base are those of the models of the clean log, which all perturbations
    of a seed share: they count once a seed.
    """
    first = rows[0].get(kind, {})
    shared = kind in ("accuracy", "similarity_to_base")
    models = [m for m in first if all(m in row[kind] for row in rows) and not is_perturbed(m)]
    return {
        model: {
            measure: spread(found[:, :1] if shared else found)
            for measure in first[model]
            for found in [values(rows, kind, model, measure)]
        }
        for model in models
    }


def spread(found: np.ndarray) -> Spread:
    """Summarise values of any shape."""
    n = found.size
    sd = float(found.std(ddof=1)) if n > 1 else float("nan")
    return Spread(n, float(found.mean()), sd, float(found.min()), float(found.max()))


def difference(
    rows: Sequence[Mapping[str, Any]], measure: str, first: str, second: str
) -> Difference:
    """Compare the stability of two methods pair by pair."""
    one, other = (values(rows, "stability", model, measure) for model in (first, second))
    found = other - one
    sign = -1 if smaller_is_better(measure) else 1
    low, high = crossed_interval(found)
    about = spread(found)
    better = int((sign * found > 0).sum())
    seeds, perturbations = found.shape
    return Difference(found.size, seeds, perturbations, about.mean, about.sd, low, high, better)


def crossed_interval(found: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of ``[seeds, perturbations]`` values, both drawn from many.

    Values of one seed, and of one perturbation, are not independent. The variance of the mean is the
    sum of those over seeds' means and over perturbations' means (two-way clusters: Cameron, Gelbach,
    Miller 2011, without the term that they take off again, so rather too wide than too narrow), with
    Student's t of the smaller number of either less one. A side with one value counts as fixed.

    Returns:
        Lower and upper end; NaN where both sides have one value.
    """
    varied = [axis for axis in (0, 1) if found.shape[axis] > 1]
    if not varied:
        return float("nan"), float("nan")
    means = [found.mean(axis=1 - axis) for axis in varied]
    error = np.sqrt(sum(row.var(ddof=1) / len(row) for row in means))
    reach = stats.t.ppf((1 + level) / 2, min(map(len, means)) - 1) * error
    return float(found.mean() - reach), float(found.mean() + reach)


def removed(rows: Sequence[Mapping[str, Any]], measure: str, model: str) -> np.ndarray:
    """Share of base's instability that a method takes away, ``[seeds, perturbations]``."""
    base, other = (values(rows, "stability", name, measure) for name in ("base", model))
    return share_removed(measure, base, other)


def spread_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All spreads as rows: ``kind, model, measure, n, mean, sd, least, most``."""
    return [
        {"kind": kind, "model": model, "measure": measure, **asdict(found)}
        for kind in KINDS
        for model, measures in spreads(rows, kind).items()
        for measure, found in measures.items()
    ]
