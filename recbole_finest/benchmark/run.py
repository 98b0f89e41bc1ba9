"""A benchmark from its grid to its records."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from recbole_finest.benchmark.cells.plan import Planner
from recbole_finest.benchmark.cells.rows import Plan
from recbole_finest.benchmark.cells.store import Store
from recbole_finest.benchmark.engine.local import local_engine
from recbole_finest.benchmark.engine.progress import Progress, overview
from recbole_finest.benchmark.engine.schedule import Engine, Schedule
from recbole_finest.benchmark.grid.grid import Grid, all_at_once
from recbole_finest.benchmark.grid.mistakes import mistakes_in
from recbole_finest.benchmark.grid.resolve import Resolver
from recbole_finest.benchmark.records import write_records
from recbole_finest.compat import quiet_recbole
from recbole_finest.data.where import inter_files
from recbole_finest.errors import CONTINUES, UserError, kept


@dataclass(frozen=True)
class Options:
    """How a benchmark is run; none of it changes its results but ``threads_per_cell`` and the device.

    Attributes:
        output_dir: the benchmark's folder.
        engine: ``local`` or ``ray``.
        jobs: worker processes of the local engine; 0 for one for every ``threads_per_cell`` cores, or one
            alone where cells run on a GPU.
        threads_per_cell: threads of each cell.
        address: of a Ray cluster: ``auto``, ``local`` or ``host:port``.
        cpus_per_cell, gpus_per_cell: what a cell takes of a Ray cluster; 0 CPUs for its threads.
    """

    output_dir: str = "runs/benchmark"
    engine: str = "local"
    jobs: int = 0
    threads_per_cell: int = 1
    address: str = "auto"
    cpus_per_cell: float = 0
    gpus_per_cell: float = 0

    def mistakes(self) -> list[str]:
        """Everything that is wrong with the options, one sentence each."""
        found = []
        if self.engine not in ("local", "ray"):
            found.append(f"engine is {self.engine!r}, but must be local or ray")
        for name, low in (("jobs", 0), ("threads_per_cell", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                found.append(f"{name} is {value!r}, but must be a whole number of at least {low}")
        for name in ("cpus_per_cell", "gpus_per_cell"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
                found.append(f"{name} is {value!r}, but must be a number of at least 0")
        return found


def cores() -> int:
    """Number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare_benchmark(
    grid: Grid, options: Options, mistakes: list[str], fetch: bool = True
) -> tuple[Plan, Store]:
    """Check everything, fetch the data sets that are missing, and plan.

    Args:
        grid: the grid.
        options: how it is run.
        mistakes: those found so far.
        fetch: whether data sets that are not there are downloaded; else only said to be missing.

    Raises:
        UserError: all mistakes at once; nothing was written.
    """
    quiet_recbole()
    resolver = Resolver(grid)
    all_at_once([*mistakes, *options.mistakes(), *mistakes_in(grid, resolver)])
    _missing(grid, resolver, fetch)
    device = None
    if options.engine == "ray":  # this machine need not be like the workers'
        device = "cuda" if options.gpus_per_cell else "cpu"
    plan = Planner(grid, resolver, options.threads_per_cell, device).plan()
    return plan, Store(os.path.abspath(options.output_dir))


def run_benchmark(grid: Grid, options: Options, plan: Plan, store: Store) -> dict[str, Any]:
    """Make all cells of a plan that are not there, and write ``records.json``.

    Returns:
        The contents of ``records.json``.

    Raises:
        UserError: the folder cannot be used, or no cluster answers.
    """
    with kept("output_dir", store.root, CONTINUES):
        return _run(grid, options, plan, store)


def _run(grid: Grid, options: Options, plan: Plan, store: Store) -> dict[str, Any]:
    begin = time.perf_counter()
    store.open()
    for sentence in store.set_wrong_aside(plan.cells):
        print(f"warning: {sentence}", file=sys.stderr)
    engine = _engine(options, store, plan)
    progress = Progress(plan, store, engine.slots)
    kill = True
    try:
        ended = Schedule(plan, store, engine, progress.tell).run()
        kill = False
    finally:
        progress.close()
        engine.close(kill)
    return write_records(store, grid, plan, ended, time.perf_counter() - begin)


def _engine(options: Options, store: Store, plan: Plan) -> Engine:
    if options.engine == "ray":
        from recbole_finest.benchmark.engine.ray import RayEngine

        cpus = options.cpus_per_cell or options.threads_per_cell
        return RayEngine(str(store.root), options.address, cpus, options.gpus_per_cell)
    on_gpu = any(cell.settings.get("device") == "cuda" for cell in plan.cells.values())
    jobs = options.jobs or (1 if on_gpu else max(1, cores() // options.threads_per_cell))
    return local_engine(str(store.root), jobs, options.threads_per_cell)


def _missing(grid: Grid, resolver: Resolver, fetch: bool) -> None:
    """Let RecBole download the data sets that are not there, once, before the workers ask for them."""
    from recbole_finest.data.dataset import create_dataset

    for dataset in grid.datasets:
        config = resolver.config(grid.models[0], dataset, grid.methods[0])
        file = inter_files(config, dataset)[0]
        if file.is_file():
            continue
        if fetch:
            create_dataset(config)
        else:
            print(
                f"data set '{dataset}' is not at '{file}' yet: a run downloads it, and until then none of "
                "its cells counts as there"
            )


__all__ = ["Options", "UserError", "overview", "prepare_benchmark", "run_benchmark"]
