"""Test perturbations as settings: which are one and the same, and which change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recbole_finest.benchmark.cells.cell import digest
from recbole_finest.data.perturbation import ITEM_CHOICES, KINDS, SELECTIONS

# Keys of a perturbation that say how much is changed: one of them counts, whichever it is.
AMOUNTS = ("ratio", "count", "per_user", "users")


def identity(settings: Mapping[str, Any]) -> str:
    """A digest of what the changes depend on, beside the log.

    The seed is part of it only where something is drawn at random: the deletion of the interactions
    with the highest cascading scores is the same with every seed.

    Args:
        settings: all settings ``perturbation_…``; ``perturbation_file`` may be the hash of the file.
    """
    given = {name.removeprefix("perturbation_"): value for name, value in settings.items()}
    if given["file"]:
        return digest({"file": given["file"]})
    found = {"kind": given["kind"], "selection": given["selection"], **_amount(given)}
    random = SELECTIONS[given["selection"]].random and not ({"position", "users"} & set(found))
    if KINDS[given["kind"]].needs_item:
        found["item"] = given["item"]
        random = random or ITEM_CHOICES[given["item"]].random
    return digest({**found, "seed": given["seed"] if random else None})


def _amount(given: Mapping[str, Any]) -> dict[str, Any]:
    """How much is changed; of several amounts the one that counts."""
    if given["users"]:
        return {"users": given["users"]}
    if given["per_user"]:
        return {"per_user": given["per_user"], "position": given["position"]}
    name = "count" if given["count"] else "ratio"
    return {name: given[name]}


def unclear(settings: Mapping[str, Any]) -> str | None:
    """Why these settings ``perturbation_…`` do not say how much is changed, or None."""
    if settings["perturbation_file"]:
        return None
    names = [f"perturbation_{name}" for name in AMOUNTS if name != "ratio"]
    given = [name for name in names if settings[name]]
    if len(given) > 1:
        return f"{' and '.join(given)} are both given; choose one"
    if not given and settings["perturbation_ratio"] == 0:
        return "perturbation_ratio is 0, so there is nothing to measure; give a ratio or a count"
    return None
