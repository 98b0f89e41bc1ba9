"""One measurement of ``benchmarks/training.py``, in a process of its own: one epoch of one trainer.

python benchmarks/training_task.py '{"kind": "ours", "model": "SASRec", "dataset": "ml-100k", …}'
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WARM_UP = 3
PROFILE = False  # set by a task: also tell the share of time in which a GPU computes
COLUMNS = {"inter": ["user_id", "item_id", "timestamp"]}


def recbole_epoch(model: str, dataset: str, steps: int, settings: dict[str, Any]) -> dict[str, Any]:
    """One epoch of RecBole's trainer, as a user imports it; nothing of ours is imported."""
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    given = {"train_neg_sample_args": None, "load_col": COLUMNS, **settings}
    config = Config(model, dataset, config_dict=given)
    init_seed(config["seed"], config["reproducibility"])
    data = create_dataset(config)
    train, _, _ = data_preparation(config, data)
    net = get_model(model)(config, train._dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, net)
    return {**timed(trainer, train, len(train), steps), "anomaly": torch.is_anomaly_enabled()}


def our_epoch(
    model: str, dataset: str, steps: int, settings: dict[str, Any], mode: str, finest: bool
) -> dict[str, Any]:
    """One epoch of ours: base, or FINEST fine-tuning with simulation and both losses."""
    import torch

    from recbole_finest.config.config import Config
    from recbole_finest.data.prepare import prepare
    from recbole_finest.model.build import build_model
    from recbole_finest.parallel.allocator import keep_freed_memory
    from recbole_finest.train.base import base_trainer
    from recbole_finest.train.mode import choose_training_mode

    keep_freed_memory()  # as a run does
    config = Config(model, dataset, None, {"load_col": COLUMNS, "training_mode": mode, **settings})
    data = prepare(config)
    choose_training_mode(data)
    net = build_model(config, data.train)
    if finest:
        found = _fine_tuning(config, data, net, steps)
    else:
        loader = data.train_loader("base")
        found = timed(base_trainer(config, net), loader, len(loader), steps)
    return {**found, "anomaly": torch.is_anomaly_enabled()}


def _fine_tuning(config: Any, data: Any, net: Any, steps: int) -> dict[str, Any]:
    from recbole_finest.reference.build import build_references
    from recbole_finest.seeding import generator
    from recbole_finest.train.finest import FinestTrainer

    k = min(config["reference_k"], (data.log.n_items - 1) // 2)
    output = type("Output", (), {"path": Path.cwd(), "writes": True})
    begin = time.perf_counter()
    references = build_references(config, data, net, output.path / "reference", k)
    reference = time.perf_counter() - begin
    trainer = FinestTrainer(config, net, references)
    trainer._dataset = data.train
    loader = data.train_loader("fine-tuning")
    begin = time.perf_counter()
    perturbed = loader.with_log(trainer.simulation(data.log, generator(0)))
    simulation = time.perf_counter() - begin
    trainer.simulation = None  # drawn above: once an epoch, whatever its steps
    found = timed(trainer, perturbed, len(loader), steps)
    found["epoch"] += simulation
    return {**found, "simulation": simulation, "reference": reference}


def timed(trainer: Any, loader: Any, steps_per_epoch: int, steps: int) -> dict[str, Any]:
    """Seconds of an epoch: what comes before its first batch, and its steps at their measured pace."""
    steps = max(1, min(steps, steps_per_epoch - WARM_UP))
    clock = _Clock(loader, WARM_UP, steps)
    trainer._train_epoch(clock, 0)
    pace = (clock.end - clock.warm) / steps
    epoch = clock.first - clock.begin + pace * steps_per_epoch
    found = {"epoch": epoch, "steps_per_epoch": steps_per_epoch, "step": pace}
    if PROFILE:
        found["kernels"] = clock.busy / (clock.end - clock.warm)
    return found


class _Clock:
    """The first steps of a loader's epoch, with the times at which some of them are asked for."""

    def __init__(self, loader: Any, warm_up: int, steps: int):
        self.loader, self.warm_up, self.steps = loader, warm_up, steps
        self._dataset = loader._dataset
        self.shuffle, self.epoch = True, 0
        self.begin = self.first = self.warm = self.end = self.busy = 0.0

    def __len__(self) -> int:
        return self.warm_up + self.steps

    def __iter__(self) -> Iterator[Any]:
        profiler = None
        self.begin = time.perf_counter()
        for number, batch in enumerate(itertools.islice(iter(self.loader), len(self))):
            if number == 0:
                self.first = time.perf_counter()
            if number == self.warm_up:
                profiler = _profiler() if PROFILE else None
                self.warm = _now()
            yield batch
        self.end = _now()
        if profiler is not None:
            profiler.stop()
            self.busy = sum(e.self_device_time_total for e in profiler.key_averages()) / 1e6


def _profiler() -> Any | None:
    """A running profiler of what a GPU computes; None without one."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    if not torch.cuda.is_available():
        return None
    found = profile(activities=[ProfilerActivity.CUDA])
    found.start()
    return found


def _now() -> float:
    """The time when all that was asked of a GPU is done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(task: dict[str, Any]) -> dict[str, Any]:
    """Run one task in this process; ``peak`` is its largest resident memory in GiB (Linux)."""
    import torch

    warnings.filterwarnings("ignore")
    global PROFILE
    PROFILE = task.pop("profile", False)
    torch.set_num_threads(task.pop("threads", 1))
    epoch = recbole_epoch if task.pop("kind") == "recbole" else our_epoch
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            result = epoch(**task)
        finally:
            os.chdir(before)
    result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if torch.cuda.is_available():
        result["gpu_peak"] = torch.cuda.max_memory_allocated() / 2**30
    return result


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    sys.argv = sys.argv[:1]  # RecBole's Config reads the command line
    print(json.dumps(measure(given)))
