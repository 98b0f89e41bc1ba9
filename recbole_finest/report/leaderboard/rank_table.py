"""The table of average ranks, one for each shuffle order."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from recbole_finest.evaluator.measures.direction import distance
from recbole_finest.evaluator.statistics.ranking import Ranking, ranking
from recbole_finest.names import CONTROLS
from recbole_finest.report.labels import measure_label
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.questions import TITLES
from recbole_finest.report.table import NOTHING, Table, number, p_value


def rank_tables(trainings: pd.DataFrame, order: str, keys: Keys) -> Iterator[Table]:
    """Average ranks of one shuffle order's trainings, a table for each question.

    Of two questions one with a single method has no ranks.
    """
    methods = _methods(trainings[trainings["shuffle_order"] == order])
    asked = [question for question in TITLES if (methods["question"] == question).any()]
    for question in asked:
        own = methods[methods["question"] == question]
        both = len(asked) > 1
        if both and own["method"].nunique() < 2:
            continue
        name = f"{order}-{question}" if both else order
        found = rank_table(own, name, keys, f": {TITLES[question].lower()}" if both else "")
        if found is not None:
            yield found


def rank_table(chosen: pd.DataFrame, name: str, keys: Keys, words: str = "") -> Table | None:
    """Average ranks by stability and by accuracy of trainings of one shuffle order and question.

    None where no block has all methods, or one of the two was not measured.
    """
    if not (keys.stability and keys.accuracy):
        return None
    order = chosen["shuffle_order"].iloc[0]
    stability, accuracy = rank_by_stability(chosen, keys), rank_by_accuracy(chosen, keys)
    if not stability.ranks:
        return None
    columns = {
        f"rank by {measure_label(keys.stability[0])}": stability.ranks,
        f"rank by {measure_label(keys.accuracy[0])}": accuracy.ranks,
    }
    methods = sorted(stability.ranks, key=stability.ranks.__getitem__)
    frame = pd.DataFrame(
        [
            {"method": m, **{name: ranks.get(m, math.nan) for name, ranks in columns.items()}}
            for m in methods
        ]
    )
    texts = frame.copy().astype(object)
    for column in columns:
        texts[column] = [number(value, 2) for value in frame[column]]
    note = (
        f"Average rank, 1 being the best, over {stability.blocks} blocks (data set × model × test "
        f"perturbation × seed){_left_out(stability)}; accuracy is the mean of the clean and the perturbed "
        f"side. Friedman's test that all methods are alike: {_friedman(stability)} by stability, "
        f"{_friedman(accuracy)} by accuracy."
    )
    title = f"Average ranks, shuffle order {order}{words}"
    return Table(f"ranks-{name}", title, note, frame, texts)


def rank_by_stability(trainings: pd.DataFrame, keys: Keys) -> Ranking:
    """Ranks by the first stability measure, of trainings of one shuffle order."""
    methods, main = _methods(trainings), keys.stability[0]
    return ranking(methods, -distance(main, methods[f"stability/{main}"].to_numpy(dtype=float)))


def rank_by_accuracy(trainings: pd.DataFrame, keys: Keys) -> Ranking:
    """Ranks by the first accuracy metric, mean of the clean and the perturbed side."""
    methods = _methods(trainings)
    sides = [f"{part}/{keys.accuracy[0]}" for part in ("accuracy", "perturbed")]
    known = [side for side in sides if side in trainings.columns]
    return ranking(methods, methods[known].astype(float).mean(axis=1).to_numpy())


def _methods(trainings: pd.DataFrame) -> pd.DataFrame:
    return trainings[~trainings["method"].isin(CONTROLS)]


def _left_out(ranking: Ranking) -> str:
    return (
        f", leaving out {ranking.left_out} in which a method is missing" if ranking.left_out else ""
    )


def _friedman(ranking: Ranking) -> str:
    return f"p {NOTHING}" if math.isnan(ranking.p) else f"p {p_value(ranking.p)}"
