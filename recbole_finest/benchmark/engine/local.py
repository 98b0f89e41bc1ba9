"""Cells in processes of this machine, or in this process."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.store import Store, describe
from recbole_finest.benchmark.cells.work import Outcome, run_cell
from recbole_finest.errors import Unwritten

ATTEMPTS = 3  # of a cell whose worker died
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def local_engine(root: str, jobs: int, threads: int) -> InProcess | Pool:
    """One job runs in this process, several in a pool of processes."""
    return InProcess(root) if jobs == 1 else Pool(root, jobs, threads)


class InProcess:
    """Cells one after the other in this process.

    Args:
        root: the benchmark's output folder.
    """

    slots = 1

    def __init__(self, root: str):
        self.root = root
        self._cell: Cell | None = None

    def submit(self, cell: Cell) -> None:
        self._cell = cell

    def wait(self, timeout: float | None) -> list[tuple[str, Outcome]]:
        assert self._cell is not None
        return [(self._cell.hash, run_cell(self.root, self._cell))]

    def close(self, kill: bool = False) -> None:
        pass


class Pool:
    """A pool of worker processes, made anew when one of them dies.

    Workers are started afresh (``spawn``), so that they share no random state and no threads with this
    process, and end when it ends, however it ends.

    Args:
        root: the benchmark's output folder.
        jobs: number of processes.
        threads: threads of each.
    """

    def __init__(self, root: str, jobs: int, threads: int):
        self.root, self.slots, self.threads = root, jobs, threads
        self._running: dict[Future, Cell] = {}
        self._died: dict[str, int] = {}
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        watched, self._alive = context.Pipe(duplex=False)
        for name in THREADS:
            os.environ[name] = str(self.threads)  # read when a worker loads its libraries
        self._pool = ProcessPoolExecutor(self.slots, context, _begin, (watched,))

    def submit(self, cell: Cell) -> None:
        future: Future
        try:
            with _deaf_children():
                future = self._pool.submit(run_cell, self.root, cell)
        except BrokenProcessPool as error:  # seen by the next wait
            future = Future()
            future.set_exception(error)
        self._running[future] = cell

    def wait(self, timeout: float | None) -> list[tuple[str, Outcome]]:
        ended = wait(self._running, timeout, FIRST_COMPLETED).done
        if any(isinstance(future.exception(), BrokenProcessPool) for future in ended):
            return self._restart()
        return [(self._running.pop(f).hash, _outcome(f)) for f in ended]

    def _restart(self) -> list[tuple[str, Outcome]]:
        """A worker died, and all that ran ended with it: once more, then it is the cell's fault."""
        cells, self._running = list(self._running.values()), {}
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._alive.close()
        self._start()
        found = []
        for cell in cells:
            self._died[cell.hash] = self._died.get(cell.hash, 0) + 1
            if self._died[cell.hash] < ATTEMPTS:
                self.submit(cell)
            else:
                message = (
                    f"the worker process died {ATTEMPTS} times (killed, or out of memory); "
                    "try fewer --jobs"
                )
                found.append((cell.hash, Outcome("failed", Store(self.root).fail(cell, message))))
        return found

    def close(self, kill: bool = False) -> None:
        if kill:
            self._alive.close()  # every worker ends itself
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._alive.close()


def _outcome(future: Future) -> Outcome:
    """A cell's outcome; what kept a worker from telling it is a failure, and a full disk everybody's."""
    error = future.exception()
    if isinstance(error, Unwritten):
        raise error
    return future.result() if error is None else Outcome("failed", describe(error))


@contextlib.contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started inside leave Ctrl-C to this one from their first moment on, imports included."""
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows
        yield
        return
    resource_tracker.ensure_running()  # starting it would end the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(watched: Connection) -> None:
    """First thing in a worker: leave Ctrl-C to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()


def _end_with_parent(watched: Connection) -> None:
    """Wait for the other end of the pipe to be closed, by the parent or by its death."""
    with contextlib.suppress(EOFError, OSError):
        watched.poll(None)
    os._exit(1)
