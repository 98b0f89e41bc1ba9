"""Files are written whole or not at all: under another name first, then renamed.

What cannot be written is an :class:`recbole_finest.errors.Unwritten`, whoever noticed it: this module,
PyTorch, NumPy or a log.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np

from recbole_finest.errors import PathLike, writes


class _Raw(io.FileIO):
    """Keeps why it could not write: PyTorch and zipfile say only that they could not."""

    why: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.why = error
            raise


@contextmanager
def written_whole(path: PathLike, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """A file to write that takes its place when the block has ended well; until then nothing changes.

    The unfinished file has a name that nobody can foresee and is opened exclusively, so that what
    stands at ``path``, or a link there, is replaced and never followed; it is removed after an error.

    Args:
        path: where the file is to be.
        mode: ``wb``, or ``w`` with ``options`` as for :func:`open`.

    Raises:
        Unwritten: the disk is full, the folder is gone, …
    """
    part = part_of(path)
    with writes(path):
        raw = _opened(path, part)
    try:
        try:
            buffer = io.BufferedWriter(raw)
            with buffer if "b" in mode else io.TextIOWrapper(buffer, **options) as file:
                yield file
                with writes(path):
                    file.flush()
                    os.fsync(raw.fileno())
        except Exception:
            if raw.why is None:
                raise
            with writes(path):
                raise raw.why from None
        with writes(path):
            os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink()


def _opened(path: PathLike, part: Path) -> _Raw:
    """The unfinished file, where it could be called ``path`` once it is whole."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            raise OSError(errno.EISDIR, "")
    return _Raw(part, "x")


def check_place(path: PathLike) -> None:
    """Refuse a file that could not be written, before it is computed.

    Raises:
        Unwritten: its name is too long, its folder is missing, read-only, full, …
    """
    part = part_of(path)
    with writes(path):
        _opened(path, part).close()
        part.unlink()


def write_text(path: PathLike, text: str) -> None:
    """Write a text file in UTF-8."""
    with written_whole(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_json(path: PathLike, value: object) -> None:
    """Write JSON; floats are unrounded."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_arrays(path: PathLike, arrays: Mapping[str, np.ndarray], compress: bool = True) -> None:
    """Write an ``.npz`` that loads without pickle; the bytes are those of ``np.savez``.

    NumPy leaves its archive open after an error, which then complains once more when it goes.
    """
    kind = ZIP_DEFLATED if compress else ZIP_STORED
    with written_whole(path) as file, ZipFile(file, "w", kind) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def array_rows(
    file: IO[bytes], dtype: Any, shape: tuple[int, ...]
) -> Callable[[np.ndarray], object]:
    """Begin an ``.npy`` file of this shape; returns what adds rows to it.

    It is written and never mapped: a page of a map that the disk has no room for ends the process.
    """
    about = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False}
    np.lib.format.write_array_header_1_0(file, {**about, "shape": shape})
    return lambda rows: file.write(np.ascontiguousarray(rows, dtype).data)


class LogFile(logging.FileHandler):
    """A log that is added to; what cannot be written ends the command, as with any other file."""

    def __init__(self, path: PathLike):
        super().__init__(path, encoding="utf-8")

    def _open(self) -> Any:
        flags = getattr(os, "O_NOFOLLOW", 0)
        with writes(self.baseFilename):
            return open(
                self.baseFilename,
                self.mode,
                encoding=self.encoding,
                opener=lambda path, wanted: os.open(path, wanted | flags, 0o666),
            )

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            return super().handleError(record)
        with writes(self.baseFilename):
            raise error

    def close(self) -> None:
        with suppress(OSError):  # what is still unwritten; the file is closed all the same
            super().close()


def part_of(path: PathLike) -> Path:
    """A name beside ``path``, which nobody can foresee, for what is not whole yet."""
    path = Path(path)
    return path.with_name(f".{path.name[:100]}.{os.urandom(8).hex()}.part")
