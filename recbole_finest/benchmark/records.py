"""The benchmark's result: one record for each model, data set, method, perturbation, seed and order."""

from __future__ import annotations

from typing import Any

from recbole_finest.benchmark.cells.cell import versions
from recbole_finest.benchmark.cells.rows import Plan, Row
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.cost import Costs, bases_of
from recbole_finest.benchmark.engine.schedule import Ended
from recbole_finest.benchmark.grid.grid import Grid
from recbole_finest.experiment.output import Output
from recbole_finest.files import write_json
from recbole_finest.folders.sums import make_way, write_sum

FILE = "records.json"


def write_records(
    store: Store, grid: Grid, plan: Plan, ended: Ended, seconds: float
) -> dict[str, Any]:
    """Write ``records.json`` from the finished cells, its sum beside it; returns its contents.

    Args:
        store: the benchmark's folder.
        grid: its grid.
        plan: the grid's cells and rows.
        ended: how the cells ended.
        seconds: wall time of this run of the command.
    """
    reader = _Reader(store)
    rows = [row for row in plan.rows if row.measure in ended.done]
    done = {hash: cell for hash, cell in plan.cells.items() if hash in ended.done}
    costs = Costs(done, reader)
    failed = [
        {"cell": hash, "label": plan.cells[hash].label, "error": error}
        for hash, error in ended.failed.items()
    ]
    blocked = [
        {"cell": hash, "label": plan.cells[hash].label, "by": by}
        for hash, by in ended.blocked.items()
    ]
    found = {
        "grid": grid.to_dict(),
        "versions": {**Output.versions(), **versions()},
        "seconds": seconds,
        "cell_seconds": sum(reader(hash)["cell_seconds"] for hash in done),
        "failed": failed,
        "blocked": blocked,
        "records": [{**_record(reader, row), **costs.of(row)} for row in rows],
    }
    make_way(store.root / FILE)
    write_json(store.root / FILE, found)
    write_sum(store.root / FILE)
    return found


class _Reader:
    """Results of finished cells, each read once."""

    def __init__(self, store: Store):
        self.store = store
        self._known: dict[str, dict[str, Any]] = {}

    def __call__(self, hash: str) -> dict[str, Any]:
        if hash not in self._known:
            self._known[hash] = self.store.read(hash)["result"]
        return self._known[hash]

    def total(self, hashes: list[str], name: str) -> Any:
        """Sum of a figure over cells."""
        return sum(self(hash)[name] for hash in hashes)


def _record(reader: _Reader, row: Row) -> dict[str, Any]:
    measured, where = reader(row.measure), row.where
    return {
        "model": where.model,
        "dataset": where.dataset,
        "method": row.method,
        "question": row.question,
        "seed": where.seed,
        "shuffle_order": where.shuffle_order,
        "settings": where.variant.settings,
        "perturbation": _perturbation(reader, row),
        "accuracy": measured["accuracy"],
        "accuracy_perturbed": measured["accuracy_perturbed"],
        "stability": measured["stability"],
        "similarity_to_base": measured["similarity_to_base"],
        "plasticity": measured.get("plasticity"),
        "lists": measured["lists"],
        **({"collapsed": measured["collapsed"]} if "collapsed" in measured else {}),
        "epochs": {
            "base": reader(row.models["base"][0])["epochs"],
            "method": reader.total(row.models.get("method", []), "epochs"),
        },
        "seconds": _seconds(reader, row.models),
        "seconds_perturbed": _seconds(reader, row.perturbed),
        "cell": row.measure,
        "values": f"cells/{row.measure}/values.npz",
    }


def _seconds(reader: _Reader, cells: dict[str, list[str]]) -> dict[str, float]:
    """Seconds by stage; ``base`` is the sum over all bases that the model is made of."""
    return {
        "base": reader.total(bases_of(cells), "seconds"),
        "reference": reader.total(cells.get("reference", []), "seconds"),
        "method": reader.total(cells.get("method", []), "seconds"),
        "evaluation": reader.total(cells["evaluation"], "seconds"),
    }


def _perturbation(reader: _Reader, row: Row) -> dict[str, Any] | None:
    """What was perturbed, as drawn; None for the controls."""
    for name in ("base", "method"):
        for hash in row.perturbed.get(name, []):
            if "perturbation" in reader(hash):
                return reader(hash)["perturbation"]
    return None
