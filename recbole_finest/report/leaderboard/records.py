"""``records.json`` of a benchmark: what each training gave."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError, first_line
from recbole_finest.folders.manifest import MANIFEST, Manifest
from recbole_finest.folders.shapes import VALUES, check, mapping, maybe, number, plain, whole
from recbole_finest.folders.sums import check_sum
from recbole_finest.formats.arrays import read_arrays
from recbole_finest.formats.json_file import read_json
from recbole_finest.report.leaderboard.questions import question_of

RECORDS = "records.json"
AGAIN = "run the benchmark again"
CONTROLS = ("control", "seed_control")
# parts of a record that hold one value for each key, and what its columns are called
PARTS = {
    "accuracy": "accuracy",
    "accuracy_perturbed": "perturbed",
    "stability": "stability",
    "similarity_to_base": "similarity",
    "lists": "lists",
}
COSTS = ("cost_seconds", "cost_ratio", "inference_seconds", "inference_ratio")
PLACE = ["dataset", "shuffle_order", "model", "method", "seed", "perturbation"]
RECORD = {
    **dict.fromkeys(("dataset", "shuffle_order", "model", "method"), str),
    "seed": whole,
    "perturbation?": maybe({"kind": str, "seed?": plain}),
    **{f"{part}?": maybe(VALUES) for part in PARTS},
    **{f"{cost}?": maybe(number) for cost in COSTS},
    "settings?": maybe(mapping),
    "values?": maybe(str),
}
SHAPE = {
    "records": [RECORD],
    "grid?": maybe(
        {
            "method_settings?": maybe({str: maybe(mapping)}),
            "max_accuracy_loss?": maybe(number),
        }
    ),
    "versions?": maybe(mapping),
    "seconds?": maybe(number),
    "cell_seconds?": maybe(number),
    "failed?": maybe([{"error": str}]),
    "blocked?": maybe([mapping]),
}


@dataclass(frozen=True)
class Variant:
    """A method with settings of its own, such as one of a sweep.

    Attributes:
        method: the method.
        settings: its settings that differ from the benchmark's.
    """

    method: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark left behind.

    Attributes:
        grid: what was asked for, resolved.
        versions: version of each package.
        seconds: wall time of the command that wrote the records.
        cell_seconds: time of all work, that of earlier commands included; None where it is not known.
        failed: ``[{"cell", "error"}]``; what was not made because of it is there too.
        trainings: one row a record: the columns ``PLACE``, the ``kind`` of its perturbation and ``drawn``,
            the perturbation in words, ``COSTS`` and one a value, such as ``stability/jaccard@10``;
            ``collapsed`` says how lists have collapsed, whose stability is left out, and is empty else.
        variants: the methods that have settings of their own, by name.
    """

    grid: dict[str, Any]
    versions: dict[str, str]
    seconds: float
    cell_seconds: float | None
    failed: list[dict[str, Any]]
    trainings: pd.DataFrame
    variants: dict[str, Variant]

    def method_of(self, name: str) -> str:
        """The method that a name in the records stands for: ``finest`` for one of its variants."""
        return self.variants[name].method if name in self.variants else name


