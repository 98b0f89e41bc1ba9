"""What the value of each setting must be: one table, in which every setting has a rule."""

from __future__ import annotations

from collections.abc import Mapping

from recbole_finest.config.values.models import COMMON, EVERY, OF_MODEL
from recbole_finest.config.values.ours import OURS
from recbole_finest.config.values.recbole import RECBOLE
from recbole_finest.config.values.rule import Rule, is_number

GENERAL: dict[str, Rule] = {**OURS, **RECBOLE, **EVERY}

__all__ = ["GENERAL", "Rule", "is_number", "rules_of"]


def rules_of(model: str | None) -> Mapping[str, Rule]:
    """The rule of each setting of a model of RecBole's or ours, by its name.

    Args:
        model: its name; None is a model of the user's own, whose settings are its author's.
    """
    return GENERAL if model is None else {**GENERAL, **COMMON, **OF_MODEL.get(model, {})}
