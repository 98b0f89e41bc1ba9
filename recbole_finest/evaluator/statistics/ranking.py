"""Average ranks of the methods over blocks, and Friedman's test."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from recbole_finest.evaluator.statistics.estimates import NAN

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


def ranking(trainings: pd.DataFrame, goodness: np.ndarray) -> Ranking:
    """Ranks of the methods by their trainings' goodness ``[n]``, larger being better.

    Args:
        trainings: of one shuffle order, with the columns ``BLOCK`` and ``method``; no controls.
        goodness: one value a training.
    """
    table = (
        trainings.assign(goodness=goodness)
        .pivot(index=BLOCK, columns="method", values="goodness")
        .reindex(columns=list(dict.fromkeys(trainings["method"])))
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
