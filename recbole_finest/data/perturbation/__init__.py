"""Perturbations: changes of a log's training interactions, by kind, selection and item choice."""

from recbole_finest.data.perturbation.changes import Changes, apply_changes
from recbole_finest.data.perturbation.draw import perturb
from recbole_finest.data.perturbation.files import load_changes, save_changes
from recbole_finest.data.perturbation.item_choices import ITEM_CHOICES
from recbole_finest.data.perturbation.kinds import KINDS
from recbole_finest.data.perturbation.selections import SELECTIONS

__all__ = [
    "perturb",
    "Changes",
    "KINDS",
    "SELECTIONS",
    "ITEM_CHOICES",
    "save_changes",
    "load_changes",
    "apply_changes",
]
