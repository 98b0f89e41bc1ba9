"""Rank-list stability for RecBole's sequential recommenders."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

_EXPORTS = {
    "Config": "recbole_finest.config.config",
    "FinestTrainer": "recbole_finest.train.finest",
    "Recommender": "recbole_finest.serve.recommender",
    "ReferenceLists": "recbole_finest.reference.lists",
    "UserError": "recbole_finest.errors",
    "build_model": "recbole_finest.model.build",
    "compare": "recbole_finest.evaluator.lists.compare",
    "create_dataset": "recbole_finest.data.dataset",
    "finetune": "recbole_finest.bridge.stage",
    "stability": "recbole_finest.bridge.agreement",
    "base_trainer": "recbole_finest.train.base",
    "prepare_data": "recbole_finest.train.mode",
    "reference_lists": "recbole_finest.reference.build",
    "run_finest": "recbole_finest.quick_start",
    "update_model": "recbole_finest.update.night",
}
__all__ = sorted(_EXPORTS)


# RecBole knows our metrics once both are imported, whichever comes first; importing this loads neither.
importlib.import_module("recbole_finest.evaluator.when_loaded").register_when_loaded()


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that ``--help`` is quick."""
    if name in _EXPORTS:
        try:
            return getattr(importlib.import_module(_EXPORTS[name]), name)
        except ModuleNotFoundError as error:
            errors = importlib.import_module("recbole_finest.errors")
            raise ModuleNotFoundError(errors.how_to_install(error), name=error.name) from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
