"""What an update found, as ``result.json`` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_finest.evaluator.collapse import sentence
from recbole_finest.evaluator.evaluation import Evaluation, list_profile
from recbole_finest.names import BASE, DEPLOYED, UPDATED
from recbole_finest.update.measure import Pair
from recbole_finest.update.request import RETRAIN, Request


def result_of(
    pair: Pair, found: Mapping[str, Evaluation], request: Request, cost: Mapping[str, Any]
) -> dict[str, Any]:
    """The parts of ``result.json`` that follow from both models.

    Args:
        pair: both models.
        found: their lists and accuracy.
        request: what was asked for.
        cost: what training took.
    """
    config, log, known = pair.config, pair.data.log, pair.known
    train, targets = log.train_positions, pair.data.test.inter_feat.positions
    honest = request.test == "last"
    collapsed = {name: one.collapsed for name, one in found.items() if one.collapsed}
    return {
        "model": config["model"],
        "dataset": config["dataset"],
        "seed": config["seed"],
        "device": str(config["device"]),
        "shuffle_order": config["shuffle_order"],
        "training_mode": "packed" if pair.data.packed else "instance",
        **({"collapsed": collapsed} if collapsed else {}),
        "lists": {name: list_profile(config, one, log) for name, one in found.items()},
        "update": {
            "method": request.method,
            "start": request.start,
            "test": request.test,
            "known": known.how,
            "cost": dict(cost),
            "new_users": len(known.new_users),
            "new_items": len(known.new_items),
            "new_interactions": int((~known.rows[train]).sum()),
            "gone_interactions": known.gone,
            "people": {name: int(chosen.sum()) for name, chosen in pair.groups().items()},
            "similarity_to_deployed": pair.similarity(found),
            "accuracy": {n: one.accuracy for n, one in found.items()} if honest else None,
            "targets_deployed_had": int(known.rows[targets].sum()),
        },
    }


def collapses(found: Mapping[str, Evaluation], method: str) -> list[str]:
    """A sentence for each of both models whose lists have collapsed.

    Args:
        found: their lists.
        method: that made tonight's.
    """
    said = []
    if (how := found[DEPLOYED].collapsed) is not None:
        said.append(
            f"the deployed model has collapsed: {how}. Similarity to it does not count; deploy another one."
        )
    if (how := found[UPDATED].collapsed) is not None:
        said.append(sentence("tonight's model", BASE if method == RETRAIN else method, how))
    return said


def cost_of(seconds: float, retraining: float, how: str) -> dict[str, Any]:
    """What training took beside a retraining.

    Args:
        seconds: of training tonight's model, reference lists included.
        retraining: seconds that training from scratch took, or would have taken.
        how: ``measured``, or what it was estimated from.
    """
    ratio = seconds / retraining if retraining else 0.0
    return {
        "seconds": seconds,
        "retraining_seconds": retraining,
        "ratio": ratio,
        "retraining": how,
    }
