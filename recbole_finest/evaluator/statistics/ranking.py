"""Average ranks of the methods over blocks, and Friedman's test."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from recbole_finest.evaluator.statistics.estimates import NAN
from recbole_finest.report.leaderboard.measures import Keys, distance
from recbole_finest.report.leaderboard.records import CONTROLS

BLOCK = ["dataset", "model", "perturbation", "seed"]


@dataclass(frozen=True)
class Ranking:
    """Average ranks of the methods, 1 being the best.

    Attributes:
        ranks: ``{method: average rank}``; ties share the mean of their ranks.
        blocks: number of (data set × model × perturbation × seed) blocks ranked.
        left_out: number of blocks in which a method is missing.
        statistic, p: Friedman's test; NaN for fewer than three methods or two blocks.
    """

    ranks: dict[str, float]
    blocks: int
    left_out: int
    statistic: float
    p: float


def rank_by_stability(trainings: pd.DataFrame, keys: Keys) -> Ranking:
    """Ranks by the first stability measure, of trainings of one shuffle order."""
    main = keys.stability[0]
    values = trainings[f"stability/{main}"].to_numpy(dtype=float)
    return _ranking(trainings, -distance(main, values))


def rank_by_accuracy(trainings: pd.DataFrame, keys: Keys) -> Ranking:
    """Ranks by the first accuracy metric, mean of the clean and the perturbed side."""
    sides = [f"{part}/{keys.accuracy[0]}" for part in ("accuracy", "perturbed")]
    known = [side for side in sides if side in trainings.columns]
    return _ranking(trainings, trainings[known].astype(float).mean(axis=1).to_numpy())


def _ranking(trainings: pd.DataFrame, goodness: np.ndarray) -> Ranking:
    methods = ~trainings["method"].isin(CONTROLS)
    table = (
        trainings.assign(goodness=goodness)[methods]
        .pivot(index=BLOCK, columns="method", values="goodness")
        .reindex(columns=list(dict.fromkeys(trainings.loc[methods, "method"])))
    )
    complete = table.dropna()
    if not len(complete):
        return Ranking({}, 0, len(table), NAN, NAN)
    ranks = stats.rankdata(-complete.to_numpy(), axis=1).mean(axis=0)
    statistic, p = friedman(complete.to_numpy())
    return Ranking(
        ranks=dict(zip(map(str, complete.columns), ranks.tolist())),
        blocks=len(complete),
        left_out=len(table) - len(complete),
        statistic=statistic,
        p=p,
    )


def friedman(values: np.ndarray) -> tuple[float, float]:
    """Friedman's statistic and p-value of values ``[blocks, methods]``.

    NaN for fewer than three methods or two blocks; p is 1 where all methods tie in every block.
    """
    if values.shape[0] < 2 or values.shape[1] < 3:
        return NAN, NAN
    if (values == values[:, :1]).all():
        return 0.0, 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats.friedmanchisquare(*values.T)
    return float(found.statistic), float(found.pvalue)
