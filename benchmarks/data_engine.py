"""Speed and memory of the data engine against RecBole's, and the scale that it reaches.

    python benchmarks/data_engine.py [--data_path=../shared/data] [--repeats=3] [--only=build,scale,…]

Every line is a ratio of two medians measured in turn in one run (A B A B …), but for the synthetic
log, which is built, perturbed and streamed in a process of its own. RecBole is its own data sets and
loaders with its default columns; MovieLens 1M, histories of 50, batches of 2048. PyTorch has one
thread: several wait for each other, up to ten times as long, wherever other work is on the cores.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from casper import load as load_log
from casper import search_roots
from recbole.data.dataloader import TrainDataLoader
from recbole.data.dataset import Dataset, SequentialDataset
from tabulate import tabulate

from recbole_finest.config.config import Config
from recbole_finest.data.casper import cascading_scores
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.instances import Fields, InstanceView
from recbole_finest.data.loader import InstanceLoader, PackedLoader
from recbole_finest.data.log import TEST, VALID, InteractionLog
from recbole_finest.data.order import StableOrder
from recbole_finest.data.perturbation import KINDS, perturb
from recbole_finest.model.build import build_model
from recbole_finest.parallel.allocator import keep_freed_memory

WIDTH, BATCH, STEPS = 50, 2048, 30
INTERACTIONS, USERS, ITEMS = 25_000_000, 160_000, 60_000


def seconds(tasks: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median time of each task, run in turn."""
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            begin = time.perf_counter()
            task()
            taken[name].append(time.perf_counter() - begin)
            print(f"  {name}: {taken[name][-1]:.3f} s", file=sys.stderr)
    return {name: statistics.median(values) for name, values in taken.items()}


def held(*things: Any) -> int:
    """Bytes of all arrays and tensors that can be reached, each counted once."""
    found: dict[int, int] = {}
    seen: set[int] = set()
    queue = list(things)
    while queue:
        thing = queue.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            found[thing.__array_interface__["data"][0]] = thing.nbytes
        elif isinstance(thing, torch.Tensor):
            found[thing.data_ptr()] = thing.nbytes
        elif isinstance(thing, dict):
            queue += thing.values()
        elif isinstance(thing, (InteractionLog, InstanceView, Fields)):
            queue += vars(thing).values()
    return sum(found.values())


def exhaust(batches: Iterable[Any]) -> None:
    for _ in batches:
        pass


class Movies:
    """MovieLens 1M as RecBole and as we hold it, made when they are needed."""

    def __init__(self, data_path: str):
        settings = {"data_path": data_path, "MAX_ITEM_LIST_LENGTH": WIDTH, "state": "WARNING"}
        settings |= {"train_batch_size": BATCH, "show_progress": False, "training_mode": "instance"}
        self.config = Config("GRU4Rec", "ml-1m", None, settings)
        self.loaded = {kind: kind(self.config) for kind in (SequentialDataset, LogDataset)}
        for dataset in self.loaded.values():
            Dataset._change_feat_format(dataset)  # what comes before the instances are made
        self.made: dict[type, Any] = {}

    def instances(self, kind: type) -> Any:
        """Make the instances; the result is kept, the loaded data set stays as it is."""
        self.made.pop(kind, None)
        dataset = copy.copy(self.loaded[kind])
        dataset.data_augmentation()
        self.made[kind] = dataset
        return dataset

    def training_set(self, kind: type) -> Any:
        """The training part, leave-one-out."""
        if kind is LogDataset:
            return copy.copy(LogDataset(self.config)).build()[0]
        dataset = self.made.get(kind) or self.instances(kind)
        dataset.sort(by=dataset.time_field)
        return dataset.leave_one_out(dataset.uid_field, "valid_and_test")[0]


# Lines of the table: what, ours, theirs, ratio, goal, met ---------------------------------------------


