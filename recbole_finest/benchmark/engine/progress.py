"""What a benchmark shows: a progress bar over its cells, and the table of what is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tabulate import tabulate
from tqdm import tqdm

from recbole_finest.benchmark.cells.cell import KINDS, Cell
from recbole_finest.benchmark.cells.rows import Plan
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.cells.work import Outcome


class Progress:
    """A bar over the cells that are not there yet, with an estimate of the time that they take.

    A cell is expected to take as long as those of its kind took on average: of the same model where
    some are known, else of any. Cells finished earlier count too.

    Args:
        plan, store: the cells, and where they are.
        jobs: how many are made at once.
    """

    def __init__(self, plan: Plan, store: Store, jobs: int):
        self.jobs = jobs
        self.left = {h: c for h, c in plan.cells.items() if not store.finished(h)}
        self.known: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.failed = 0
        for hash in plan.cells.keys() - self.left.keys():
            self._learn(plan.cells[hash], store.read(hash)["result"]["cell_seconds"])
        self.bar = tqdm(
            total=len(self.left),
            desc="Cells",
            ncols=100,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {n}/{total} [{elapsed}{postfix}]",
        )
        self._show()

    def tell(self, cell: Cell, outcome: Outcome) -> None:
        """Take note of a settled cell."""
        if self.left.pop(cell.hash, None) is None:
            return
        if outcome.status == "failed":
            self.failed += 1
            self.bar.write(f"failed: {cell.label}: {outcome.error}")
        elif outcome.seconds:
            self._learn(cell, outcome.seconds)
        self._show()
        self.bar.update()

    def remaining(self) -> float | None:
        """Seconds that the remaining cells are expected to take; None before anything is known."""
        if not any(self.known.values()):
            return None
        return sum(map(self._expected, self.left.values())) / self.jobs

    def close(self) -> None:
        self.bar.close()

    def _learn(self, cell: Cell, seconds: float) -> None:
        for key in ((cell.kind, cell.given["model"]), (cell.kind, ""), ("", "")):
            self.known[key].append(seconds)

    def _expected(self, cell: Cell) -> float:
        kind = "base" if cell.kind == "control" else cell.kind
        keys = ((kind, cell.given["model"]), (kind, ""), ("", ""))
        known = next(self.known[key] for key in keys if self.known[key])
        return sum(known) / len(known)

    def _show(self) -> None:
        seconds = self.remaining()
        words = "" if seconds is None else f"about {duration(seconds)} left"
        words += f", {self.failed} failed" if self.failed else ""
        self.bar.set_postfix_str(words, refresh=False)


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(42), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def overview(plan: Plan, store: Store) -> str:
    """The table of ``--dry-run``: how many cells of each kind are there, by model and data set."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for hash, cell in plan.cells.items():
        groups[cell.given["model"], cell.given["dataset"]].append(hash)
    kinds = [kind for kind in KINDS if any(c.kind == kind for c in plan.cells.values())]
    rows = [[*where, *_counts(plan, store, group, kinds)] for where, group in groups.items()]
    if len(rows) > 1:
        rows.append(["all", "", *_counts(plan, store, plan.cells, kinds)])
    header = ["model", "data set", *kinds, "to do", "failed before"]
    return tabulate(rows, header, tablefmt="github")


def _counts(
    plan: Plan, store: Store, hashes: Iterable[str], kinds: Iterable[str]
) -> list[str | int]:
    hashes = list(hashes)
    there = {hash for hash in hashes if store.finished(hash)}
    found: list[str | int] = []
    for kind in kinds:
        own = [hash for hash in hashes if plan.cells[hash].kind == kind]
        found.append(f"{len(there.intersection(own))} of {len(own)}")
    failed = [hash for hash in hashes if store.failed(hash) is not None]
    return [*found, len(hashes) - len(there), len(failed)]
