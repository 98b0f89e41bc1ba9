"""Which settings a model of the user's own may read, found in its source without running it."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from types import ModuleType

LIBRARIES = {"abc", "builtins", "recbole", "recbole_finest", "torch", "typing"}


def is_own(model_class: type) -> bool:
    """Whether a model is a class of the user's own: neither RecBole's nor ours."""
    return _package(model_class.__module__) not in ("recbole", "recbole_finest")


def own_settings(model_class: type) -> frozenset[str]:
    """Words in the source of a model of the user's own that could name a setting.

    They are the string constants that are identifiers, as in ``config["contrast"]``, of the modules that
    define the class and its bases, and of the modules of the same package or folder that these import
    from. For a model of RecBole's or ours, and for one without source, there are none.
    """
    found: set[str] = set()
    for module in _modules(model_class):
        try:
            tree = ast.parse(inspect.getsource(module))
        except (OSError, TypeError, SyntaxError):  # made in a notebook, or compiled
            continue
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        found |= {text for text in texts if isinstance(text, str) and text.isidentifier()}
    return frozenset(found)


def _modules(model_class: type) -> list[ModuleType]:
    """The modules of the user's that a model is written in."""
    names = {c.__module__ for c in model_class.__mro__} if is_own(model_class) else set()
    names = {name for name in names if _package(name) not in LIBRARIES}
    own = [sys.modules[name] for name in sorted(names) if name in sys.modules]
    for module in tuple(own):
        for value in tuple(vars(module).values()):
            other = sys.modules.get(_origin(value))
            if other is not None and other not in own and _together(module, other):
                own.append(other)
    return own


def _origin(value: object) -> str:
    """The name of the module that something was imported from, or is."""
    return str(getattr(value, "__name__" if inspect.ismodule(value) else "__module__", ""))


def _together(one: ModuleType, other: ModuleType) -> bool:
    """Whether two modules are of one package, or lie in one folder."""
    first, second = (getattr(module, "__file__", None) or "" for module in (one, other))
    beside = first != "" and os.path.dirname(first) == os.path.dirname(second)
    return beside or _package(one.__name__) == _package(other.__name__)


def _package(name: str) -> str:
    return name.partition(".")[0]