def build(movies: Movies, repeats: int) -> list[list]:
    kinds = {"ours": LogDataset, "RecBole's data_augmentation": SequentialDataset}
    tasks = {n: (lambda k=k: movies.instances(k)) for n, k in kinds.items()}  # type: ignore[misc]
    ours, theirs = seconds(tasks, repeats).values()
    view, stock = (movies.made[kind].inter_feat for kind in kinds.values())
    rows = [line("build training instances", ours, theirs, "s", theirs / ours, ">= 100 x faster")]
    mine, full = held(view) / 2**20, held(stock.interaction) / 2**20
    return [*rows, line("memory held for them", mine, full, "MiB", mine / full, "<= 1/20", 1 / 20)]


def epoch(movies: Movies, repeats: int) -> list[list]:
    config = movies.config
    stock = TrainDataLoader(config, movies.training_set(SequentialDataset), None, shuffle=True)
    movies.made.clear()
    train = movies.training_set(LogDataset)
    ours = InstanceLoader(config, train, None, "base")
    packed = PackedLoader(config, train, None, "base")
    tasks = {
        "ours": lambda: exhaust(ours),
        "RecBole's loader": lambda: exhaust(stock),
        "ours, packed": lambda: exhaust(packed),
    }
    mine, theirs, windows = seconds(tasks, repeats).values()
    what = "load an epoch of batches"
    rows = [line(what, mine, theirs, "s", mine / theirs, "<= 1.2 x its time", 1.2)]
    return [*rows, line(f"{what}, packed", windows, theirs, "s", windows / theirs, "")]


def rebuild(movies: Movies, repeats: int) -> list[list]:
    """Until the first batch of the perturbed log is there, against an epoch of training."""
    config = movies.config
    train = movies.training_set(LogDataset)
    loader = InstanceLoader(config, train, None, "base")
    packed = PackedLoader(config, train, None, "base")
    seeds = itertools.count()

    def again(loader: InstanceLoader, kind: str) -> None:
        log, _ = perturb(train.log, kind, ratio=0.01, rng=next(seeds))
        next(iter(loader.with_log(log)))

    tasks = {
        f"{name}, {kind}": (lambda one=one, kind=kind: again(one, kind))  # type: ignore[misc]
        for name, one in (("instances", loader), ("packed", packed))
        for kind in KINDS
    }
    spent = seconds(tasks, max(3, repeats))
    full = training_epoch(config, train, loader)
    slowest = {n: max(t for k, t in spent.items() if k.startswith(n)) for n in ("inst", "packed")}
    names = ("perturb 1 % and rebuild, the slowest kind", "the same, packed")
    return [
        line(name, one, full, "s", one / full, "<= 1 %", 0.01, percent=True)
        for name, one in zip(names, slowest.values())
    ]


def training_epoch(config: Config, train: LogDataset, loader: InstanceLoader) -> float:
    """Seconds of an epoch of GRU4Rec with RecBole's settings, from some steps after a warm-up."""
    torch.autograd.set_detect_anomaly(False)
    model = build_model(config, train).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=config["learning_rate"])
    for step, batch in enumerate(loader):
        if step == 3:
            begin = time.perf_counter()
        if step == 3 + STEPS:
            break
        optimizer.zero_grad()
        model.calculate_loss(batch).backward()
        optimizer.step()
    spent = (time.perf_counter() - begin) / STEPS
    print(f"  a training step: {spent:.3f} s", file=sys.stderr)
    return spent * len(loader)


