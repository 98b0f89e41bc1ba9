"""Finding a model's class by its name."""

from __future__ import annotations

import importlib
import inspect
import os
import sys

from recbole.utils import ModelType

from recbole_finest.compat import anomaly_detection_kept
from recbole_finest.errors import UserError, nearest
from recbole_finest.model import MODELS


def model_names() -> list[str]:
    """Names of all sequential models: RecBole's and ours."""
    with anomaly_detection_kept():
        zoo = importlib.import_module("recbole.model.sequential_recommender")
    classes = [n for n, c in vars(zoo).items() if inspect.isclass(c)]
    return sorted(set(classes) | set(MODELS))


def find_model(model: str | type) -> type:
    """The model's class, from a name, ``package.module:Class``, or the class itself.

    Raises:
        UserError: no such model, or not a sequential one.
    """
    found = model if isinstance(model, type) else _find_by_name(str(model))
    if getattr(found, "type", None) != ModelType.SEQUENTIAL:
        raise UserError(
            f"model '{found.__name__}' is not a sequential recommender; recbole_finest works on "
            "subclasses of RecBole's SequentialRecommender"
        )
    return found


def _find_by_name(name: str) -> type:
    path = MODELS.get(name, name)
    if ":" in path:
        module, _, attribute = path.partition(":")
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())  # the user's own module beside the command
        try:
            with anomaly_detection_kept():
                return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UserError(f"model '{name}' cannot be imported: {error}") from error
    from recbole.utils import get_model

    try:
        with anomaly_detection_kept():
            return get_model(name)
    except (ValueError, AttributeError, ModuleNotFoundError) as error:
        known = {known.lower(): known for known in model_names()}
        hint = nearest(name, known, "see the README's table of models", cutoff=0.5)
        raise UserError(f"unknown model '{name}'; {hint}") from error
