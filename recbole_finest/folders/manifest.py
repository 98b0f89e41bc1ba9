"""What stands in a folder of ours: every file with its SHA-256 and what it is.

A file is entered once it is there, and struck out before it is replaced, so that a process may be
killed at any point: what is not entered is not finished. A file whose entry it does not fit was
damaged, or comes from elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recbole_finest.errors import UserError
from recbole_finest.files import PathLike, write_json

MANIFEST = "manifest.json"
ASIDE = ".damaged"  # ends the name of what was set aside
_FORMAT = 1
_LARGEST = 2**26  # bytes; a line for each file is some 200
_BLOCK = 2**20


class Manifest:
    """The manifest of a folder.

    Args:
        folder: the folder.
        about: what holds for all of it: settings, seed, log.
        files: the entries by path within the folder, with ``/``: ``sha256``, ``bytes`` and more.
        kept: whether it is written, by the process that writes the folder.
    """

    def __init__(
        self,
        folder: PathLike,
        about: Mapping[str, Any] | None = None,
        files: Mapping[str, Mapping[str, Any]] | None = None,
        kept: bool = True,
    ):
        self.folder = Path(folder)
        self.about = dict(about or {})
        self.files = {name: dict(entry) for name, entry in (files or {}).items()}
        self.kept = kept

    @classmethod
    def read(cls, folder: PathLike) -> Manifest | None:
        """The manifest that stands in a folder; None where there is none.

        Raises:
            UserError: what stands there is no manifest, or a damaged one.
        """
        path = Path(folder) / MANIFEST
        if not os.path.lexists(path):
            return None
        try:
            if _kind(path) is not None or path.stat().st_size > _LARGEST:
                raise ValueError(_kind(path) or "is too large")
            content = json.loads(path.read_text(encoding="utf-8"))
            found = cls(folder, content["about"], content["files"])
            seal = content["seal"]
            if content["format"] != _FORMAT or seal != found._seal():
                raise ValueError("does not hold together")
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            reason = str(error) if type(error) is ValueError else "cannot be read"
            raise UserError(
                f"'{path}' {reason}; so what the folder holds cannot be verified; resume the "
                "run with --resume=True, or remove the file to take the rest as it is"
            ) from None
        return found

    # Writing -------------------------------------------------------------------------------------

    def add(self, *paths: PathLike, **more: Any) -> None:
        """Enter files, and those of folders, that are written whole; what is gone is struck out.

        Args:
            paths: within the folder.
            more: what their entries say beside.
        """
        if not self.kept:
            return
        for path in map(Path, paths):
            self._strike(path)
            for file in _files(path):
                size = file.stat().st_size
                self.files[self._name(file)] = {"sha256": digest(file), "bytes": size, **more}
        self._write()

    @contextmanager
    def replacing(self, *paths: PathLike, **more: Any) -> Iterator[None]:
        """Files that are written in the block: struck out before it, entered after it."""
        if self.kept:
            before = len(self.files)
            for path in map(Path, paths):
                self._strike(path)
            if len(self.files) != before or not (self.folder / MANIFEST).exists():
                self._write()
        yield
        self.add(*paths, **more)

    def _strike(self, path: Path) -> None:
        name = self._name(path)
        for one in [one for one in self.files if one == name or one.startswith(name + "/")]:
            del self.files[one]

    def _write(self) -> None:
        content = {"format": _FORMAT, "about": self.about, "files": self.files}
        write_json(self.folder / MANIFEST, {**content, "seal": self._seal()})

    def _seal(self) -> str:
        """A checksum of the manifest itself: against damage, not against forgers."""
        content = json.dumps([self.about, self.files], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    # Reading -------------------------------------------------------------------------------------

    def why_not(self, path: PathLike) -> str | None:
        """Why a file, or a folder's files, are not those that were entered; None where they are.

        A file that is not entered is not finished.
        """
        name = self._name(Path(path))
        names = [one for one in self.files if one == name or one.startswith(name + "/")]
        if not names:
            return "is not in the manifest"
        found = (_wrong(self.folder, one, self.files[one]) for one in names)
        return next((reason for _, reason in filter(None, found)), None)

    def wrong(self) -> Iterable[tuple[Path, str]]:
        """What stands where entered files are not as they were, and why; of a linked folder, the link."""
        found = (_wrong(self.folder, name, entry) for name, entry in self.files.items())
        yield from dict(filter(None, found)).items()

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def check_listed(path: PathLike) -> None:
    """Refuse a file that is not what the manifest of its folder, or of the one above, says.

    Where no manifest names the file there is nothing to compare.

    Raises:
        UserError: another file stands there.
    """
    path = Path(path)
    for folder in (path.parent, path.parent.parent):
        found = Manifest.read(folder)
        if found is not None and found._name(path) in found.files:
            reason = found.why_not(path)
            if reason is not None:
                raise UserError(
                    f"'{path}' {reason}: it is not the file that the run wrote; resume the run with "
                    "--resume=True to make it again, or take another copy"
                )
            return


def set_aside(path: Path) -> Path:
    """Give whatever stands at ``path`` the next free name that ends with ``.damaged``; returns it."""
    aside, n = path.with_name(f"{path.name}{ASIDE}"), 1
    while os.path.lexists(aside):
        n += 1
        aside = path.with_name(f"{path.name}{ASIDE}{n}")
    os.rename(path, aside)
    return aside


def digest(path: PathLike) -> str:
    """SHA-256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _wrong(folder: Path, name: str, entry: Mapping[str, Any]) -> tuple[Path, str] | None:
    """The place where a file is not as it was entered, and why."""
    path = folder / name
    for above in [folder / part for part in reversed(Path(name).parents[:-1])]:
        if os.path.lexists(above) and not stat.S_ISDIR(os.lstat(above).st_mode):
            return above, _kind(above) or "is no folder"
    reason = _kind(path)
    if reason is None and path.stat().st_size != entry.get("bytes"):
        reason = f"has {path.stat().st_size} bytes, not {entry.get('bytes')}"
    if reason is None and digest(path) != entry.get("sha256"):
        reason = "has another SHA-256"
    return None if reason is None else (path, reason)


def _kind(path: Path) -> str | None:
    """What stands at a path, where that is no regular file."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return "is missing"
    if stat.S_ISREG(mode):
        return None
    return "is a link" if stat.S_ISLNK(mode) else "is no file"


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = (file for file in path.rglob("*") if ASIDE not in file.name)
        return sorted(file for file in found if _kind(file) is None)
    return [path] if _kind(path) is None else []
