"""What ``torch.save`` wrote, read without running anything of it and within the file's own size.

``torch.load`` hands archives with a ``constants.pkl`` to TorchScript, whose operators read and write
files, and typed storages allocate what a pickle asks for. So the containers are read here: the zip
archive of PyTorch since 1.6 and the stream of pickles before it.
"""

from __future__ import annotations

import math
import os
import struct
import sys
import zipfile
from abc import abstractmethod
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from recbole_finest.errors import UserError
from recbole_finest.formats.pickled import DataUnpickler, Settings, StorageRef, TensorRef

_ZIP = b"PK\x03\x04"
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the older stream


class Damaged(Exception):
    """The file is not what ``torch.save`` writes."""


def read_checkpoint(
    path: str | Path, device: str | torch.device = "cpu", own: str | None = None
) -> Any:
    """The plain values and tensors of a ``.pth`` file.

    Args:
        path: a file of ``torch.save``, in either of its containers.
        device: where the tensors go.
        own: name of the model's class, where the user has named one that is neither RecBole's nor ours.

    Returns:
        What was saved, with tensors for parameters; objects that nothing reads are inert.

    Raises:
        UserError: it is no such file, is damaged, is a TorchScript archive, names something that a
            checkpoint does not need, or claims more memory than it has bytes.
    """
    try:
        with open(path, "rb") as file:
            archive = file.read(len(_ZIP)) == _ZIP
            file.seek(0)
            source: _Container = _Archive(file, own) if archive else _Stream(file, own)
            return _Values(source, device, _size(file)).complete(source.content)
    except UserError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"'{path}' is not a PyTorch checkpoint ({text[:300]})") from error


class _Container:
    """A checkpoint's pickle and the storages beside it."""

    content: Any

    def __init__(self) -> None:
        self._storages: dict[str, Tensor] = {}

    @abstractmethod
    def read(self, ref: StorageRef) -> bytes:
        """The bytes of a storage, as many as ``ref`` says."""

    def tensor(self, ref: TensorRef) -> Tensor:
        """The tensor that ``ref`` describes; views of one storage share it."""
        storage = ref.storage
        if storage.key not in self._storages:
            content = bytearray(self.read(storage))
            if len(content) != storage.size * storage.dtype.itemsize:
                raise Damaged(f"storage {storage.key} has another size than its description")
            empty = torch.empty(0, dtype=storage.dtype)
            flat = torch.frombuffer(content, dtype=storage.dtype) if content else empty
            self._storages[storage.key] = flat
        count = math.prod(ref.size)
        last = ref.offset + sum((n - 1) * step for n, step in zip(ref.size, ref.stride))
        if count > storage.size or (count and last >= storage.size):
            raise Damaged("a tensor is larger than its storage")
        return self._storages[storage.key].as_strided(ref.size, ref.stride, ref.offset)


class _Archive(_Container):
    """The zip archive of PyTorch since 1.6; its checksums are compared."""

    def __init__(self, file: IO[bytes], own: str | None):
        super().__init__()
        self._zip = zipfile.ZipFile(file)
        names = self._zip.namelist()
        if any("/code/" in name or name.endswith("constants.pkl") for name in names):
            raise Damaged(
                "it is a TorchScript archive, which holds code; save a state_dict instead"
            )
        if any(part.compress_type != zipfile.ZIP_STORED for part in self._zip.infolist()):
            raise Damaged("its parts are compressed, which torch.save never does")
        pickles = [name for name in names if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Damaged("it holds no single data.pkl")
        self._root = pickles[0].removesuffix("data.pkl")
        order = f"{self._root}byteorder"
        if order in names and self._zip.read(order).decode() != sys.byteorder:
            raise Damaged("it was written on a machine of the other byte order")
        with self._zip.open(pickles[0]) as content:
            self.content = DataUnpickler(content, own).load()

    def read(self, ref: StorageRef) -> bytes:
        return self._zip.read(f"{self._root}data/{ref.key}")


class _Stream(_Container):
    """The pickles, one after the other, and the storages behind them, that PyTorch wrote before 1.6."""

    def __init__(self, file: IO[bytes], own: str | None):
        super().__init__()
        if (
            DataUnpickler(file, own).load() != _MAGIC
            or DataUnpickler(file, own).load() != _PROTOCOL
        ):
            raise Damaged("it does not begin as torch.save begins a file")
        about = DataUnpickler(file, own).load()
        if about["little_endian"] != (sys.byteorder == "little"):
            raise Damaged("it was written on a machine of the other byte order")
        unpickler = DataUnpickler(file, own)
        self.content = unpickler.load()
        self._found: dict[str, bytes] = {}
        for key in DataUnpickler(file, own).load():
            ref = unpickler.storages[key]
            (count,) = struct.unpack("<q", file.read(8))
            left = _size(file) - file.tell()
            if count != ref.size or not 0 <= count * ref.dtype.itemsize <= left:
                raise Damaged(f"storage {key} has another size than its description")
            self._found[ref.key] = file.read(count * ref.dtype.itemsize)

    def read(self, ref: StorageRef) -> bytes:
        return self._found[ref.key]


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


class _Values:
    """Puts tensors in the place of their descriptions.

    Args:
        source: where the tensors come from.
        device: where they go.
        limit: how many values there may be; a file holds no more than it has bytes, unless it names
            the same list again and again to make a reader walk for ever.
    """

    def __init__(self, source: _Container, device: str | torch.device, limit: int):
        self._source = source
        self._device = device
        self._left = limit

    def complete(self, value: object) -> Any:
        """The same value with tensors; dicts and lists are changed in place."""
        self._left -= 1
        if self._left < 0:
            raise Damaged("it claims more values than it has bytes")
        if isinstance(value, TensorRef):
            return self._source.tensor(value).to(self._device)
        if isinstance(value, tuple):
            return tuple(map(self.complete, value))
        if isinstance(value, dict):
            value.update({key: self.complete(part) for key, part in value.items()})
        elif isinstance(value, list):
            value[:] = map(self.complete, value)
        elif isinstance(value, Settings):
            self.complete(value.final_config_dict)
        return value
