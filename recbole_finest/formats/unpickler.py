"""An unpickler whose instructions can neither exhaust memory or stack nor change what they are given.

Python's own, in Python: the C one allocates what a pickle's memo claims.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import IO, Any

TUPLE_DEPTH = 64
TUPLE_SIZE = 1_000_000  # values, those of tuples within tuples counted again
_Unpickler: Any = pickle._Unpickler  # type: ignore


class BoundedUnpickler(_Unpickler):
    """Reads a pickle; what it may name is for a subclass to say.

    Tuples are bounded, because a dict's key is hashed with all that it holds; no attribute of a class or a
    function is set; bytearrays, which are allocated before they are read, are refused.

    Args:
        file: the pickle.

    Raises:
        pickle.UnpicklingError, …: it is damaged or refused.
    """

    stack: list[Any]

    def __init__(self, file: IO[bytes]):
        super().__init__(file, encoding="utf-8")
        self._tuples: dict[int, tuple[int, int]] = {}  # depth and size of a tuple, by its id

    def _look(self) -> None:
        """Look at the tuple that was made last; those in it have been looked at before."""
        made = self.stack[-1]
        inside = [self._tuples.get(id(part), (0, 0)) for part in made if isinstance(part, tuple)]
        depth = 1 + max((depth for depth, _ in inside), default=0)
        size = len(made) + sum(size for _, size in inside)
        if depth > TUPLE_DEPTH or size > TUPLE_SIZE:
            raise pickle.UnpicklingError("tuples within tuples without end")
        self._tuples[id(made)] = depth, size

    def load_tuple(self) -> None:
        super().load_tuple()
        self._look()

    def load_tuple1(self) -> None:
        super().load_tuple1()
        self._look()

    def load_tuple2(self) -> None:
        super().load_tuple2()
        self._look()

    def load_tuple3(self) -> None:
        super().load_tuple3()
        self._look()

    def load_build(self) -> None:
        """Give an object its state: one of ours, or the versions that a module keeps of its weights."""
        state, inst = self.stack.pop(), self.stack[-1]
        if isinstance(inst, OrderedDict):
            versions = state.get("_metadata") if isinstance(state, dict) else None
            if isinstance(versions, dict):
                inst._metadata = {  # type: ignore[attr-defined]
                    name: part for name, part in versions.items() if isinstance(part, dict)
                }
        elif isinstance(inst, type) or not hasattr(type(inst), "__setstate__"):
            raise pickle.UnpicklingError("it sets attributes of what has none to be set")
        else:
            inst.__setstate__(state)

    def load_bytearray8(self) -> None:
        raise pickle.UnpicklingError("it holds a bytearray, which no checkpoint needs")

    dispatch: dict[int, Any] = {
        **_Unpickler.dispatch,
        pickle.TUPLE[0]: load_tuple,
        pickle.TUPLE1[0]: load_tuple1,
        pickle.TUPLE2[0]: load_tuple2,
        pickle.TUPLE3[0]: load_tuple3,
        pickle.BUILD[0]: load_build,
        pickle.BYTEARRAY8[0]: load_bytearray8,
    }
