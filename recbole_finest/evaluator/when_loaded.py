"""Our metrics in RecBole's registry as soon as RecBole is loaded, without loading it.

``import recbole_finest`` takes milliseconds, and RecBole seconds. So the import itself only leaves a finder
on ``sys.meta_path``, which is how Python lets anybody see to an import; it waits for RecBole's evaluator,
goes away, and registers once that has been loaded as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

AWAITED = "recbole.evaluator"


def register_when_loaded() -> None:
    """Register our metrics now, or when RecBole's evaluator is imported."""
    if AWAITED in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _Finder())


def _register() -> None:
    from recbole_finest.compat import name_numpy_types
    from recbole_finest.evaluator.registry import register_metrics

    name_numpy_types()
    register_metrics()


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != AWAITED:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """A module's own loader, and then the registration."""

    def __init__(self, own: Loader):
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self.own
        self.own.exec_module(module)
        _register()
