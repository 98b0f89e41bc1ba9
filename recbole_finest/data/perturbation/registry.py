"""Tables of components found by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from recbole_finest.errors import UserError, nearest

T = TypeVar("T")


class Registry(dict[str, type[T]], Generic[T]):
    """Classes by name; an unknown name is an error that names the nearest one.

    >>> KINDS: Registry[object] = Registry("perturbation kind")
    >>> @KINDS.register("deletion")
    ... class Deletion: ...
    >>> type(KINDS.make("deletion")).__name__
    'Deletion'
    """

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def register(self, *names: str) -> Callable[[type[T]], type[T]]:
        """Decorator that enters a class under one name or several."""

        def enter(cls: type[T]) -> type[T]:
            for name in names:
                if name in self:
                    raise ValueError(f"two classes for the {self.what} {name!r}")
                self[name] = cls
            return cls

        return enter

    def make(self, name: str) -> T:
        """An instance of the class called ``name``.

        Raises:
            UserError: no class has this name.
        """
        if name not in self:
            raise UserError(
                f"unknown {self.what} {name!r}; {nearest(name, sorted(self), cutoff=0.5)}"
            )
        return self[name]()
