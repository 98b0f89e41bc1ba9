"""The folder of a benchmark: finished cells, those that failed, and locks."""

from __future__ import annotations

import json
import os
import shutil
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.verified import DONE, is_listed, why_not, write_manifest
from recbole_finest.errors import UserError, writes
from recbole_finest.files import write_json
from recbole_finest.folders.manifest import set_aside
from recbole_finest.folders.own import own_folder


class Store:
    """``<root>/cells/<hash>/`` and what stands beside.

    A cell is made in ``<hash>.part`` and renamed, so that a folder of its name is always whole; whoever
    makes it holds ``locks/<hash>``, which the system releases when the process ends, however it ends.
    One that is not as it was made does not count as there, and is made again.

    Args:
        root: the benchmark's output folder.

    Attributes:
        opened: whether cells may have been made.
    """

    def __init__(self, root: str | Path):
        self.root = Path(root)
        self.cells = self.root / "cells"
        self.locks = self.root / "locks"
        self.opened = False

    def open(self) -> None:
        """Make the folder.

        Raises:
            UserError: it holds something else, or cannot be written.
        """
        with writes(self.root, own=True):
            if self.root.is_dir() and any(self.root.iterdir()) and not self.cells.is_dir():
                raise UserError(
                    f"output_dir '{self.root}' holds files that are no benchmark's; choose another folder"
                )
            self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.cells, self.locks):
            own_folder(self.root, folder.name)
        self.opened = True

    def path(self, hash: str) -> Path:
        """Where a finished cell is."""
        return self.cells / hash

    def finished(self, hash: str) -> bool:
        """Whether a cell is done, and as it was made."""
        path = self.path(hash)
        return os.path.lexists(path) and why_not(path) is None

    def input(self, hash: str) -> Path:
        """Folder of a finished cell, to be read.

        Raises:
            UserError: it is not as it was made.
        """
        path = self.path(hash)
        if not self.finished(hash):
            reason = why_not(path) if os.path.lexists(path) else "is missing"
            raise UserError(f"cell '{path}' {reason}; give the same command, which makes it again")
        return path

    def read(self, hash: str) -> dict[str, Any]:
        """What a finished cell says of itself.

        Raises:
            UserError: as :meth:`input`.
        """
        return json.loads((self.input(hash) / DONE).read_text(encoding="utf-8"))

    def set_wrong_aside(self, hashes: Iterable[str]) -> Iterator[str]:
        """Cells that are there and not as they were made, which are given another name; in sentences."""
        old = 0
        for hash in hashes:
            path = self.path(hash)
            reason = why_not(path) if os.path.lexists(path) else None
            old += os.path.lexists(path) and reason is None and not is_listed(path)
            if reason is None:
                continue
            with self.claim(hash) as part:  # which sets it aside
                what = "another process makes it again"
                if part is not None:
                    part.rmdir()
                    what = "its name ends with .damaged now, and it is made again"
            yield f"cell '{path}' {reason}: {what}"
        if old:
            yield (
                f"{old} cells in '{self.cells}' are of a version that wrote no manifest: they are taken "
                "as they are"
            )

    @contextmanager
    def claim(self, hash: str) -> Iterator[Path | None]:
        """An empty folder to make a cell in; None when another process is making it.

        Leftovers of a process that was killed are removed, and a cell that is not as it was made is set
        aside.
        """
        lock, part = FileLock(self.locks / hash, timeout=0), self.cells / f"{hash}.part"
        try:
            with writes(self.locks / hash):
                lock.acquire()
        except Timeout:
            yield None
            return
        try:
            path = self.path(hash)
            with writes(part, own=True):
                _remove(part)
                if os.path.lexists(path) and why_not(path) is not None:
                    set_aside(path)
                part.mkdir()
            yield part
        finally:
            lock.release()

    def commit(self, cell: Cell, part: Path, found: dict[str, Any]) -> None:
        """Turn the claimed folder into the finished cell."""
        about = {"label": cell.label, **cell.content(), "cell": cell.hash, "result": found}
        write_json(part / DONE, about)
        write_manifest(part, cell)
        with writes(self.path(cell.hash)):
            os.replace(part, self.path(cell.hash))
        _remove(self._error_file(cell.hash))

    # Failures ------------------------------------------------------------------------------------

    def _error_file(self, hash: str) -> Path:
        return self.cells / f"{hash}.error.json"

    def fail(self, cell: Cell, error: BaseException | str) -> str:
        """Record why a cell failed; returns the message."""
        message, trace = describe(error), ""
        if isinstance(error, BaseException):
            trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        about = {"cell": cell.hash, "label": cell.label, "error": message, "traceback": trace}
        _remove(self._error_file(cell.hash))
        write_json(self._error_file(cell.hash), about)
        return message

    def failed(self, hash: str) -> str | None:
        """Message of the last failure of a cell that is not done, or None."""
        file = self._error_file(hash)
        if self.finished(hash) or not file.is_file():
            return None
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["error"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return f"'{file}' is damaged"


def _remove(path: Path) -> None:
    """Remove what stands at a path: a folder with all that is in it, of a link the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def describe(error: BaseException | str) -> str:
    """An error in one line."""
    if isinstance(error, str):
        return error
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"
