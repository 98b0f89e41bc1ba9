"""Fine-tuning methods by name; add one by writing a small class and a line in ``METHODS``."""

from __future__ import annotations

import importlib
from typing import Any

from recbole_finest.errors import UserError
from recbole_finest.method.ablations import (
    NoRegularizer,
    NoSimulation,
    OrderOnly,
    SeparationOnly,
)
from recbole_finest.method.base import Method, Step
from recbole_finest.method.distillation import Distillation, ListMLE
from recbole_finest.method.finest import Finest
from recbole_finest.method.plain import Plain

METHODS: dict[str, type[Method]] = {
    "plain": Plain,
    "finest": Finest,
    "finest_no_simulation": NoSimulation,
    "finest_no_regularizer": NoRegularizer,
    "finest_order_only": OrderOnly,
    "finest_separation_only": SeparationOnly,
    "distillation": Distillation,
    "listmle": ListMLE,
}


def make_method(name: str, config: Any) -> Method:
    """The method of this name: one of ``METHODS``, or ``package.module:Class`` of the user's own.

    Raises:
        UserError: no such method.
    """
    if name in METHODS:
        return METHODS[name](config)
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)(config)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"method '{name}' does not exist; use one of {', '.join(METHODS)} or package.module:Class"
        ) from error


__all__ = ["METHODS", "Finest", "Method", "Plain", "Step", "make_method"]
