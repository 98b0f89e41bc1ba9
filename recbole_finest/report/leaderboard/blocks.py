"""The rows of one data set, one shuffle order, and one model or all: compared with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.evaluator.statistics.estimates import NAN
from recbole_finest.evaluator.statistics.paired import holm
from recbole_finest.evaluator.statistics.pareto import pareto_front
from recbole_finest.report.leaderboard.measures import Keys
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

NO_METHOD = "none"
TOLERATED = 0.01  # accuracy that a baseline may lose and still be the best one
ROUNDING = 1e-9


@dataclass(frozen=True)
class Block:
    """Rows that are compared with each other.

    Attributes:
        dataset, shuffle_order, model: what the rows have in common; ``ALL`` is the mean over models.
        rows: the methods' rows.
        controls: those of the controls.
    """

    dataset: str
    shuffle_order: str
    model: str
    rows: list[Row]
    controls: list[Row]

    @property
    def best(self) -> Row | None:
        """The best baseline's row."""
        return next((row for row in self.rows if row.best), None)

    def row(self, method: str) -> Row | None:
        """A method's row."""
        return next((row for row in self.rows if row.method == method), None)


def is_finest(method: str, settings: Mapping[str, Any]) -> bool:
    """Whether a method is FINEST, a variant or an ablation of it, and so no baseline.

    Args:
        method: its name.
        settings: the grid's ``method_settings``, which say what a variant is a variant of.
    """
    named = (settings.get(method) or {}).get("method", method)
    return str(named).partition("(")[0].startswith("finest")


def make_blocks(
    trainings: pd.DataFrame,
    keys: Keys,
    settings: Mapping[str, Any],
    rng: np.random.Generator,
    each_model: bool = True,
) -> Iterator[Block]:
    """All blocks: for each data set and shuffle order first all models together, then each of them.

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
        for model in scopes:
            chosen = group if model == ALL else group[group["model"] == model]
            yield _block((dataset, order, model), chosen, keys, settings, rng)


def _block(
    place: tuple[str, str, str],
    trainings: pd.DataFrame,
    keys: Keys,
    settings: Mapping[str, Any],
    rng: np.random.Generator,
) -> Block:
    by_method = {
        str(method): rows.set_index(REPLICATE).sort_index()
        for method, rows in trainings.groupby("method", sort=False)
    }
    rows = {name: plain_row((*place, name), found, keys, rng) for name, found in by_method.items()}
    methods = {name: row for name, row in rows.items() if name not in CONTROLS}
    if NO_METHOD in methods:
        for name, row in methods.items():
            add_changes(row, by_method[name], by_method[NO_METHOD], keys, rng)
        _compare(methods, by_method, keys, settings)
    controls = [rows[name] for name in CONTROLS if name in rows]
    # the reference first, then the most stable
    ordered = sorted(
        methods.values(), key=lambda row: (row.method != NO_METHOD, -_known(row.removed.mean))
    )
    return Block(*place, rows=ordered, controls=controls)


def _compare(
    rows: Mapping[str, Row],
    by_method: Mapping[str, pd.DataFrame],
    keys: Keys,
    settings: Mapping[str, Any],
) -> None:
    """Fill in significance, the best baseline and the front."""
    for name in pareto_front(
        {n: (r.accuracy_change.mean, r.removed.mean) for n, r in rows.items()}
    ):
        rows[name].front = True
    if not keys.stability:
        return
    best = best_baseline([r for name, r in rows.items() if not is_finest(name, settings)])
    best.best = True
    main = keys.stability[0]

    def tests(reference: str) -> dict[str, Against]:
        others = [name for name in rows if name not in (NO_METHOD, reference)]
        return _corrected(
            {name: against(by_method[name], by_method[reference], main) for name in others}
        )

    for name, found in tests(NO_METHOD).items():
        rows[name].against_none = found
    for name, found in tests(best.method).items():
        rows[name].against_best = found


def best_baseline(rows: list[Row]) -> Row:
    """The most stable of the baselines whose accuracy change is not below -1 %; ties to the cheaper.

    ``none`` is one of them, so that there always is one.
    """
    kept = [row for row in rows if keeps_accuracy(row, TOLERATED) or _is_none(row)]
    return max(kept, key=lambda row: (_known(row.removed.mean), -_cost(row), _is_none(row)))


def keeps_accuracy(row: Row, tolerated: float) -> bool:
    """Whether a method loses at most this share of the accuracy of ``none``, on either side."""
    return row.accuracy_change.mean >= -tolerated - ROUNDING


def _is_none(row: Row) -> bool:
    return row.method == NO_METHOD


def _known(value: float) -> float:
    return -np.inf if np.isnan(value) else value


def _cost(row: Row) -> float:
    return np.inf if np.isnan(row.cost) else row.cost


def _corrected(found: Mapping[str, Against]) -> dict[str, Against]:
    """Holm's correction over those that have a p-value."""
    tested = {name: a for name, a in found.items() if not np.isnan(a.p)}
    p_holm = dict(zip(tested, holm(np.array([a.p for a in tested.values()]))))
    return {
        name: replace(a, p_holm=float(p_holm.get(name, NAN)), compared=len(tested))
        for name, a in found.items()
    }
