"""Fine-tuning methods by name; add one by writing a small class and a line in ``METHODS``."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

from recbole_finest.errors import UserError, nearest
from recbole_finest.method.ablations import (
    NoRegularizer,
    NoSimulation,
    OrderOnly,
    SeparationOnly,
)
from recbole_finest.method.adversarial import Adversarial
from recbole_finest.method.base import Method, Step
from recbole_finest.method.distillation import Distillation, ListMLE
from recbole_finest.method.ensemble import Ensemble
from recbole_finest.method.finest import Finest
from recbole_finest.method.keep import Keep
from recbole_finest.method.none import Nothing
from recbole_finest.method.own import DistillationOwn, FinestEnsemble, FinestOwn, ListMLEOwn
from recbole_finest.method.plain import Plain
from recbole_finest.method.recipe import Recipe
from recbole_finest.method.warm_start import WarmStart

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

METHODS: dict[str, type[Method]] = {
    "none": Nothing,
    "recipe": Recipe,
    "plain": Plain,
    "keep": Keep,
    "warm_start": WarmStart,
    "finest": Finest,
    "finest_own": FinestOwn,
    "finest_ensemble": FinestEnsemble,
    "finest_no_simulation": NoSimulation,
    "finest_no_regularizer": NoRegularizer,
    "finest_order_only": OrderOnly,
    "finest_separation_only": SeparationOnly,
    "distillation": Distillation,
    "distillation_own": DistillationOwn,
    "listmle": ListMLE,
    "listmle_own": ListMLEOwn,
    "ensemble": Ensemble,
    "adversarial": Adversarial,
}


def find_method(name: str) -> type[Method]:
    """The class of a method: one of ``METHODS``, or ``package.module:Class`` of the user's own.

    Raises:
        UserError: no such method, or it is not a :class:`Method`.
    """
    if name in METHODS:
        return METHODS[name]
    if ":" not in name:
        hint = nearest(name, list(METHODS))
        raise UserError(f"method '{name}' does not exist; {hint} (or package.module:Class)")
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # the user's own module beside the command
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"method '{name}' cannot be imported: {error}; give package.module:Class of a module that "
            "Python finds"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UserError(f"method '{name}' must be a subclass of recbole_finest.method.Method")
    return found


def make_method(name: str, config: Config) -> Method:
    """The method of this name, with the run's settings.

    Raises:
        UserError: as :func:`find_method`; or it averages bases and fine-tunes too.
    """
    method = find_method(name)(config)
    if any(method.fine_tunes) and len(method.seeds(0)) > 1:
        raise UserError(
            f"method '{name}' has several seeds, whose average cannot be fine-tuned; set its "
            "fine_tunes to (False, False)"
        )
    return method


__all__ = ["METHODS", "Finest", "Method", "Plain", "Step", "find_method", "make_method"]
