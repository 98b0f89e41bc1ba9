"""What the models of a run are called, how they are trained, and the files that a run leaves behind."""

from __future__ import annotations

from collections.abc import Iterable

# Models ------------------------------------------------------------------------------------------

BASE = "base"
RECIPE_BASE = "base_recipe"  # trained by the settings of the setting recipe
FINEST = "finest"
MODEL, DEPLOYED, UPDATED = "model", "deployed", "updated"  # of an update
PERTURBED = "_perturbed"  # ends the name of a model of the perturbed log
CONTROL, SEED_CONTROL = "control", "seed_control"
RECBOLE_ORDER = "base_recbole_order"
CONTROLS = (CONTROL, SEED_CONTROL, RECBOLE_ORDER)  # measured beside base and the methods


def perturbed(name: str) -> str:
    """The name of the same model on the perturbed log."""
    return name + PERTURBED


def is_perturbed(name: str) -> bool:
    """Whether a name is that of a model of the perturbed log."""
    return name.endswith(PERTURBED)


def methods_of(names: Iterable[str]) -> list[str]:
    """Base and the methods among the models' names, in their order: no control, no other side."""
    return [name for name in names if name not in CONTROLS and not is_perturbed(name)]


def compared(name: str) -> tuple[str, str]:
    """Which two models a stability compares: a method's two sides, or base and a control."""
    against_base = (CONTROL, SEED_CONTROL)
    return (BASE, name) if name in against_base else (name, perturbed(name))


# Questions that a method answers ------------------------------------------------------------------

ALONE, ANCHORED = (
    "alone",
    "anchored",
)  # a recipe that sees its own log; one that knows the deployed model
UNKNOWN = "unknown"  # of a result of an earlier version, for a method that is not ours

# How they are trained ----------------------------------------------------------------------------

PASSES = "forward_passes"  # of a step of fine-tuning with reference lists: 1 or 2


def mode_words(why_not_packed: str | None) -> str:
    """The training mode in words.

    >>> mode_words(None), mode_words("training_mode is instance")
    ('packed (one pass scores all positions)', 'instance (training_mode is instance)')
    """
    packed = why_not_packed is None
    return "packed (one pass scores all positions)" if packed else f"instance ({why_not_packed})"


# Files -------------------------------------------------------------------------------------------

TRAINING, STATE = (
    ".training.pth",
    ".state.pth",
)  # end the names of what is kept while a model is trained
MARK = "config.yaml"  # a folder that holds one belongs to a run
RESULT, CURVES, SECONDS = "result.json", "curves.json", "seconds.json"
CHANGES = "perturbation.json"
INSTANCES = "instances.npz"
LISTS, UNSEEN = "ranklists", "ranklists_unseen"  # folders of rank lists
REFERENCE = "reference"  # begins the names of folders of reference lists
NEWS = "people_with_news.txt"  # of an update: user tokens, one a line
TENSORBOARD = "tensorboard"  # folder of the curves in TensorBoard's format, one folder a stage
REPLICATES = "replicates"  # folder of a run's further seeds and perturbations
