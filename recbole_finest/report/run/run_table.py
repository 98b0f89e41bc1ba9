"""The table of what was run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recbole_finest.names import mode_words
from recbole_finest.report.labels import label
from recbole_finest.report.run.contents import Report
from recbole_finest.report.table import Table

# Settings of the run that a reader of the figures asks about first.
SETTINGS = (
    "finest_learning_rate",
    "rank_weight",
    "rank_margin",
    "simulation_ratio",
    "simulation_kinds",
    "reference_model",
    "learning_rate",
    "MAX_ITEM_LIST_LENGTH",
    "rbo_p",
)


def run_table(report: Report) -> Table:
    """Settings, perturbation, seeds, order of training, sizes, times and versions."""
    result, settings = report.result, report.settings
    rows = {
        "model": result["model"],
        "data set": result["dataset"],
        "test": f"{report.n_instances} instances of {report.n_users} users",
        "test perturbation": perturbation_words(result["perturbation"]),
        "seed": result.get("seed"),
        "shuffle order": result.get("shuffle_order"),
        "training mode": _mode(result),
        "forward passes of fine-tuning": _listed(result.get("forward_passes", {}), "{}"),
        "reference K": result.get("reference_k"),
        **{name: settings[name] for name in SETTINGS if name in settings},
        "epochs": _listed(result.get("epochs", {}), "{}"),
        "seconds": _listed(result.get("seconds", {}), "{:.0f}"),
        "training, times base's": _ratios(result, "training_ratio"),
        "inference, times base's": _ratios(result, "inference_ratio"),
        "device": result.get("device"),
        "versions": ", ".join(f"{k} {v}" for k, v in result.get("versions", {}).items()),
    }
    frame = pd.DataFrame({"what": list(rows), "value": [_text(v) for v in rows.values()]})
    note = "All settings are in config.yaml, the changed interactions in perturbation.json."
    return Table("run", "What was run", note, frame, frame)


def perturbation_words(perturbation: Mapping[str, Any] | None) -> str:
    """What the test perturbation changed, in words."""
    if perturbation is None:
        return "none"
    p = perturbation
    item = "" if p.get("item_choice") is None else f", item {p['item_choice']}"
    return (
        f"{p['count']} of {p['n_interactions']} training interactions changed "
        f"({p['kind']}, selection {p['selection']}{item}, seed {p['seed']})"
    )


def _mode(result: Mapping[str, Any]) -> str | None:
    """How the model is trained, and why so; a run of earlier versions does not say why."""
    known = "why_not_packed" in result
    return mode_words(result["why_not_packed"]) if known else result.get("training_mode")


def _listed(values: Mapping[str, Any], style: str) -> str:
    return ", ".join(f"{label(name)} {style.format(value)}" for name, value in values.items())


def _ratios(result: Mapping[str, Any], name: str) -> str:
    """What each method costs beside base; unknown ratios are left out."""
    found = {method: cost[name] for method, cost in result.get("cost", {}).items()}
    return _listed({k: v for k, v in found.items() if v is not None}, "{:.2f}")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
