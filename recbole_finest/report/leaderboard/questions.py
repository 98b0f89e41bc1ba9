"""Which question a record answers, and the row of the model that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recbole_finest.evaluator.measures.direction import full_agreement
from recbole_finest.experiment.protocol import declared_question
from recbole_finest.names import ANCHORED
from recbole_finest.report.questions import TITLES

NO_METHOD, KEEP = "none", "keep"


def question_of(record: Mapping[str, Any], grid: Mapping[str, Any]) -> str:
    """The question that a record's method answers.

    What a record of an earlier version does not say is worked out from the method's declaration and
    the grid's settings; ``unknown`` for a method of the user's own.
    """
    if record.get("question") in TITLES:
        return record["question"]
    name = str(record["method"])
    own = (grid.get("method_settings") or {}).get(name) or {}
    method = own.get("method", name if ":" in name else name.partition("(")[0].strip())
    settings: dict[str, Any] = {}
    for part, key in (("dataset_settings", "dataset"), ("model_settings", "model")):
        settings |= (grid.get(part) or {}).get(record[key]) or {}
    settings = {**(grid.get("settings") or {}), **settings, **own, **(record.get("settings") or {})}
    settings |= grid.get("command_line") or {}
    return declared_question(str(method), settings)


def with_keep(trainings: pd.DataFrame) -> pd.DataFrame:
    """The trainings, and where some know the deployed model, the row of keeping it.

    Nothing is trained for it: its lists are those of the clean base, identical on both sides, at no
    cost. Where a benchmark has the method ``keep``, that is the row.
    """
    if not len(trainings) or not (trainings["question"] == ANCHORED).any():
        return trainings
    parts = [trainings]
    for _, here in trainings.groupby(["dataset", "shuffle_order"], sort=False):
        if KEEP not in set(here["method"]) and (here["question"] == ANCHORED).any():
            parts.append(_kept(here[here["method"] == NO_METHOD]))
    return pd.concat(parts, ignore_index=True)


def _kept(none: pd.DataFrame) -> pd.DataFrame:
    """What keeping the clean base gives, from the rows of base on both logs."""
    columns: dict[str, Any] = {"method": KEEP, "question": ANCHORED}
    for name in none.columns:
        part, _, key = name.partition("/")
        if part in ("stability", "worst"):
            columns[name] = full_agreement(key)
        if part == "perturbed" and f"accuracy/{key}" in none.columns:
            columns[name] = none[f"accuracy/{key}"]
        if name in ("cost_seconds", "cost_ratio"):
            columns[name] = 0.0
    return none.assign(**columns)
