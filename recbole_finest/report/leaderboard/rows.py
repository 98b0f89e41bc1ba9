"""One row of the leaderboard: what one method gave on one data set, for one model or for all."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from recbole_finest.evaluator.measures.direction import distance
from recbole_finest.evaluator.statistics.estimates import (
    NAN,
    NONE,
    Estimate,
    change_of,
    means_of,
    paired_p,
    removed_of,
)
from recbole_finest.report.leaderboard.measures import Keys

ALL = "all models"
TRAINING = ["model", "seed"]  # a model trained on the clean log
REPLICATE = [*TRAINING, "perturbation"]


@dataclass(frozen=True)
class Against:
    """A method's stability beside another's, over the replicates that both have.

    Attributes:
        gain: mean difference of the first stability measure; positive means more stable.
        p: Wilcoxon's signed-rank p-value.
        p_holm: the same after Holm's correction over the methods compared.
        n: number of paired replicates.
        compared: number of methods compared.
    """

    gain: float
    p: float
    p_holm: float
    n: int
    compared: int


@dataclass
class Row:
    """What one method gave; estimates are over replicates.

    Attributes:
        dataset, shuffle_order, model, method: what was trained; ``ALL`` is the mean over models.
        n: number of replicates.
        accuracy, perturbed: accuracy of the models of the clean and of the perturbed log.
        change, change_perturbed: the first metric against ``none``, as a share of it, on either side.
        stability: all measures.
        removed: the part of ``none``'s instability, in the first measure, that is gone.
        similarity: similarity to base in the first measure.
        coverage: share of the catalogue in the lists.
        worst: 5th percentile over test instances of the first measure, mean over replicates.
        cost, inference: of one renewal, and of scoring the test instances, against base's.
        cost_seconds, inference_seconds: the same in seconds, mean over models.
        against_none, against_best: comparisons; None where there is nothing to compare with.
        best: whether this is the best baseline.
        front: whether it is on the Pareto front of its block.
    """

    dataset: str
    shuffle_order: str
    model: str
    method: str
    n: int
    accuracy: dict[str, Estimate]
    perturbed: dict[str, Estimate]
    stability: dict[str, Estimate]
    similarity: float
    coverage: float
    worst: float
    cost: float
    inference: float
    cost_seconds: float
    inference_seconds: float
    change: Estimate = NONE
    change_perturbed: Estimate = NONE
    removed: Estimate = NONE
    against_none: Against | None = None
    against_best: Against | None = field(default=None)
    best: bool = False
    front: bool = False

    @property
    def accuracy_change(self) -> Estimate:
        """The lower of the two sides' changes: a method has no accuracy to spare on either side."""
        known = [c for c in (self.change, self.change_perturbed) if not np.isnan(c.mean)]
        return min(known, key=lambda c: c.mean, default=NONE)


def plain_row(
    place: tuple[str, str, str, str], trainings: pd.DataFrame, keys: Keys, rng: np.random.Generator
) -> Row:
    """A row without comparisons, from the trainings of one method.

    Args:
        place: data set, shuffle order, model (or ``ALL``) and method.
        trainings: the method's, indexed by ``REPLICATE``.
        keys: what is shown.
        rng: draws the bootstrap samples.
    """
    main = keys.stability[0] if keys.stability else ""
    coverage = next((c for c in trainings.columns if c.startswith("lists/coverage")), "")
    return Row(
        *place,
        n=len(trainings),
        accuracy=means_of({k: clean_side(trainings, f"accuracy/{k}") for k in keys.accuracy}, rng),
        perturbed=means_of({k: column(trainings, f"perturbed/{k}") for k in keys.accuracy}, rng),
        stability=means_of({k: column(trainings, f"stability/{k}") for k in keys.every}, rng),
        similarity=average(trainings, f"similarity/{main}"),
        coverage=average(trainings, coverage),
        worst=average(trainings, f"worst/{main}"),
        cost=average(trainings, "cost_ratio"),
        inference=average(trainings, "inference_ratio"),
        cost_seconds=average(trainings, "cost_seconds"),
        inference_seconds=average(trainings, "inference_seconds"),
    )


def add_changes(
    row: Row, method: pd.DataFrame, none: pd.DataFrame, keys: Keys, rng: np.random.Generator
) -> None:
    """Fill in what changed against ``none``, over the replicates that both have."""
    both = method.index.intersection(none.index)
    method, none = method.loc[both], none.loc[both]
    if keys.accuracy:
        clean, other = f"accuracy/{keys.accuracy[0]}", f"perturbed/{keys.accuracy[0]}"
        row.change = change_of(clean_side(method, clean), clean_side(none, clean), rng)
        row.change_perturbed = change_of(column(method, other), column(none, other), rng)
    if keys.stability:
        main = keys.stability[0]
        sides = [column(side, f"stability/{main}") for side in (method, none)]
        row.removed = removed_of(main, sides[0], sides[1], rng)


def against(method: pd.DataFrame, other: pd.DataFrame, main: str) -> Against:
    """Compare two methods' stability, replicate by replicate, before any correction."""
    both = method.index.intersection(other.index)
    gains = distance(main, column(other.loc[both], f"stability/{main}")) - distance(
        main, column(method.loc[both], f"stability/{main}")
    )
    gains = gains[~np.isnan(gains)]
    p = paired_p(gains)
    return Against(float(gains.mean()) if len(gains) else NAN, p, p, len(gains), 1)


def column(trainings: pd.DataFrame, name: str) -> np.ndarray:
    """A column's values ``[n]``; NaN where it does not exist."""
    if name not in trainings.columns:
        return np.full(len(trainings), np.nan)
    return trainings[name].to_numpy(dtype=float)


def clean_side(trainings: pd.DataFrame, name: str) -> np.ndarray:
    """One value for each (model, seed): the perturbations share the model of the clean log."""
    values = pd.Series(column(trainings, name), index=trainings.index)
    return values.groupby(level=TRAINING, sort=True).mean().to_numpy()


def average(trainings: pd.DataFrame, name: str) -> float:
    """Mean of what is known of a column."""
    values = column(trainings, name)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else NAN
