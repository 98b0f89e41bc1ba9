"""The table that a run prints."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from tabulate import tabulate

from recbole_finest.evaluator.measures.direction import in_full_agreement, share_removed
from recbole_finest.experiment.protocol import CONTROL_FAILED
from recbole_finest.names import CONTROLS, is_perturbed
from recbole_finest.report.labels import label
from recbole_finest.report.run.replicates import crossing, printed

QUESTIONS = {
    "alone": "Retrained alone (a recipe that sees its own log only)",
    "anchored": "Knowing the deployed model (the perturbed side follows the clean base)",
}


def summary_rows(result: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of the table: one row a method, accuracy and stability side by side."""
    accuracy, stable = result["accuracy"], result["stability"]
    shown_accuracy = [m for m in accuracy["base"] if m.split("@")[0] in ("ndcg", "recall", "mrr")]
    k = shown_accuracy[0].split("@")[1] if shown_accuracy else None
    first: Mapping[str, float] = next(iter(stable.values()), {})
    shown_stability = [m for m in first if k is None or m.endswith(f"@{k}")] or list(first)
    shown_accuracy = [m for m in shown_accuracy if m.endswith(f"@{k}")]
    jaccard = (m for m in shown_stability if m.startswith("jaccard@"))
    removed = next(jaccard, next(iter(shown_stability), None))
    header = ["model", *shown_accuracy, *shown_stability]
    header += [f"instability removed ({removed})"] if removed else []
    names = [n for n in accuracy if not is_perturbed(n)]
    rows = []
    for name in names:
        row: list[Any] = [label(name)]
        row += [accuracy[name].get(m) for m in shown_accuracy]
        row += [stable.get(name, {}).get(m) for m in shown_stability]
        if removed:
            row.append(_removed(stable, name, removed))
        rows.append(row)
    return header, rows


def _removed(stable: Mapping[str, Any], name: str, metric: str) -> str | None:
    """Share of base's instability that a method takes away, in per cent."""
    if name in ("base", *CONTROLS) or name not in stable:
        return None
    share = share_removed(metric, stable["base"][metric], stable[name][metric])
    return None if isnan(share) else f"{100 * share:.0f} %"


def summary_table(result: Mapping[str, Any], style: str = "github") -> str:
    """The table that a run prints: a block for each question that its methods answer."""
    header, rows = summary_rows(result)
    answered = result.get("question", {})
    names = [n for n in result["accuracy"] if not is_perturbed(n)]
    blocks = []
    for question, title in QUESTIONS.items():
        own = [row for name, row in zip(names, rows) if answered.get(name, "alone") == question]
        if own:
            table = tabulate(own, header, tablefmt=style, floatfmt=".4f", missingval="–")
            blocks.append(f"{title}:\n{table}" if "anchored" in answered.values() else table)
    text = "\n\n".join(blocks)
    if not in_full_agreement(result["stability"].get("control", {})):
        text += f"\n\n{CONTROL_FAILED}"
    if "replicates" not in result:
        return text
    rows = result["replicates"]
    first = f"seed {rows[0]['seed']}, perturbation seed {rows[0]['perturbation_seed']}"
    all_of_them = f"mean ± standard deviation over {crossing(rows)}"
    return f"{first}:\n{text}\n\n{all_of_them}:\n{printed(result, header)}"
