"""Several seeds and test perturbations in the report: tables, and the claim about the method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from recbole_finest.evaluator.collapse import counts
from recbole_finest.evaluator.statistics.replicates import (
    Difference,
    difference,
    removed,
    sizes,
    spread,
    spread_rows,
    spreads,
)
from recbole_finest.names import methods_of
from recbole_finest.report.labels import label, measure_label
from recbole_finest.report.questions import NO_EFFECT, NO_EFFECT_NOTE, TITLES, holds_zero, split
from recbole_finest.report.run.compared import pairs_of
from recbole_finest.report.run.contents import Report
from recbole_finest.report.run.rows import as_text, by_question, within
from recbole_finest.report.table import NOTHING, Table, number, per_cent, signed

SHOWN = {
    "accuracy": "accuracy",
    "stability": "stability",
    "stability_filtered": "stability without seen items",
    "similarity_to_base": "similarity to base",
}


def rows_of(report: Report) -> list[dict[str, Any]]:
    return report.result.get("replicates", [])


def crossing(rows: Sequence[Mapping[str, Any]]) -> str:
    """``2 training seeds × 3 test perturbations``."""
    found = ({row[name] for row in rows} for name in ("seed", "perturbation_seed"))
    return sizes(*(len(seeds - {None}) for seeds in found))


def replicate_table(report: Report) -> Table:
    """Mean, standard deviation and range of every measure over all pairs."""
    found = spread_rows(rows_of(report) or [{}])
    models = list(dict.fromkeys(row["model"] for row in found))
    rows = [
        {**start, **row, "model": label(name)}
        for start, name in by_question(report, models)
        for row in found
        if row["model"] == name
    ]
    shown = as_text(
        [row for row in rows if row["measure"].endswith(f"@{report.k}")],
        {
            "what": lambda r: within({**r, "kind": SHOWN[r["kind"]]}, "kind"),
            "measure": lambda r: r["measure"],
            "model": lambda r: r["model"],
            "mean ± standard deviation": lambda r: plus_minus(r["mean"], r["sd"]),
            "least": lambda r: number(r["least"]),
            "most": lambda r: number(r["most"]),
            "n": lambda r: str(r["n"]),
        },
    )
    note = (
        "Mean and standard deviation over pairs of a training seed and a test perturbation, each really "
        "trained. Accuracy and similarity to base are of the models of the clean log, which all "
        "perturbations share: n is then the number of seeds."
    )
    title = "Over seeds and perturbations"
    return Table("replicates", title, note, pd.DataFrame(rows), shown, grouped=True)


def differences(report: Report) -> dict[tuple[str, str, str], Difference]:
    """Each method against base, and finest against its like, by measure at the depth shown."""
    rows = rows_of(report)
    stable = rows[0]["stability"] if rows else {}
    return {
        (measure, first, second): difference(rows, measure, first, second)
        for first, second in pairs_of(methods_of(stable), report.question)
        for measure in stable.get(second, {})
        if measure.endswith(f"@{report.k}") and first in stable
        if all(counts(row, name) for row in rows for name in (first, second))
    }


def difference_table(report: Report) -> Table:
    """What a method changes, pair by pair."""
    rows = []
    for (measure, first, second), found in differences(report).items():
        share = removed(rows_of(report), measure, second) if first == "base" else np.array([np.nan])
        gone = spread(share)
        extra = {"removed": gone.mean, "removed_sd": gone.sd}
        rows.append(
            {
                "methods": f"{report.asked(first)} → {report.asked(second)}",
                "measure": measure,
                **asdict(found),
                **extra,
            }
        )
    shown = as_text(
        rows,
        {
            "methods": lambda r: r["methods"],
            "measure": lambda r: r["measure"],
            "difference (mean ± sd)": lambda r: plus_minus(r["mean"], r["sd"], signed),
            "95 % interval": lambda r: f"{signed(r['low'])} to {signed(r['high'])}",
            "better in": lambda r: f"{r['better']} of {r['n']}",
            "instability removed": _gone,
        },
    )
    title = "What the method changes"
    return Table("method", title, _method_note(report), pd.DataFrame(rows), shown, grouped=True)


def _method_note(report: Report) -> str:
    scope = next((found.scope() for found in differences(report).values()), "")
    note = (
        "Stability of one method less that of another, pair by pair of seed and perturbation, with "
        "Student's t interval of the mean over seeds and perturbations. "
    )
    if report.both:
        note += (
            "Base, retrained alone, is what all instability is measured against; beside a method that "
            "knows the deployed model it says how much is gone, not which is better. "
        )
    return f"{note}{NO_EFFECT_NOTE} {scope}"


def _gone(row: Mapping[str, Any]) -> str:
    """The share removed, marked where the difference shows no effect."""
    text = plus_minus(row["removed"], row["removed_sd"], per_cent)
    known = not (np.isnan(row["low"]) or np.isnan(row["removed"]))
    return text + (f" {NO_EFFECT}" if known and holds_zero(row["low"], row["high"]) else "")


def plus_minus(mean: float, sd: float, form: Callable[[float], str] = number) -> str:
    """``0.867 ± 0.012``; the mean alone where there is one value."""
    sign = per_cent if form is per_cent else number
    return form(mean) if np.isnan(sd) else f"{form(mean)} ± {sign(sd)}"


def claim(report: Report) -> str:
    """The sentence about the method; empty without replicates."""
    found = differences(report).get((report.measure, "base", "finest"))
    if found is None:
        return ""
    names = (report.asked(name) for name in ("base", "finest"))
    text = found.sentence(measure_label(report.measure), *names)
    shown = not holds_zero(found.low, found.high)
    return text if shown else f"{text} The interval holds 0: no effect is shown."


def printed(result: Mapping[str, Any], header: Sequence[str]) -> str:
    """The table that a run prints below its own: mean ± standard deviation over all pairs.

    Args:
        result: of the run.
        header: the columns of the run's own table, whose measures are shown.
    """
    rows = result["replicates"]
    found = {kind: spreads(rows, kind) for kind in ("accuracy", "stability")}
    measured = [m for m in header if any(m in of.get("base", {}) for of in found.values())]
    lines = {}
    for model in methods_of(found["accuracy"]):
        known = {**found["accuracy"][model], **found["stability"].get(model, {})}
        cells = [known[m] if m in known else None for m in measured]
        texts = (NOTHING if c is None else plus_minus(c.mean, c.sd) for c in cells)
        lines[model] = [label(model), *texts]
    header = ["model", *measured]
    blocks = split(lines, result.get("question", {}))
    tables = [
        (f"{TITLES[asked]}:\n" if len(blocks) > 1 else "")
        + tabulate([lines[n] for n in names], header, tablefmt="github", disable_numparse=True)
        for asked, names in blocks.items()
    ]
    return "\n\n".join(tables)
