"""The folder of a benchmark: finished cells, those that failed, and locks."""

from __future__ import annotations

import json
import os
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.errors import UserError, writes
from recbole_finest.files import write_json
from recbole_finest.folders.own import own_folder

DONE = "cell.json"  # written last: a folder that holds one is a finished cell


class Store:
    """``<root>/cells/<hash>/`` and what stands beside.

    A cell is made in ``<hash>.part`` and renamed, so that a folder of its name is always whole; whoever
    makes it holds ``locks/<hash>``, which the system releases when the process ends, however it ends.

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
        """Folder of a finished cell."""
        return self.cells / hash

    def finished(self, hash: str) -> bool:
        """Whether a cell is done."""
        return (self.path(hash) / DONE).is_file()

    def read(self, hash: str) -> dict[str, Any]:
        """What a finished cell says of itself."""
        return json.loads((self.path(hash) / DONE).read_text(encoding="utf-8"))

    @contextmanager
    def claim(self, hash: str) -> Iterator[Path | None]:
        """An empty folder to make a cell in; None when another process is making it.

        Leftovers of a process that was killed are removed.
        """
        lock, part = FileLock(self.locks / hash, timeout=0), self.cells / f"{hash}.part"
        try:
            with writes(self.locks / hash):
                lock.acquire()
        except Timeout:
            yield None
            return
        with lock:
            shutil.rmtree(part, ignore_errors=True)
            with writes(part):
                part.mkdir()
            yield part

    def commit(self, cell: Cell, part: Path, found: dict[str, Any]) -> None:
        """Turn the claimed folder into the finished cell."""
        about = {"label": cell.label, **cell.content(), "cell": cell.hash, "result": found}
        write_json(part / DONE, about)
        shutil.rmtree(self.path(cell.hash), ignore_errors=True)
        with writes(self.path(cell.hash)):
            os.replace(part, self.path(cell.hash))
        self._error_file(cell.hash).unlink(missing_ok=True)

    # Failures ------------------------------------------------------------------------------------

    def _error_file(self, hash: str) -> Path:
        return self.cells / f"{hash}.error.json"

    def fail(self, cell: Cell, error: BaseException | str) -> str:
        """Record why a cell failed; returns the message."""
        message, trace = describe(error), ""
        if isinstance(error, BaseException):
            trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        about = {"cell": cell.hash, "label": cell.label, "error": message, "traceback": trace}
        write_json(self._error_file(cell.hash), about)
        return message

    def failed(self, hash: str) -> str | None:
        """Message of the last failure of a cell that is not done, or None."""
        file = self._error_file(hash)
        if self.finished(hash) or not file.is_file():
            return None
        return json.loads(file.read_text(encoding="utf-8"))["error"]


def describe(error: BaseException | str) -> str:
    """An error in one line."""
    if isinstance(error, str):
        return error
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"
