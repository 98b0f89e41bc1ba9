"""Cells as tasks of a Ray cluster whose machines share the output folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recbole_finest.benchmark.cells.cell import Cell
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.cells.work import Outcome, run_cell
from recbole_finest.errors import Unwritten, UserError
from recbole_finest.parallel.cluster import RETRIES, connect

if TYPE_CHECKING:
    from ray import ObjectRef


def ray_cell(root: str, cell: Cell) -> Outcome:
    """:func:`run_cell` on the graphics processors that Ray gives to this task."""
    import ray

    gpus = ",".join(map(str, ray.get_gpu_ids()))
    return run_cell(root, replace_given(cell, gpu_id=gpus))


def replace_given(cell: Cell, **given: Any) -> Cell:
    """The cell with other settings of the machine, which its hash does not depend on."""
    return replace(cell, given={**cell.given, **given})


class RayEngine:
    """An existing Ray cluster, or one started on this machine.

    Args:
        root: the benchmark's output folder, the same path on every machine.
        address: ``auto``, ``local`` or ``host:port``.
        cpus, gpus: what every cell takes.

    Raises:
        UserError: no cluster answers at the address.
    """

    def __init__(self, root: str, address: str, cpus: float, gpus: float):
        self.root = root
        self._ray = connect(address)
        resources = self._ray.cluster_resources()
        fit = [int(resources.get("CPU", 0) // cpus)] if cpus else []
        fit += [int(resources.get("GPU", 0) // gpus)] if gpus else []
        if not all(fit):
            self._ray.shutdown()
            raise UserError(
                f"the cluster has {resources.get('CPU', 0):g} CPUs and {resources.get('GPU', 0):g} GPUs, "
                f"but a cell takes {cpus:g} and {gpus:g}; set cpus_per_cell and gpus_per_cell"
            )
        self.slots = 2 * min(fit, default=1)  # the next ones wait in Ray's queue
        self._task = self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES)(ray_cell)
        self._running: dict[ObjectRef, Cell] = {}

    def submit(self, cell: Cell) -> None:
        self._running[self._task.remote(self.root, cell)] = cell

    def wait(self, timeout: float | None) -> list[tuple[str, Outcome]]:
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout)
        return [self._outcome(task) for task in ended]

    def _outcome(self, task: ObjectRef) -> tuple[str, Outcome]:
        cell = self._running.pop(task)
        try:
            return cell.hash, self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, Unwritten):
                raise cause from None
            return cell.hash, Outcome("failed", Store(self.root).fail(cell, error))

    def close(self, kill: bool = False) -> None:
        for task in self._running:
            self._ray.cancel(task, force=True)
        self._ray.shutdown()
