"""Paired comparison of two models' per-instance values; the unit is the user.

Intervals and p-values speak of the models that were compared, on users like these. A claim about a
method needs several seeds and perturbations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

from recbole_finest.errors import UserError
from recbole_finest.evaluator.statistics.summary import mean_interval


@dataclass(frozen=True)
class Paired:
    """Paired comparison of two models on one measure; differences are second - first.

    Attributes:
        n_users: number of users; each counts once, with the mean over its instances.
        first: mean over users of the first model's values.
        second: the same of the second model's.
        difference: second - first.
        low: lower end of the bootstrap 95 % interval of the difference, resampling users.
        high: its upper end.
        p_value: Wilcoxon's signed-rank test, two-sided; 1 where no user differs.
        p_holm: the same after Holm's correction over the measures compared together.
        effect_size: mean difference over its standard deviation (Cohen's d_z); 0 without any.
        rank_biserial: matched-pairs rank-biserial correlation, -1 … 1 (Kerby 2014): the share of
            rank sum in favour of the second model minus the share in favour of the first.
    """

    n_users: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    effect_size: float
    rank_biserial: float

    def to_dict(self) -> dict[str, float]:
        """Return the attributes by name."""
        return asdict(self)

    def sentence(self, measure: str, first: str = "base", second: str = "finest") -> str:
        """Say the result in words, as one about these two models."""
        return (
            f"Between these two models, {measure} of {second} differs from that of {first} by "
            f"{self.difference:+.4f} (95 % interval over {self.n_users} users {self.low:+.4f} to "
            f"{self.high:+.4f}; Wilcoxon p = {self.p_holm:.2g} after Holm's correction; "
            f"rank-biserial {self.rank_biserial:+.2f}). It does not tell how other seeds or "
            "perturbations would come out."
        )


def compare_paired(
    first: Mapping[str, np.ndarray],
    second: Mapping[str, np.ndarray],
    users: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Paired]:
    """Compare two models' per-instance values of the same instances, measure by measure.

    Args:
        first: for example base's values, ``{"jaccard@10": [n]}``.
        second: the other model's values under the same names.
        users: the user of each instance, ``[n]``.
        rng: draws the bootstrap samples.

    Raises:
        UserError: different measures, or values of different length.
    """
    if list(first) != list(second):
        raise UserError(f"Two models have different measures: {list(first)} and {list(second)}.")
    by_user = {
        name: (per_user(first[name], users), per_user(second[name], users)) for name in first
    }
    p_values = np.array([wilcoxon_p(right - left) for left, right in by_user.values()])
    corrected = holm(p_values)
    differences = np.array([right - left for left, right in by_user.values()])
    low, high = mean_interval(differences, None, rng)
    return {
        name: Paired(
            n_users=len(left),
            first=float(left.mean()),
            second=float(right.mean()),
            difference=float(differences[i].mean()),
            low=float(low[i]),
            high=float(high[i]),
            p_value=float(p_values[i]),
            p_holm=float(corrected[i]),
            effect_size=_effect_size(differences[i]),
            rank_biserial=rank_biserial(differences[i]),
        )
        for i, (name, (left, right)) in enumerate(by_user.items())
    }


def per_user(values: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Average the instances' values ``[n]`` of each user; ``[n_users]``, users sorted."""
    if len(values) != len(users):
        raise UserError(f"There are {len(values)} values for {len(users)} instances.")
    _, code = np.unique(users, return_inverse=True)
    return np.bincount(code, weights=values) / np.bincount(code)


def wilcoxon_p(differences: np.ndarray) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test (zeros dropped); 1 where all are zero."""
    return float(stats.wilcoxon(differences).pvalue) if np.any(differences) else 1.0


def rank_biserial(differences: np.ndarray) -> float:
    """Matched-pairs rank-biserial correlation (Kerby 2014), -1 … 1; 0 where nothing differs."""
    differences = differences[differences != 0]
    if not len(differences):
        return 0.0
    ranks = stats.rankdata(np.abs(differences))
    return float((ranks * np.sign(differences)).sum() / ranks.sum())


def _effect_size(differences: np.ndarray) -> float:
    spread = differences.std(ddof=1) if len(differences) > 1 else 0.0
    return float(differences.mean() / spread) if spread > 0 else 0.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down correction ``[m]`` (Holm, Scandinavian Journal of Statistics 6, 1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
