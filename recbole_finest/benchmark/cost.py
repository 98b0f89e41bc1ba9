"""What renewing a model costs, from the seconds of a benchmark's cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from recbole_finest.benchmark.cells.cell import Cell, digest
from recbole_finest.benchmark.cells.rows import Row


class Costs:
    """Seconds of the work in a benchmark, as little disturbed by other work as can be known.

    Of two equal cells that run beside other work either may take twice as long. Cells that differ in
    nothing but seed and perturbation are therefore one work, whose seconds are the least per epoch that
    any of them took, times their mean number of epochs.

    Args:
        cells: finished cells by hash.
        read: gives the result of one.
    """

    def __init__(self, cells: Mapping[str, Cell], read: Callable[[str], Mapping[str, Any]]):
        self._work = {h: _work(cell) for h, cell in cells.items() if cell.kind != "measure"}
        found: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for hash, work in self._work.items():
            result = read(hash)
            found[work].append((result["seconds"], result.get("epochs") or 1))
        self._seconds = {work: _undisturbed(taken) for work, taken in found.items()}

    def seconds(self, hashes: Iterable[str]) -> float:
        """Undisturbed seconds of several cells, one after the other."""
        return sum(self._seconds[self._work[hash]] for hash in hashes)

    def of(self, row: Row) -> dict[str, float]:
        """The cost of one renewal of a row's model, and of scoring the test instances with it.

        A renewal is all that the perturbed side is made of, except bases that the clean side has too:
        yesterday's model is there.

        Returns:
            ``cost_seconds`` and ``cost_ratio``, the same against training one base; ``inference_seconds``
            and ``inference_ratio``, against base's.
        """
        known, today = bases_of(row.models), row.perturbed
        new = [hash for hash in bases_of(today) if hash not in known]
        training = self.seconds([*new, *today.get("reference", []), *today.get("method", [])])
        scoring = self.seconds(today["evaluation"])
        return {
            "cost_seconds": training,
            "cost_ratio": training / self.seconds(row.models.get("plain", known)[:1]),
            "inference_seconds": scoring,
            "inference_ratio": scoring / self.seconds(row.models["base_evaluation"]),
        }


def bases_of(cells: Mapping[str, list[str]]) -> list[str]:
    """All bases that a side is made of, each once; the one that is measured against first."""
    return list(dict.fromkeys([*cells["base"], *cells.get("listed", [])]))


def _work(cell: Cell) -> str:
    """Equal for cells of equal work: seed and perturbation aside, and whichever model is scored."""
    settings = {name: value for name, value in cell.settings.items() if name != "seed"}
    kind = "base" if cell.kind == "control" else cell.kind
    members = sum(len(cell.inputs.get(name, [])) for name in ("model", "base"))
    parts = (kind, cell.method, settings, cell.data, cell.code, cell.threads, members)
    return digest(parts)


def _undisturbed(taken: list[tuple[float, int]]) -> float:
    """Seconds from the seconds and epochs of several cells."""
    mean_epochs = sum(epochs for _, epochs in taken) / len(taken)
    return mean_epochs * min(seconds / epochs for seconds, epochs in taken)
