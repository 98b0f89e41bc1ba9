"""Cost of training and fine-tuning against RecBole's own trainer.

    python benchmarks/training.py [--data_path=../shared/data] [--only=ratios,packed,…] [--repeats=3]

Every figure is measured in a process of its own, the contenders in turn (A B C A B C …), at least
``--steps`` steps after a warm-up, scaled to an epoch by its number of steps; medians are printed.
RecBole is its own trainer and loaders as a user imports them, with RecBole's defaults.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

from tabulate import tabulate

WARM_UP = 3


# One measurement, in a process of its own -----------------------------------------------------------


def recbole_epoch(model: str, dataset: str, steps: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Seconds of one epoch of RecBole's trainer."""
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    config = Config(
        model, dataset, config_dict={"train_neg_sample_args": None, "load_col": columns, **settings}
    )
    init_seed(config["seed"], config["reproducibility"])
    data = create_dataset(config)
    train, _, _ = data_preparation(config, data)
    net = get_model(model)(config, train._dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], model)(config, net)
    return timed(trainer, train, len(train), steps)


def our_epoch(
    model: str, dataset: str, steps: int, settings: dict[str, Any], mode: str, finest: bool
) -> dict[str, Any]:
    """Seconds of one epoch of ours: base, or FINEST fine-tuning with simulation and both losses."""
    import torch

    from recbole_finest.config import Config
    from recbole_finest.model.build import build_model
    from recbole_finest.prepare import choose_training_mode, prepare
    from recbole_finest.stages import build_references
    from recbole_finest.trainer import FinestTrainer, base_trainer

    columns = {"inter": ["user_id", "item_id", "timestamp"]}
    config = Config(model, dataset, None, {"load_col": columns, "training_mode": mode, **settings})
    data = prepare(config)
    choose_training_mode(data)
    net = build_model(config, data.train)
    if not finest:
        loader = data.train_loader("base")
        return timed(base_trainer(config, net), loader, len(loader), steps)
    k = min(config["reference_k"], (data.log.n_items - 1) // 2)
    output = type("Output", (), {"path": Path(tempfile.mkdtemp())})
    begin = time.perf_counter()
    references = build_references(config, data, output, net, k, None, "", False)
    spent = time.perf_counter() - begin
    trainer = FinestTrainer(config, net, references)
    trainer._dataset = data.train
    loader = data.train_loader("fine-tuning")
    begin = time.perf_counter()
    perturbed = loader.with_log(trainer.simulation(data.log, torch_generator()))
    rebuild = time.perf_counter() - begin
    trainer.simulation = None  # done above, once an epoch
    result = timed(trainer, perturbed, len(loader), steps)
    result["epoch"] += rebuild
    return {**result, "rebuild": rebuild, "reference": spent, "threads": torch.get_num_threads()}


def torch_generator() -> Any:
    import numpy as np

    return np.random.default_rng(0)


def timed(trainer: Any, loader: Any, steps_per_epoch: int, steps: int) -> dict[str, Any]:
    """Time ``steps`` steps of ``trainer._train_epoch`` after a warm-up."""
    trainer._train_epoch(_First(loader, WARM_UP), 0)
    steps = min(steps, steps_per_epoch)
    begin = time.perf_counter()
    trainer._train_epoch(_First(loader, steps), 0)
    spent = time.perf_counter() - begin
    return {"epoch": spent / steps * steps_per_epoch, "steps_per_epoch": steps_per_epoch}


class _First:
    """The first steps of a loader's epoch."""

    def __init__(self, loader: Any, steps: int):
        self.loader, self.steps = loader, steps
        self._dataset = loader._dataset
        self.shuffle = True
        self.epoch = 0

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Any:
        return itertools.islice(iter(self.loader), self.steps)


def measure(task: dict[str, Any]) -> None:
    """Run one task in this process and print its result as JSON."""
    warnings.filterwarnings("ignore")
    sys.argv = sys.argv[:1]  # RecBole's Config reads the command line
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        kind = task.pop("kind")
        result = recbole_epoch(**task) if kind == "recbole" else our_epoch(**task)
        result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB on Linux
    print(json.dumps(result))


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Run one task in a fresh process."""
    words = [sys.executable, __file__, "--task", json.dumps(task)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{task} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# The table ------------------------------------------------------------------------------------------


def contenders(
    model: str, dataset: str, settings: dict[str, Any], steps: int, which: list[str]
) -> dict:
    """Tasks by name."""
    common = {"model": model, "dataset": dataset, "settings": settings, "steps": steps}
    ours = {
        "instance": {"mode": "instance", "finest": False},
        "instance finest": {"mode": "instance", "finest": True},
        "packed": {"mode": "packed", "finest": False},
        "packed finest": {"mode": "packed", "finest": True},
    }
    tasks = {"recbole": {"kind": "recbole", **common}}
    tasks |= {name: {"kind": "ours", **common, **extra} for name, extra in ours.items()}
    return {name: tasks[name] for name in which}


def medians(tasks: dict[str, dict], repeats: int) -> dict[str, dict[str, float]]:
    """Run all tasks in turn, ``repeats`` times, and take the median of every figure."""
    results: dict[str, list[dict]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            results[name].append(run(dict(task)))
            print(
                f"  {task['model']} {task['dataset']} {name}: {results[name][-1]['epoch']:.1f} s",
                file=sys.stderr,
            )
    return {n: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for n, rs in results.items()}


GOALS = {
    ("instance", "BERT4Rec"): 0.6,
    ("instance", "SASRec"): 0.6,
    ("instance", "GRU4Rec"): 0.6,
    ("instance finest", "SASRec"): 0.8,
    ("instance finest", "GRU4Rec"): 0.8,
    ("instance finest", "BERT4Rec"): 1.2,
    ("packed", "SASRec"): 0.05,
    ("packed", "GRU4Rec"): 0.05,
    ("packed finest", "SASRec"): 0.08,
    ("packed finest", "GRU4Rec"): 0.08,
}


def ratios(
    args: argparse.Namespace, dataset: str, models: list[str], which: list[str]
) -> list[list]:
    """Rows of epoch ÷ RecBole's plain epoch."""
    rows = []
    settings = {"data_path": args.data_path, "MAX_ITEM_LIST_LENGTH": 50}
    for model in models:
        chosen = [w for w in which if w == "recbole" or (w, model) in GOALS]
        found = medians(contenders(model, dataset, settings, args.steps, chosen), args.repeats)
        base = found["recbole"]
        for name in chosen[1:]:
            ratio, goal = found[name]["epoch"] / base["epoch"], GOALS[name, model]
            seconds = f"{found[name]['epoch']:.1f} / {base['epoch']:.1f}"
            rows.append(
                [
                    f"{name} epoch ÷ RecBole's",
                    f"{model}, {dataset}",
                    f"≤ {goal}",
                    f"{ratio:.3f}",
                    seconds,
                ]
            )
        if dataset == "ml-1m" and model == "SASRec" and "packed finest" in found:
            ours = found["packed finest"]
            cost = ours["reference"] / base["epoch"]
            seconds = f"{ours['reference']:.1f} / {base['epoch']:.1f}"
            rows.append(
                [
                    "reference lists ÷ one plain epoch",
                    f"{model}, {dataset}",
                    "≤ 0.2",
                    f"{cost:.3f}",
                    seconds,
                ]
            )
            peak = f"{ours['peak']:.2f} / {base['peak']:.2f} GiB"
            rows.append(
                [
                    "peak memory of fine-tuning ÷ RecBole's",
                    f"{model}, {dataset}",
                    "≤ 0.5",
                    f"{ours['peak'] / base['peak']:.3f}",
                    peak,
                ]
            )
    return rows


def authors(args: argparse.Namespace) -> list[list]:
    """LRURec on Foursquare against the released code's 115 to 200 seconds an epoch."""
    settings = {
        "data_path": args.data_path,
        "MAX_ITEM_LIST_LENGTH": 50,
        "embedding_size": 128,
        "hidden_size": 128,
        "reference_k": 100,
        "user_inter_num_interval": "[10,inf)",
    }
    task = contenders("LRURec", "foursquare", settings, args.steps, ["packed finest"])
    seconds = medians(task, args.repeats)["packed finest"]["epoch"]
    ratio = f"{seconds / 200:.3f} – {seconds / 115:.3f}"
    return [
        [
            "FINEST epoch ÷ the released code's",
            "LRURec, foursquare",
            "≤ 0.2",
            ratio,
            f"{seconds:.1f} / 115–200",
        ]
    ]


def growth(args: argparse.Namespace) -> list[list]:
    """Seconds per interaction at 1, 4 and 16 times the interactions, same catalogue."""
    rows, first = [], None
    with tempfile.TemporaryDirectory() as folder:
        for times in (1, 4, 16):
            name = f"synthetic{times}"
            synthetic(Path(folder) / name / f"{name}.inter", users=500 * times)
            settings = {"data_path": folder, "MAX_ITEM_LIST_LENGTH": 50, "train_batch_size": 2048}
            task = contenders("GRU4Rec", name, settings, 10**6, ["packed finest"])
            seconds = medians(task, args.repeats)["packed finest"]["epoch"] / times
            first = first or seconds
            rows.append(
                [
                    f"seconds an epoch per 1 × interactions, at {times} ×",
                    "GRU4Rec, synthetic",
                    "± 10 %",
                    f"{seconds / first:.3f}",
                    f"{seconds:.2f}",
                ]
            )
    return rows


def synthetic(path: Path, users: int, items: int = 2000, length: int = 100) -> None:
    """A random log: ``users`` × ``length`` interactions."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    path.parent.mkdir(parents=True)
    n = users * length
    columns = {
        "user_id:token": np.repeat(np.arange(users), length),
        "item_id:token": np.concatenate([np.arange(items), rng.integers(0, items, n - items)]),
        "timestamp:float": np.tile(np.arange(length), users),
    }
    pd.DataFrame(columns).to_csv(path, sep="\t", index=False)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_path", default="../shared/data")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="ml-100k,ml-1m,authors,growth")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        measure(json.loads(args.task))
        return
    args.data_path = str(Path(args.data_path).resolve())
    rows: list[list] = []
    everything = ["recbole", "instance", "instance finest", "packed", "packed finest"]
    if "ml-100k" in args.only:
        rows += ratios(args, "ml-100k", ["SASRec", "GRU4Rec", "BERT4Rec"], everything)
    if "ml-1m" in args.only:
        rows += ratios(args, "ml-1m", ["SASRec", "GRU4Rec"], ["recbole", "packed", "packed finest"])
    if "authors" in args.only:
        rows += authors(args)
    if "growth" in args.only:
        rows += growth(args)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(tabulate(rows, ["what", "model, data", "goal", "measured", "seconds"], tablefmt="github"))


if __name__ == "__main__":
    main()
