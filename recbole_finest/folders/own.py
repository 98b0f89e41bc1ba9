"""Folders in a folder that is written into: no link leads out of it, and each is whole or not there."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from recbole_finest.errors import PathLike, Unwritten, kept, writes
from recbole_finest.files import part_of

UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}\.part")  # names of what is not whole yet


def own_folder(folder: PathLike, *names: str, make: bool = True) -> Path:
    """The folder ``folder/name/…``, made where it is missing; ``folder`` is there, and may be a link.

    Args:
        folder, names: the way there.
        make: False only looks whether it can be made.

    Raises:
        Unwritten: a link or a file stands in the place of one of ``names``, or none can be made.
    """
    path = Path(folder)
    with writes(path):
        os.stat(path)
    for name in names:
        path = path / name
        with writes(path):
            if path.is_symlink():
                raise OSError(errno.ELOOP, "")
            if make:
                path.mkdir(exist_ok=True)
            elif path.exists() and not path.is_dir():
                raise OSError(errno.EEXIST, "")
    return path


def temporary() -> TemporaryDirectory[str]:
    """A folder for as long as a ``with`` block takes, where the environment's TMPDIR says.

    Raises:
        Unwritten: no file can be written there.
    """
    place = os.environ.get("TMPDIR", "/tmp")
    with kept("TMPDIR", place), writes(place):
        return TemporaryDirectory()


@contextmanager
def folder_whole(path: PathLike) -> Iterator[Path]:
    """A folder to fill that takes its place, and whatever stands there, when the block has ended well.

    Raises:
        Unwritten: as :func:`written_whole`, also for the files in it.
    """
    part, path = part_of(path), Path(path)
    with writes(path):
        part.mkdir()
    try:
        yield part
        with writes(path):
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.exists():
                shutil.rmtree(path)
            os.replace(part, path)
    except Unwritten as error:
        error.filename = os.fspath(path)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def inside(folder: PathLike, pattern: str) -> list[Path]:
    """What fits a pattern in a folder and in its own folders, not behind links."""
    folder = Path(folder)
    found = []
    for path in folder.glob(pattern):
        between = path.parents[: len(path.relative_to(folder).parts) - 1]
        if not any(parent.is_symlink() for parent in between):
            found.append(path)
    return found


def sweep(folder: PathLike) -> None:
    """Remove what a killed process left unfinished in a folder that nobody else writes into now."""
    for path in inside(folder, "**/.*.part"):
        if not UNFINISHED.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