def scale() -> list[list]:
    """The synthetic log, in a process of its own."""
    words = [sys.executable, __file__, "--synthetic"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    spent = sum(found["seconds"].values())
    parts = ", ".join(f"{name} {value:.1f} s" for name, value in found["seconds"].items())
    what = f"{INTERACTIONS / 1e6:.0f} M interactions"
    peak, fits = f"{found['peak']:.2f} GiB", found["peak"] * 2**30 <= 6e9
    return [
        [f"{what}: {parts}", f"{spent:.1f} s", "", "", "<= 60 s", met(spent <= 60)],
        [f"{what}: peak memory", peak, "", "", "<= 6 GB", met(fits)],
    ]


def synthetic() -> None:
    """Build, perturb in every kind, and stream an epoch; prints what it took."""
    columns = random_columns()
    taken: dict[str, float] = {}

    def timed(name: str, task: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        result = task()
        taken[name] = time.perf_counter() - begin
        return result

    log, order = timed("build", lambda: built(*columns))
    columns = ()
    for kind in KINDS:
        perturbed, _ = timed(kind, lambda kind=kind: perturb(log, kind, ratio=0.01, rng=0))  # type: ignore[misc]
    count = timed("stream", lambda: stream(perturbed, order))
    assert count == len(perturbed.target_positions)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # KiB on Linux
    print(json.dumps({"seconds": taken, "peak": peak}))


def random_columns() -> tuple[np.ndarray, ...]:
    """Users, items (a few of them popular) and times in no order."""
    rng = np.random.default_rng(0)
    user = rng.integers(1, USERS + 1, INTERACTIONS, dtype=np.int32)
    item = (1 + ITEMS * rng.random(INTERACTIONS, dtype=np.float32) ** 3).astype(np.int32)
    return user, item, 1.5e9 + rng.integers(0, 10**8, INTERACTIONS, dtype=np.int32)


def built(
    user: np.ndarray, item: np.ndarray, stamp: np.ndarray
) -> tuple[InteractionLog, StableOrder]:
    """A log with each user's last two interactions left out, and the order of its instances."""
    log = InteractionLog.from_columns(user, item, stamp, n_users=USERS + 1, n_items=ITEMS + 1)
    role = np.zeros(len(log), np.int8)
    ends = log.user_begin[1:]
    role[ends[ends > 0] - 1], role[ends[ends > 1] - 2] = TEST, VALID
    log = log.with_roles(role)
    return log, StableOrder(log, BATCH, 0, "base")


def stream(log: InteractionLog, order: StableOrder) -> int:
    """One epoch of batches, as the loader makes them; how many instances they held."""
    fields = Fields("user", "item", "time", "length", "items", WIDTH, {}, {})
    view = InstanceView(log, log.target_positions, fields)
    return sum(len(view.gather(where)) for where, _ in order.batches(log, epoch=0))


def roots(data_path: str, repeats: int) -> list[list]:
    log = load_log(Path(data_path) / "foursquare" / "foursquare.inter")
    tasks = {
        "ours": lambda: cascading_scores(log, rows="roots"),
        "plain breadth-first search": lambda: search_roots(log),
    }
    ours, theirs = seconds(tasks, repeats).values()
    what = "cascading scores of all roots, Foursquare"
    return [line(what, ours, theirs, "s", theirs / ours, ">= 50 x faster")]


def met(good: bool) -> str:
    return "met" if good else "NOT MET"


def line(
    what: str,
    ours: float,
    theirs: float,
    unit: str,
    ratio: float,
    goal: str,
    most: float | None = None,
    percent: bool = False,
) -> list:
    """A row; the goal is ``most``, or at least the number that ``goal`` names."""
    reached = ratio <= most if most else bool(goal) and ratio >= float(goal.split()[1])
    shown = f"{100 * ratio:.3f} %" if percent else f"{ratio:.3g}"
    return [
        what,
        f"{ours:.3g} {unit}",
        f"{theirs:.4g} {unit}",
        shown,
        goal,
        met(reached) if goal else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_path", default="../shared/data")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="build,epoch,rebuild,scale,roots")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--synthetic", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(args.threads)
    keep_freed_memory()  # as a run does, for both sides
    if args.synthetic:
        synthetic()
        return
    wanted, rows = args.only.split(","), []
    if {"build", "epoch", "rebuild"} & set(wanted):
        movies = Movies(args.data_path)
        for name, measure in (("build", build), ("epoch", epoch), ("rebuild", rebuild)):
            rows += measure(movies, args.repeats) if name in wanted else []
        del movies
    rows += scale() if "scale" in wanted else []
    rows += roots(args.data_path, args.repeats) if "roots" in wanted else []
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    heads = ["what", "ours", "theirs", "ratio", "goal", ""]
    print(tabulate(rows, heads, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
