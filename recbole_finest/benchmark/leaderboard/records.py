"""``records.json`` of a benchmark: what each training gave."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError

RECORDS = "records.json"
CONTROLS = ("control", "seed_control")
# parts of a record that hold one value for each key, and what its columns are called
PARTS = {
    "accuracy": "accuracy",
    "accuracy_perturbed": "perturbed",
    "stability": "stability",
    "similarity_to_base": "similarity",
    "lists": "lists",
}
PLACE = ["dataset", "shuffle_order", "model", "method", "seed", "perturbation"]


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark left behind.

    Attributes:
        grid: what was asked for, resolved.
        versions: version of each package.
        seconds: wall time.
        failed: ``[{"cell", "error"}]``.
        trainings: one row a record: the columns ``PLACE``, ``kind`` of perturbation, ``cost_ratio``,
            ``inference_ratio`` and one a value, such as ``stability/jaccard@10``.
    """

    grid: dict[str, Any]
    versions: dict[str, str]
    seconds: float
    failed: list[dict[str, str]]
    trainings: pd.DataFrame


def read_benchmark(folder: Path) -> Benchmark:
    """Read ``<folder>/records.json`` and the per-instance values it names.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    path = folder / RECORDS
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"output_dir '{folder}' holds no finished benchmark: {RECORDS} cannot be read "
            f"({error.strerror}); run the benchmark first"
        ) from error
    except ValueError as error:
        raise UserError(f"'{path}' is damaged: {error}; run the benchmark again") from error
    try:
        return from_contents(contents, folder)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"'{path}' is damaged ({error!r}); run the benchmark again") from error


def from_contents(contents: Mapping[str, Any], folder: Path | None = None) -> Benchmark:
    """The contents of ``records.json``; ``folder`` is where its ``values`` are looked for.

    Raises:
        UserError: one training is recorded twice.
    """
    rows = [_row(record, folder) for record in contents["records"]]
    trainings = pd.DataFrame(rows, columns=None if rows else PLACE)
    twice = trainings[trainings.duplicated(PLACE)]
    if len(twice):
        place = ", ".join(f"{name} {twice.iloc[0][name]}" for name in PLACE)
        raise UserError(f"{RECORDS} holds two records of {place}; remove one")
    return Benchmark(
        grid=dict(contents.get("grid") or {}),
        versions={str(k): str(v) for k, v in (contents.get("versions") or {}).items()},
        seconds=float(contents.get("seconds") or 0),
        failed=list(contents.get("failed") or []),
        trainings=trainings,
    )


def _row(record: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    row = {name: record[name] for name in PLACE if name != "perturbation"}
    row["perturbation"] = perturbation_words(record.get("perturbation"))
    row["kind"] = (record.get("perturbation") or {}).get("kind", "none")
    for part, prefix in PARTS.items():
        row |= {f"{prefix}/{key}": value for key, value in (record.get(part) or {}).items()}
    row |= {name: record.get(name) for name in ("cost_ratio", "inference_ratio")}
    return row | _worst(record, folder)


def perturbation_words(perturbation: Mapping[str, Any] | None) -> str:
    """A test perturbation in words, different for different ones: ``deletion, random, 0.001, seed 0``."""
    if perturbation is None:
        return "none"
    p = perturbation
    amount = p.get("count") if p.get("ratio") is None else p["ratio"]
    parts = [p["kind"], p.get("selection"), p.get("item_choice"), amount, f"seed {p.get('seed')}"]
    return ", ".join(str(part) for part in parts if part is not None)


def _worst(record: Mapping[str, Any], folder: Path | None) -> dict[str, float]:
    """5th percentile over instances of each stability measure, where the values are there."""
    if folder is None or not record.get("values"):
        return {}
    try:
        with np.load(folder / record["values"], allow_pickle=False) as values:
            keys = [key for key in record.get("stability") or {} if key in values]
            return {f"worst/{key}": float(np.percentile(values[key], 5)) for key in keys}
    except FileNotFoundError:
        return {}  # figures without per-instance values are still figures
    except (OSError, ValueError, IndexError, zipfile.BadZipFile) as error:
        raise UserError(
            f"'{folder / record['values']}' is damaged ({error}); remove its folder and run again"
        ) from error
