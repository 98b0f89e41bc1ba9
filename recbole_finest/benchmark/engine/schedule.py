"""Working off a plan: what is ready goes to the engine, what failed blocks what needs it."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Protocol

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.rows import Plan
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.cells.work import Outcome

POLL = 0.5  # seconds between two looks at a cell that another process is making


class Engine(Protocol):
    """Where cells are made.

    Attributes:
        slots: how many cells to hand over at once.
    """

    slots: int

    def submit(self, cell: Cell) -> None:
        """Start a cell."""

    def wait(self, timeout: float | None) -> list[tuple[str, Outcome]]:
        """Cells that ended, by hash; at least one, unless ``timeout`` seconds went by."""

    def close(self, kill: bool = False) -> None:
        """End the workers; ``kill`` does not wait for what they are doing."""


@dataclass
class Ended:
    """How the cells of a plan ended, by hash.

    Attributes:
        done: made now or before.
        failed: with their messages.
        blocked: with a cell that they need and that failed.
    """

    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)


class Schedule:
    """One pass over a plan.

    Args:
        plan: the cells.
        store: where they are kept.
        engine: where they are made.
        tell: called with every cell that is settled and its outcome (None where it was there).
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        engine: Engine,
        tell: Callable[[Cell, Outcome], None] = lambda cell, outcome: None,
    ):
        self.plan, self.store, self.engine, self.tell = plan, store, engine, tell
        self.place = {hash: place for place, hash in enumerate(plan.cells)}
        self.sorter = TopologicalSorter({h: c.needs() for h, c in plan.cells.items()})
        self.ready: list[tuple[int, str]] = []
        self.running: set[str] = set()
        self.elsewhere: dict[str, float] = {}  # being made by another process: when to look again
        self.ended = Ended()

    def run(self) -> Ended:
        """Make all cells that can be made."""
        self.sorter.prepare()
        while self.sorter.is_active():
            self._take_ready()
            self._look_elsewhere()
            while self.ready and len(self.running) < self.engine.slots:
                hash = heapq.heappop(self.ready)[1]
                self.running.add(hash)
                self.engine.submit(self.plan.cells[hash])
            if self.running:
                for hash, outcome in self.engine.wait(POLL if self.elsewhere else None):
                    self.running.discard(hash)
                    self._settle(hash, outcome)
            elif self.elsewhere and not self.ready:
                time.sleep(POLL)
        return self.ended

    def _take_ready(self) -> None:
        """Settle what is there or blocked, as long as that makes others ready."""
        while new := self.sorter.get_ready():
            for hash in new:
                broken = [n for n in self.plan.cells[hash].needs() if n not in self.ended.done]
                if broken:
                    self.ended.blocked[hash] = self.ended.blocked.get(broken[0], broken[0])
                    self._settle(hash, Outcome("blocked"))
                elif self.store.finished(hash):
                    self._settle(hash, Outcome("done"))
                else:
                    heapq.heappush(self.ready, (self.place[hash], hash))

    def _look_elsewhere(self) -> None:
        """Take what another process finished; try again what it may have left."""
        for hash, when in list(self.elsewhere.items()):
            if self.store.finished(hash):
                del self.elsewhere[hash]
                self._settle(hash, Outcome("done"))
            elif time.monotonic() >= when and not self.ready:
                del self.elsewhere[hash]
                heapq.heappush(self.ready, (self.place[hash], hash))

    def _settle(self, hash: str, outcome: Outcome) -> None:
        if outcome.status == "locked":
            self.elsewhere[hash] = time.monotonic() + POLL
            return
        if outcome.status == "done":
            self.ended.done.add(hash)
        elif outcome.status == "failed":
            self.ended.failed[hash] = outcome.error
        self.sorter.done(hash)
        self.tell(self.plan.cells[hash], outcome)
