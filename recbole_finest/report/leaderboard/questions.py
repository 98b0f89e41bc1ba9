"""Which question a record answers, and the row of the model that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recbole_finest.evaluator.measures.direction import full_agreement
from recbole_finest.experiment.protocol import declared_question
from recbole_finest.names import ANCHORED
from recbole_finest.report.questions import said_question

NO_METHOD, KEEP = "none", "keep"


def question_of(record: Mapping[str, Any], grid: Mapping[str, Any]) -> str:
    """The question that a record's method answers.

    What a record of an earlier version does not say is worked out from the method's declaration and
    the grid's settings; ``unknown`` for a method of the user's own.
    """
    said = said_question(record.get("question"))
    if said is not None:
        return said
    name = str(record["method"])
    own = _part(grid, "method_settings", name)
    method = own.get("method", name if ":" in name else name.partition("(")[0].strip())
    settings = {
        **_part(grid, "settings"),
        **_part(grid, "dataset_settings", record["dataset"]),
        **_part(grid, "model_settings", record["model"]),
        **own,
        **_part(record, "settings"),
        **_part(grid, "command_line"),
    }
    return declared_question(str(method), settings)


def _part(contents: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """What stands in a file below these names; nothing where no mapping does."""
    found: Any = contents
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


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