def read_benchmark(folder: Path) -> Benchmark:
    """Read ``<folder>/records.json`` and the per-instance values it names.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    path = folder / RECORDS
    try:
        summed = check_sum(path, AGAIN)
        contents = read_json(path)
        check(contents, SHAPE, RECORDS)
    except OSError as error:
        raise UserError(
            f"output_dir '{folder}' holds no finished benchmark: {RECORDS} cannot be read "
            f"({error.strerror}); run the benchmark first"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"'{path}' is damaged: {first_line(error)}; {AGAIN}") from error
    if not summed:
        logging.getLogger().warning(
            f"'{path}' is of a version that wrote no sums: it is taken as it is"
        )
    return from_contents(contents, folder)


def from_contents(contents: Mapping[str, Any], folder: Path | None = None) -> Benchmark:
    """The contents of ``records.json``; ``folder`` is where its ``values`` are looked for.

    Raises:
        UserError: one training is recorded twice.
    """
    rows = [
        {**_row(record, folder), "question": question_of(record, contents.get("grid") or {})}
        for record in contents["records"]
    ]
    trainings = pd.DataFrame(rows, columns=None if rows else [*PLACE, "drawn", "kind", "question"])
    twice = trainings[trainings.duplicated(PLACE)]
    if len(twice):
        names = [*PLACE[:-1], "drawn"]
        place = ", ".join(f"{name} {twice.iloc[0][name]}" for name in names)
        raise UserError(f"{RECORDS} holds two records of {place}; remove one")
    grid = dict(contents.get("grid") or {})
    blocked = [
        {**cell, "error": f"not made: needs {cell.get('by')}"}
        for cell in contents.get("blocked") or []
    ]
    return Benchmark(
        grid=grid,
        versions={str(k): str(v) for k, v in (contents.get("versions") or {}).items()},
        seconds=float(contents.get("seconds") or 0),
        cell_seconds=contents.get("cell_seconds"),
        failed=[*(contents.get("failed") or []), *blocked],
        trainings=trainings,
        variants=_variants(grid, contents["records"]),
    )


def _variants(grid: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> dict[str, Variant]:
    """Methods with settings of their own, from the grid's ``method_settings`` and the records."""
    found = {
        str(name): Variant(
            str(given.get("method", name)), {k: v for k, v in given.items() if k != "method"}
        )
        for name, given in (grid.get("method_settings") or {}).items()
        if given
    }
    for record in records:
        if record.get("settings"):
            name = record["method"]
            method = found[name].method if name in found else name.partition("(")[0].strip()
            found[name] = Variant(method, dict(record["settings"]))
    return {name: variant for name, variant in found.items() if variant.settings}


def _row(record: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    row = {name: record[name] for name in PLACE if name != "perturbation"}
    # all that is known of it tells two test perturbations apart
    row["perturbation"] = json.dumps(record.get("perturbation"), sort_keys=True)
    row["drawn"] = perturbation_words(record.get("perturbation"))
    row["kind"] = (record.get("perturbation") or {}).get("kind", "none")
    gone = record.get("collapsed") or {}
    row["collapsed"] = "; ".join(f"{side} side: {how}" for side, how in gone.items())
    for part, prefix in PARTS.items():
        if gone and part == "stability":
            continue  # does not count
        row |= {f"{prefix}/{key}": value for key, value in (record.get(part) or {}).items()}
    row |= {name: record.get(name) for name in COSTS}
    return row if gone else row | _worst(record, folder)


def perturbation_words(perturbation: Mapping[str, Any] | None) -> str:
    """A test perturbation in words: ``deletion, random, 0.001, seed 0``."""
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
    _check_cell(folder, record["values"])
    try:
        values = read_arrays(folder / record["values"], record.get("stability") or {})
        return {f"worst/{key}": float(np.percentile(found, 5)) for key, found in values.items()}
    except FileNotFoundError:
        return {}  # figures without per-instance values are still figures
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise UserError(
            f"'{folder / record['values']}' is damaged ({error}); remove its folder and run again"
        ) from error


def _check_cell(folder: Path, values: str) -> None:
    """Refuse values that are not those of the cell that the record names."""
    path = folder / values
    if Path(values).is_absolute() or ".." in Path(values).parts or len(Path(values).parts) != 3:
        raise UserError(f"'{folder / RECORDS}' is damaged: values cannot be {values!r}; {AGAIN}")
    cell = path.parent
    linked = next((place for place in (cell.parent, cell, path) if place.is_symlink()), None)
    if linked is not None:
        raise UserError(f"'{linked}' is a link, no part of the benchmark; {AGAIN}")
    try:
        found = Manifest.read(cell)
    except UserError as error:
        raise UserError(f"'{cell / MANIFEST}' is damaged; {AGAIN}") from error
    if found is not None:
        reason = found.why_not(path)
        if found.about.get("cell") != cell.name:
            reason = f"is of another cell ({found.about.get('cell')!r})"
        if reason is not None:
            raise UserError(f"'{path}' {reason}; {AGAIN}")
