"""Making one cell: what every engine's workers call."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from recbole_finest.benchmark.cells.cell import Cell, digest, versions
from recbole_finest.benchmark.cells.kinds import WORK, Job
from recbole_finest.benchmark.cells.session import Session
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.errors import Unwritten, UserError
from recbole_finest.files import LogFile
from recbole_finest.parallel.allocator import keep_freed_memory


@dataclass
class Outcome:
    """How a cell ended.

    Attributes:
        status: ``done``, ``failed``, or ``locked``: another process is making it.
        error: the message of a failure.
        seconds: time that it took.
    """

    status: str
    error: str = ""
    seconds: float = 0.0


_session: Session | None = None  # of this process


def _begin() -> Session:
    """Set up this process: what is slow when first used must not count as a cell's seconds."""
    keep_freed_memory()
    torch.optim.Adam([torch.zeros(1, requires_grad=True)]).step()
    return Session()


def run_cell(root: str, cell: Cell) -> Outcome:
    """Make a cell, unless it is there or another process is making it; never raises for a failed one.

    The entry point of every engine's workers.

    Raises:
        Unwritten: the benchmark's folder cannot be written.
    """
    global _session
    _session = _session or _begin()
    store, begin = Store(root), time.perf_counter()
    if not store.locks.is_dir():
        return Outcome("failed", f"'{root}' is not there for this worker; share it on all machines")
    with store.claim(cell.hash) as part:
        if part is None:
            return Outcome("locked")
        if store.finished(cell.hash):
            part.rmdir()
            return Outcome("done")
        try:
            _check_versions(cell)
            with _logged(part), _threads(cell.threads):
                found = WORK[cell.kind](Job(cell, store, part, _session))
            spent = time.perf_counter() - begin
            store.commit(cell, part, {**found, "cell_seconds": spent})
        except Unwritten:  # nor could any other cell be written
            raise
        except (Exception, SystemExit) as error:  # RecBole ends the program for some settings
            return Outcome("failed", store.fail(cell, error))
    return Outcome("done", seconds=spent)


def _check_versions(cell: Cell) -> None:
    """Refuse to make a cell with other packages than those that its hash names."""
    if digest(cell.content()) != cell.hash:
        raise UserError(
            f"this worker has {versions()}, other versions than the process that planned the cell; "
            "install the same everywhere"
        )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _logged(part: Path) -> Iterator[None]:
    """Send what RecBole and this package log into the cell's folder, and nothing to the terminal."""
    logger = logging.getLogger()
    level, handlers = logger.level, logger.handlers[:]
    file = LogFile(part / "cell.log")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logger.handlers[:] = [file]
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        file.close()
