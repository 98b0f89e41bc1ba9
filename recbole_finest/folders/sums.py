"""A file that stands alone, with its SHA-256 beside it in a file that ``sha256sum -c`` reads."""

from __future__ import annotations

import os
from pathlib import Path

from recbole_finest.errors import UserError
from recbole_finest.files import write_text
from recbole_finest.folders.manifest import digest, set_aside

SUFFIX = ".sha256"


def make_way(path: Path) -> None:
    """Set aside a folder that stands where a file is to be, or its sum."""
    for place in (path, _beside(path)):
        if place.is_dir() and not place.is_symlink():
            set_aside(place)


def write_sum(path: Path) -> None:
    """Write the sum of a file that is there."""
    write_text(_beside(path), f"{digest(path)}  {path.name}\n")


def check_sum(path: Path, remedy: str) -> bool:
    """Refuse a file that is not the one whose sum stands beside it; tells whether one does.

    Raises:
        UserError: it is another file, or the sum is damaged; the sentence ends with the remedy.
        OSError: it cannot be read.
    """
    beside = _beside(path)
    if not os.path.lexists(beside):
        return False
    if path.is_symlink() or beside.is_symlink() or not beside.is_file():
        raise UserError(f"'{path}' or its sum '{beside.name}' is a link or no file; {remedy}")
    with open(beside, encoding="utf-8", errors="replace") as file:
        said = file.read(200)
    if said.split() != [digest(path), path.name]:
        raise UserError(
            f"'{path}' has another SHA-256 than '{beside.name}' says: it is damaged, or of another "
            f"benchmark; {remedy}, or remove '{beside.name}' to take it as it is"
        )
    return True


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SUFFIX)
