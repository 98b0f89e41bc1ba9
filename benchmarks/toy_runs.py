"""A small log, a run and a benchmark of it, commands in processes of their own, and what they left."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.offline
import torch
import yaml

SMALL: dict[str, Any] = {
    "epochs": 4,
    "learning_rate": 0.01,
    "finest_epochs": 2,
    "MAX_ITEM_LIST_LENGTH": 8,
    "train_batch_size": 64,
    "hidden_size": 8,
    "embedding_size": 8,
    "reference_k": 5,
    "list_depth": 10,
    "simulation_ratio": 0.05,
    "perturbation_ratio": 0.1,
    "show_progress": False,
}
TIMES = {"seconds", "seconds_perturbed", "cell_seconds", "cost", "cost_seconds", "cost_ratio"}
TIMES |= {"inference_seconds", "inference_ratio", "output_dir", "checkpoint_dir"}
TIMES |= {"explicit", "resume", "overwrite", "data_path", "base_checkpoint"}
MEASURED = ("seconds", "times base's")  # rows of the tables that tell times
CRASHED, HANGS = 99, 98  # exit codes of a traceback, and of a command that had to be ended


def import_all() -> None:
    """Import what commands import, so that each fork of this process has it."""
    for name in ("recbole_finest.quick_start", "recbole_finest.benchmark.run", "plotly.io"):
        importlib.import_module(name)
    for name in ("recbole.model.sequential_recommender", "recbole.trainer", "jinja2"):
        importlib.import_module(name)
    importlib.import_module("recbole_finest.benchmark.cells.work")
    plotly.offline.get_plotlyjs()


def write_log(folder: Path, users: int = 30, items: int = 40) -> None:
    """People who walk through the items in a circle, mostly: ``<folder>/toy/toy.inter``."""
    rng = np.random.default_rng(0)
    lines = ["user_id:token\titem_id:token\ttimestamp:float"]
    for user in range(users):
        item = int(rng.integers(items))
        for step in range(int(rng.integers(6, 16))):
            lines.append(f"u{user}\ti{item}\t{1_000_000_000 + 60 * step}")
            item = (item + (1 if rng.random() < 0.8 else int(rng.integers(items)))) % items
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "toy.inter").write_text("\n".join(lines) + "\n")


def run_words(place: Path, folder: Path, seed: int, **more: Any) -> list[str]:
    """The command line of a run of base, plain and finest."""
    settings = {"baselines": "[plain]", **SMALL, "state": "WARNING", "seed": seed}
    settings |= {"data_path": place / "data", "output_dir": folder, **more}
    return ["--model=GRU4Rec", "--dataset=toy", *(f"--{k}={v}" for k, v in settings.items())]


def benchmark_words(place: Path, folder: Path, seed: int) -> list[str]:
    """The command line of a benchmark of two models and two methods; its grid is beside the folder."""
    grid = {
        "models": ["GRU4Rec", "SASRec"],
        "datasets": ["toy"],
        "methods": ["none", "finest"],
        "perturbations": ["deletion"],
        "perturbation_seeds": [0],
        "seeds": [seed],
        "settings": {**SMALL, "data_path": str(place / "data"), "n_heads": 2},
    }
    path = place / f"grid-{seed}.yaml"
    path.write_text(yaml.safe_dump(grid))
    return [f"--config={path}", f"--output_dir={folder}", "--jobs=1"]


def called(
    main: Callable[[Sequence[str]], int], words: Sequence[str], log: Path, seconds: int = 300
) -> tuple[int, str]:
    """Run a command in a fork of this process, which has its imports; its exit code and what it said."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = CRASHED
        try:
            sys.stdout = sys.stderr = open(log, "w", buffering=1)  # noqa: SIM115
            for stream in (1, 2):
                os.dup2(sys.stdout.fileno(), stream)
            code = main(words)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + seconds
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < end:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return HANGS, log.read_text(errors="replace")
    return os.waitstatus_to_exitcode(ended[1]), log.read_text(errors="replace")


# What a command left -----------------------------------------------------------------------------


def run_left(folder: Path) -> dict[str, Any]:
    """The figures, models and lists of a run, times apart."""
    found: dict[str, Any] = {}
    for part in [folder, *sorted(folder.glob("replicates/*-*"))]:
        at = part.relative_to(folder).as_posix()
        for path in sorted(part.glob("[rcp]*.json")):  # result, curves, perturbation
            found[f"{at}/{path.name}"] = _json(path)
        settings = yaml.safe_load((part / "config.yaml").read_text())
        found[f"{at}/config.yaml"] = without_times(settings)
        found |= {f"{at}/{path.name}": _model(path) for path in sorted(part.glob("*.pth"))}
        arrays = [part / "instances.npz", *sorted(part.glob("reference*/*.npy"))]
        for path in [*arrays, *sorted(part.glob("ranklists*/*.npz"))]:
            found[f"{at}/{path.relative_to(part)}"] = path.read_bytes()
    return found | report_left(folder)


def report_left(folder: Path) -> dict[str, Any]:
    """The report of a run, times apart."""
    paths = [folder / "report.md", *sorted((folder / "tables").glob("*.csv"))]
    return {path.name: _untimed(path.read_text()) for path in paths}


def benchmark_left(folder: Path) -> dict[str, Any]:
    """The records of a benchmark, times apart, with the arrays that they name."""
    found = _json(folder / "records.json")
    values = {r["values"]: (folder / r["values"]).read_bytes() for r in found["records"]}
    return {"records": found, **values}


def leaderboard_left(folder: Path) -> str:
    """The leaderboard, to the last digit."""
    return (folder / "leaderboard.md").read_text() + (folder / "leaderboard.csv").read_text()


def without_times(value: Any) -> Any:
    """Plain values without what tells times and places."""
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def _model(path: Path) -> Any:
    """A checkpoint without times and places, its arrays as bytes."""
    return without_times(_plain(torch.load(path, weights_only=True)))


def _plain(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy().tobytes()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value


def _json(path: Path) -> Any:
    return without_times(json.loads(path.read_text()))


def _untimed(text: str) -> list[str]:
    """Lines without those of times, on which the width of a table's other lines may depend."""
    lines = [line for line in text.splitlines() if not any(word in line for word in MEASURED)]
    return [re.sub("[ -]+", " ", line) for line in lines]
