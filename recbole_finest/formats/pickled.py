"""Pickles read as data: plain values, tensors, and inert stand-ins for everything else.

A pickle is a program that may call whatever it can name. Here nothing that it can name does anything:
tensors become descriptions that :mod:`recbole_finest.formats.checkpoint` turns into tensors after a
look at their sizes, a RecBole ``Config`` becomes a holder of its settings, and what nothing reads (a
model's class, a layer with the data set in it) becomes an :class:`Inert`. All other names are refused.
"""

from __future__ import annotations

import pickle
import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import torch
from typing_extensions import Self

from recbole_finest.errors import UserError
from recbole_finest.formats.unpickler import BoundedUnpickler

if TYPE_CHECKING:
    from recbole_finest.data.prepare import Data

AXES = 64
# torch's names of typed storages, which say the type of a tensor's elements
_STORAGES = {
    "BFloat16Storage": torch.bfloat16,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "CharStorage": torch.int8,
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "ShortStorage": torch.int16,
}
_INERT = re.compile(
    r"recbole\.model\.[a-z_]+_recommender\.[a-z0-9_]+\.\w+"
    r"|recbole\.model\.layers\.\w+"
    r"|recbole\.utils\.enum_type\.\w+"
    r"|recbole_finest\.model\.[a-z0-9_]+\.\w+"
    r"|recbole\.data\.(dataset\.[a-z_]+_dataset|interaction)\.\w+"
    r"|recbole\.sampler\.sampler\.\w+"
    r"|torch\.nn\.modules\.[a-z]+\.\w+"
    r"|torch\.serialization\._get_layout"
    r"|collections\.defaultdict"
    r"|numpy\.(_?core)\.multiarray\._reconstruct"
    r"|numpy\.ndarray"
    r"|logging\.getLogger"
    r"|yaml\.loader\.FullLoader"
)


class Inert:
    """Stands for an object that nothing here reads; none of its code is run."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def _ignore(self, *args: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = _ignore


class Settings(Inert):
    """A pickled RecBole ``Config``: what it held, and none of what it does.

    Attributes:
        final_config_dict: the settings by name.
    """

    final_config_dict: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        made = super().__new__(cls)
        made.final_config_dict = {}
        return made

    def __setstate__(self, state: object) -> None:
        found = state.get("final_config_dict") if isinstance(state, dict) else None
        self.final_config_dict = found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class ElementType:
    """The type of a storage's elements."""

    dtype: torch.dtype


@dataclass(frozen=True)
class StorageRef:
    """A storage that the file holds outside of its pickle.

    Attributes:
        key: its name there.
        dtype: type of its elements.
        size: number of them.
    """

    key: str
    dtype: torch.dtype
    size: int


@dataclass(frozen=True)
class TensorRef:
    """A tensor as a view of a storage; sizes are not checked yet."""

    storage: StorageRef
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(
    storage: object, offset: int, size: Sequence[int], stride: Sequence[int], *rest: Any
) -> TensorRef:
    """The description, once the pickle has given what it should."""
    whole = all(isinstance(n, int) and 0 <= n < 1 << 62 for n in (offset, *size, *stride))
    if not isinstance(storage, StorageRef) or not whole or not len(size) == len(stride) <= AXES:
        raise pickle.UnpicklingError("a tensor's description is wrong")
    return TensorRef(storage, offset, tuple(size), tuple(stride))


def _parameter(data: Data, *rest: Any) -> Any:
    return data


def _device(*args: Any) -> str:
    return ":".join(str(part) for part in args if isinstance(part, (str, int)))


class _NumberType:
    """A NumPy number's type, by the code that ``numpy.dtype`` is pickled with."""

    _FORMATS = {"f2": "e", "f4": "f", "f8": "d", "i4": "i", "i8": "q", "u1": "B", "b1": "?"}

    def __init__(self, code: str, *args: Any):
        self.format = self._FORMATS.get(code, "")

    def __setstate__(self, state: Sequence[object]) -> None:
        self.order = ">" if state[1] == ">" else "<"


def _number(kind: object, content: object) -> float | int | bool | None:
    if not isinstance(kind, _NumberType) or not kind.format or not isinstance(content, bytes):
        return None
    return struct.unpack(kind.order + kind.format, content)[0]


def _bytes(text: str, encoding: str) -> bytes:
    return text.encode("latin1")  # how protocol 2 writes bytes


_KNOWN: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _bytes,
    "collections.OrderedDict": OrderedDict,
    "numpy.core.multiarray.scalar": _number,
    "numpy._core.multiarray.scalar": _number,
    "numpy.dtype": _NumberType,
    "recbole.config.configurator.Config": Settings,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.device": _device,
}


class DataUnpickler(BoundedUnpickler):
    """Reads a pickle whose tensors stand outside of it, as ``torch.save`` writes them.

    Args:
        file: the pickle.
        own: name of the model's class where the user has named one; it is no more called than others.

    Attributes:
        storages: those that it names, by key.

    Raises:
        UserError: it names something that a checkpoint does not need.
        pickle.UnpicklingError, …: it is damaged.
    """

    def __init__(self, file: IO[bytes], own: str | None = None):
        super().__init__(file)
        self._own = own
        self.storages: dict[str, StorageRef] = {}

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in _KNOWN:
            return _KNOWN[full]
        if module == "torch" and name in _STORAGES:
            return ElementType(_STORAGES[name])
        if _INERT.fullmatch(full) or name == self._own:
            return Inert
        raise UserError(
            f"the checkpoint contains '{full}', which is not on the list of classes that a RecBole "
            "checkpoint needs, so it is not loaded; if it is the model's own class, name it with "
            "--model=package.module:Class, else save its state_dict alone where it was trained"
        )

    def persistent_load(self, pid: Sequence[Any]) -> StorageRef:
        kind, element, key, _, size = pid[:5]
        good = isinstance(element, ElementType) and isinstance(key, str) and isinstance(size, int)
        if kind != "storage" or not good:
            raise pickle.UnpicklingError("a storage's description is wrong")
        if len(pid) > 5 and pid[5] is not None:
            raise pickle.UnpicklingError("a view of a storage, which PyTorch before 0.4 wrote")
        return self.storages.setdefault(key, StorageRef(key, element.dtype, size))
