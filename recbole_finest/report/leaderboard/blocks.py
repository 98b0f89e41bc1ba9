"""The rows of one data set, one shuffle order, and one model or all: compared with each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.evaluator.statistics.estimates import NAN
from recbole_finest.evaluator.statistics.paired import holm
from recbole_finest.evaluator.statistics.pareto import pareto_front
from recbole_finest.names import ALONE
from recbole_finest.report.leaderboard.baseline import best_baseline, is_finest, known
from recbole_finest.report.leaderboard.measures import Keys
from recbole_finest.report.leaderboard.questions import KEEP, NO_METHOD
from recbole_finest.report.leaderboard.records import CONTROLS
from recbole_finest.report.leaderboard.rows import (
    ALL,
    REPLICATE,
    Against,
    Row,
    add_changes,
    against,
    plain_row,
)
from recbole_finest.report.questions import TITLES, split


@dataclass(frozen=True)
class Block:
    """Rows that are compared with each other.

    Attributes:
        dataset, shuffle_order, model: what the rows have in common; ``ALL`` is the mean over models.
        question: the question that the methods answer.
        rows: the methods' rows.
        controls: those of the controls, which are retrained alone.
        reference: the row of ``none``, whose instability and accuracy all shares are of; it stands among
            the rows of those retrained alone only. None where it was not run.
        both: whether another question stands beside this one.
    """

    dataset: str
    shuffle_order: str
    model: str
    question: str
    rows: list[Row]
    controls: list[Row]
    reference: Row | None
    both: bool

    @property
    def name(self) -> str:
        """Part of the names of elements that belong to the block's data set, order and question."""
        return board_name(self.dataset, self.shuffle_order, *([self.question] if self.both else []))

    @property
    def words(self) -> str:
        """What a title says of the question: nothing where there is one only."""
        return f": {TITLES[self.question].lower()}" if self.both else ""

    @property
    def place(self) -> str:
        """Where its rows are from, in a sentence."""
        where = f"{self.dataset} (shuffle order {self.shuffle_order}, {self.model})"
        return f"{where}, {TITLES[self.question].lower()}" if self.both else where

    @property
    def best(self) -> Row | None:
        """The best baseline's row."""
        return next((row for row in self.rows if row.best), None)

    def row(self, method: str) -> Row | None:
        """A method's row."""
        return next((row for row in self.rows if row.method == method), None)


def board_name(*parts: str) -> str:
    """Part of the names of elements that belong to a data set and shuffle order."""
    return re.sub(r"[^\w-]+", "-", "-".join(parts))


def make_blocks(
    trainings: pd.DataFrame,
    keys: Keys,
    settings: Mapping[str, Any],
    rng: np.random.Generator,
    each_model: bool = True,
) -> Iterator[Block]:
    """All blocks: for each data set and shuffle order first all models together, then each of them.

    For each of these one block a question: methods of two questions are never compared.

    Args:
        trainings: the records' rows.
        keys: what is shown.
        settings: the grid's ``method_settings``.
        rng: draws the bootstrap samples.
        each_model: False leaves out the single models where there are several.
    """
    for (dataset, order), group in trainings.groupby(["dataset", "shuffle_order"], sort=False):
        models = list(dict.fromkeys(group["model"]))
        scopes = models if len(models) == 1 else [ALL, *(models if each_model else [])]
        both = group.loc[~group["method"].isin(CONTROLS), "question"].nunique() > 1
        for model in scopes:
            chosen = group if model == ALL else group[group["model"] == model]
            yield from _blocks((dataset, order, model), chosen, keys, settings, rng, both)


def _blocks(
    place: tuple[str, str, str],
    trainings: pd.DataFrame,
    keys: Keys,
    settings: Mapping[str, Any],
    rng: np.random.Generator,
    both: bool,
) -> Iterator[Block]:
    by_method = {
        str(method): rows.set_index(REPLICATE).sort_index()
        for method, rows in trainings.groupby("method", sort=False)
    }
    rows = {name: plain_row((*place, name), found, keys, rng) for name, found in by_method.items()}
    methods = {name: row for name, row in rows.items() if name not in CONTROLS}
    if NO_METHOD in methods:
        for name, row in methods.items():
            add_changes(row, by_method[name], by_method[NO_METHOD], keys, rng)
    controls = [rows[name] for name in CONTROLS if name in rows]
    asked = dict(zip(trainings["method"].astype(str), trainings["question"]))
    for question, names in split(methods, asked).items():
        own = {name: methods[name] for name in names}
        if NO_METHOD in methods:
            _compare(own, by_method, keys, settings)
        # the reference first, then the most stable
        ordered = sorted(
            own.values(), key=lambda row: (row.method != NO_METHOD, -known(row.removed.mean))
        )
        beside = controls if question == ALONE or not both else []
        yield Block(*place, question, ordered, beside, methods.get(NO_METHOD), both)


def _compare(
    rows: Mapping[str, Row],
    by_method: Mapping[str, pd.DataFrame],
    keys: Keys,
    settings: Mapping[str, Any],
) -> None:
    """Fill in significance, the best baseline and the front, among methods of one question."""
    for name in pareto_front(
        {n: (r.accuracy_change.mean, r.removed.mean) for n, r in rows.items()}
    ):
        rows[name].front = True
    if not keys.stability:
        return
    main = keys.stability[0]

    def tests(reference: str) -> dict[str, Against]:
        others = [name for name in rows if name not in (NO_METHOD, KEEP, reference)]
        return _corrected(
            {name: against(by_method[name], by_method[reference], main) for name in others}
        )

    if NO_METHOD in rows:
        for name, found in tests(NO_METHOD).items():
            rows[name].against_none = found
    best = best_baseline([r for name, r in rows.items() if not is_finest(name, settings)])
    if best is not None:
        best.best = True
        for name, found in tests(best.method).items():
            rows[name].against_best = found


def _corrected(found: Mapping[str, Against]) -> dict[str, Against]:
    """Holm's correction over those that have a p-value."""
    tested = {name: a for name, a in found.items() if not np.isnan(a.p)}
    p_holm = dict(zip(tested, holm(np.array([a.p for a in tested.values()]))))
    return {
        name: replace(a, p_holm=float(p_holm.get(name, NAN)), compared=len(tested))
        for name, a in found.items()
    }
