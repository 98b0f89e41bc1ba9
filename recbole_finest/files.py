"""Files are written whole or not at all: under another name first, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

PathLike = str | os.PathLike[str]


@contextmanager
def written_whole(path: PathLike, mode: str = "wb", **options: Any) -> Iterator[IO[Any]]:
    """A file to write that takes its place when the block has ended well; until then nothing changes.

    The unfinished file has a name that nobody can foresee and is opened exclusively, so that what
    stands at ``path``, or a link there, is replaced and never followed; it is removed after an error.

    Args:
        path: where the file is to be.
        mode, options: as for :func:`open`.
    """
    path = Path(path)
    part = path.with_name(f".{path.name[:100]}.{os.urandom(8).hex()}.part")
    try:
        with open(part, mode.replace("w", "x"), **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: PathLike, text: str) -> None:
    """Write a text file in UTF-8."""
    with written_whole(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_json(path: PathLike, value: Any) -> None:
    """Write JSON; floats are unrounded."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_arrays(path: PathLike, arrays: Mapping[str, np.ndarray], compress: bool = True) -> None:
    """Write an ``.npz`` that loads without pickle."""
    save = np.savez_compressed if compress else np.savez
    with written_whole(path) as file:
        save(file, **arrays)  # type: ignore[arg-type]
