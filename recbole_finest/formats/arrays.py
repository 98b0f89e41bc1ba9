"""NumPy's ``.npz`` and ``.npy``: headers and sizes are looked at before anything is allocated.

A header is matched as the text that NumPy writes and never evaluated. Arrays are of numbers, flags or
text; objects, which are pickled, and records are refused.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from math import prod
from typing import IO, Literal

import numpy as np

from recbole_finest.files import PathLike
from recbole_finest.formats.plain import check_name, check_unpacked, open_plain, size_of

MEMBERS = 4096
HEADER = 1024  # bytes
_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    rb"\{'descr': '([<|=](?:b1|[iu][1248]|f[248]|U[1-9]\d{0,8}))', 'fortran_order': (?:True|False), "
    rb"'shape': \(((?:\d{1,15}, ?){0,2}(?:\d{1,15},?)?)\), *\} *\n"
)


def read_arrays(path: PathLike, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read arrays of an ``.npz`` file.

    Args:
        names: those wanted, where they are there; None is all.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no archive of arrays, is damaged, or would unpack to too much.
    """
    with open_plain(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, size_of(file))
                wanted = members if names is None else [name for name in names if name in members]
                return {name: _read(archive, members[name]) for name in wanted}
        except Exception as error:  # a damaged archive may raise anything
            raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def open_array(path: PathLike, mode: Literal["r", "c"] | None = None) -> np.ndarray:
    """Read an ``.npy`` file, or map it, after a look at its header.

    Args:
        mode: as ``mmap_mode`` of :func:`numpy.load`.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is none of numbers, flags or text, or has another size than its header says.
    """
    with open_plain(path) as file:
        _check_header(file, size_of(file))
    return np.load(path, mode, allow_pickle=False)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The archive's arrays by name, their sizes summed and compared."""
    parts = archive.infolist()
    if len(parts) > MEMBERS:
        raise ValueError(f"it has more than {MEMBERS} parts")
    for part in parts:
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"'{part.filename}' is packed in a way that NumPy does not use")
    check_unpacked(sum(part.file_size for part in parts), size)
    found = {part.filename.removesuffix(".npy"): part for part in parts}
    if len(found) < len(parts):
        raise ValueError("it holds two parts of one name")
    return found


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(part) as file:
        _check_header(file, part.file_size)
    with archive.open(part) as file:
        found = np.lib.format.read_array(file, allow_pickle=False)
    if found.dtype.kind == "U":
        _check_letters(found)
    return found


def _check_header(file: IO[bytes], size: int) -> None:
    """Read the header; the array behind it must fill the file to its end."""
    start = file.read(12)
    width = {1: 2, 2: 4, 3: 4}.get(start[6] if len(start) == 12 else 0)
    if not start.startswith(_MAGIC) or width is None:
        raise ValueError("a part of it is no array of NumPy's")
    length = int.from_bytes(start[8 : 8 + width], "little")
    if length > HEADER:
        raise ValueError(f"the header of an array has more than {HEADER} bytes")
    text = start[8 + width :] + file.read(max(length - (4 - width), 0))
    match = _HEADER.fullmatch(text)
    if match is None:
        raise ValueError("an array in it is not one of numbers, flags or text")
    dtype = np.dtype(match[1].decode())
    if dtype.kind == "U":
        check_name(dtype.itemsize // 4)
    shape = [int(n) for n in re.findall(rb"\d+", match[2])]
    behind = size - 8 - width - length
    if prod(shape) * dtype.itemsize != behind or any(n > size for n in shape):
        raise ValueError(
            f"an array's header says {'×'.join(map(str, shape)) or '1'} of {dtype}, but {behind:,} "
            "bytes follow"
        )


def _check_letters(text: np.ndarray) -> None:
    """Refuse numbers that are no letters: they could be neither compared nor written."""
    letters = np.ascontiguousarray(text).reshape(-1).view(np.uint32)
    for low in range(0, len(letters), 1 << 20):
        part = letters[low : low + (1 << 20)]
        if ((part > 0x10FFFF) | ((part >= 0xD800) & (part < 0xE000))).any():
            raise ValueError("a text in it holds what is no letter")
