"""What a run found, as ``result.json`` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_finest.data.perturbation import KINDS, Changes
from recbole_finest.evaluator.collapse import counts
from recbole_finest.evaluator.compare_models import compare_models
from recbole_finest.evaluator.evaluation import (
    list_profile,
    per_instance,
    stability,
    users_measured,
)
from recbole_finest.evaluator.plasticity import plasticity
from recbole_finest.evaluator.statistics.removed import removed_intervals
from recbole_finest.experiment.protocol import question
from recbole_finest.names import (
    BASE,
    CONTROL,
    PASSES,
    RECBOLE_ORDER,
    SEED_CONTROL,
    compared,
    perturbed,
)
from recbole_finest.parallel import distributed
from recbole_finest.scoring.scorer import Scorer

if TYPE_CHECKING:
    from recbole_finest.experiment.run import Run


def result_of(run: Run) -> dict[str, Any]:
    """The contents of ``result.json`` of a run whose models are all evaluated."""
    config, found = run.config, run.evaluations
    collapsed = {name: one.collapsed for name, one in found.items() if one.collapsed}
    return {
        "model": config["model"],
        "dataset": config["dataset"],
        "seed": config["seed"],
        "device": str(config["device"]),
        **({"processes": distributed.world_size()} if distributed.world_size() > 1 else {}),
        "threads": sorted(run.output.threads),
        "shuffle_order": config["shuffle_order"],
        "training_mode": "packed" if run.data.packed else "instance",
        "why_not_packed": run.why_not_packed,
        "forward_passes": _forward_passes(run),
        "reference_k": run.k,
        "versions": run.output.versions(),
        "perturbation": None if run.changes is None else perturbation_summary(run.changes),
        "accuracy": {name: one.accuracy for name, one in found.items()},
        "stability": _stability(run),
        "question": {
            BASE: "alone",
            **{name: question(m, config) for name, m in run.methods.items()},
        },
        "removed": _removed(run, collapsed),
        "stability_filtered": _stability_filtered(run),
        "similarity_to_base": {
            name: stability(config, found[BASE], found[name]) for name in run.methods
        },
        "plasticity": _plasticity(run),
        **({"collapsed": collapsed} if collapsed else {}),
        "lists": {name: list_profile(config, one, run.data.log) for name, one in found.items()},
        "epochs": run.epochs,
        "seconds": run.seconds,
        "cost": run.cost,
    }


def _forward_passes(run: Run) -> dict[str, int]:
    """Of every method with reference lists: what a step of its fine-tuning takes, 1 or 2."""
    last = {name: rows[-1] for name in run.methods if (rows := run.curves.get(name))}
    return {name: int(row[PASSES]) for name, row in last.items() if PASSES in row}


def _stability(run: Run) -> dict[str, dict[str, float]]:
    """Base's and every method's two sides, and base against its controls, where both were made."""
    found, measured = run.evaluations, {}
    for name in (BASE, *run.methods, RECBOLE_ORDER, CONTROL, SEED_CONTROL):
        one, other = compared(name)
        if one in found and other in found:
            measured[name] = stability(run.config, found[one], found[other])
            if run.config["catalogue_overlap"]:
                measured[name] |= _catalogue_overlap(run, one, other)
    return measured


def _stability_filtered(run: Run) -> dict[str, dict[str, float]]:
    """The same of the lists without seen items, of base and the methods."""
    found = run.evaluations
    return {
        name: stability(run.config, found[name].without_seen(), found[other].without_seen())
        for name in (BASE, *run.methods)
        if (other := perturbed(name)) in found and found[other].unseen is not None
    }


def _plasticity(run: Run) -> dict[str, dict[str, float | None]]:
    """What base and every method take up of the change, where both sides were made."""
    found, view = run.evaluations, run.data.measured.inter_feat
    if perturbed(BASE) not in found or run.changes is None:
        return {}
    targets = view.log.item[view.positions]
    item = int(run.changes.item_after[0]) if KINDS[run.changes.kind].one_item else None
    bases = found[BASE].items, found[perturbed(BASE)].items
    return {
        name: plasticity(
            bases, (found[name].items, found[other].items), targets, run.config["topk"], item
        )
        for name in (BASE, *run.methods)
        if (other := perturbed(name)) in found
    }


def _removed(
    run: Run, collapsed: Mapping[str, str]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """The share of base's instability that each method takes away: mean, and interval over users.

    All of it is null where lists have collapsed.
    """
    found, config = run.evaluations, run.config
    names = [name for name in (BASE, *run.methods) if perturbed(name) in found]
    if BASE not in names or len(names) < 2:
        return {}
    values = {name: per_instance(config, found[name], found[perturbed(name)]) for name in names}
    users = np.unique(users_measured(run.data), return_inverse=True)[1]
    shares: dict[str, dict[str, dict[str, float | None]]] = {name: {} for name in names[1:]}
    for key, base in values[BASE].items():
        others = {name: values[name][key] for name in names[1:]}
        rng = np.random.default_rng(config["seed"] or 0)  # as the report's
        for name, share in removed_intervals(key, base, others, users, rng).items():
            known = counts({"collapsed": collapsed}, name)
            shares[name][key] = {
                k: v if known and not np.isnan(v) else None for k, v in share.items()
            }
    return shares


def _catalogue_overlap(run: Run, one: str, other: str) -> dict[str, float]:
    """Mean average overlap of two models' orders of all items."""
    first, second = (Scorer(run.models[name], run.data.train) for name in (one, other))
    found = compare_models(first, second, run.data.measured_loader())
    return {key: float(values.mean()) for key, values in found.items()}


def perturbation_summary(changes: Changes) -> Mapping[str, Any]:
    """What a result says of its test perturbation; the rows are in ``perturbation.json``."""
    return {
        "kind": changes.kind,
        "selection": changes.selection,
        "item_choice": changes.item_choice,
        "ratio": changes.ratio,
        "count": len(changes.row),
        "seed": changes.seed,
        "n_interactions": changes.n_interactions,
        "fingerprint": changes.fingerprint,
    }
