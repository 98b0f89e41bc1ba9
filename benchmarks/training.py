"""Cost of training and fine-tuning against RecBole's own trainer.

    python benchmarks/training.py [--data_path=../shared/data] [--only=SASRec-ml-100k,growth,…]
        [--repeats=3] [--threads=1] [--results=training.json] [--output=docs/performance.md]

Every figure is measured in a process of its own, the contenders in turn (A B C A B C …): at least
``--steps`` steps after a warm-up, scaled to an epoch by its number of steps, with what precedes the
first batch; medians are printed. RecBole is its own trainer and loaders as a user imports them, with
its defaults. With ``--results`` lines can be measured one by one: figures are kept in that file, and
the table has all of them. ``--output`` writes the table as Markdown; the text of ``--notes``, where
there is one, follows it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tabulate import tabulate

TASK = Path(__file__).with_name("training_task.py")
LENGTH = 50
OURS: dict[str, dict[str, Any]] = {
    "instance": {"mode": "instance", "finest": False},
    "instance finest": {"mode": "instance", "finest": True},
    "packed": {"mode": "packed", "finest": False},
    "packed finest": {"mode": "packed", "finest": True},
}
WHAT = {
    "instance": "our instance-wise base epoch ÷ RecBole's",
    "instance finest": "FINEST epoch, instance-wise ÷ RecBole's plain epoch",
    "packed": "packed base epoch ÷ RecBole's plain epoch",
    "packed finest": "packed FINEST epoch ÷ RecBole's plain epoch",
}
GOALS = {
    ("SASRec", "ml-100k"): [0.6, 0.8, 0.05, 0.08],
    ("GRU4Rec", "ml-100k"): [0.6, 0.8, 0.05, 0.08],
    ("BERT4Rec", "ml-100k"): [0.6, 1.2, None, None],
    ("SASRec", "ml-1m"): [None, None, 0.05, 0.08],
    ("GRU4Rec", "ml-1m"): [None, None, 0.05, 0.08],
}
AUTHORS = (115, 200)  # seconds of one epoch of the released code, on one thread of such a machine
AUTHORS_WHAT = {
    "recent": "packed FINEST epoch ÷ the released code's, the same instances (each user's last 50)",
    "whole": "packed FINEST epoch over whole histories ÷ the released code's over the last 50",
}
GROWTH = (1, 4, 16)
Row = list[str]


# Measuring ------------------------------------------------------------------------------------------


def run(task: dict[str, Any], threads: int) -> dict[str, float]:
    """Run one task in a fresh process."""
    words = [sys.executable, str(TASK), json.dumps({**task, "threads": threads})]
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise SystemExit(f"{task} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def medians(tasks: dict[str, dict], args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Run all tasks in turn, ``repeats`` times, and take the median of every figure."""
    results: dict[str, list[dict]] = {name: [] for name in tasks}
    for _ in range(args.repeats):
        for name, task in tasks.items():
            found = run(task, args.threads)
            results[name].append(found)
            where = f"{task['model']} {task['dataset']} {name}"
            print(f"  {where}: {found['epoch']:.2f} s, {found['peak']:.2f} GiB", file=sys.stderr)
    return {n: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for n, rs in results.items()}


def task(args: argparse.Namespace, name: str, model: str, dataset: str, **changed: Any) -> dict:
    """The task of one contender; ``changed`` settings beside the common ones."""
    settings = {"data_path": args.data_path, "MAX_ITEM_LIST_LENGTH": LENGTH, "use_gpu": False}
    steps = changed.pop("steps", args.steps)
    common = {"model": model, "dataset": dataset, "steps": steps}
    kind = {"kind": "recbole"} if name == "recbole" else {"kind": "ours", **OURS[name]}
    return {**kind, **common, "settings": {**settings, **changed}}


def against_recbole(args: argparse.Namespace, model: str, dataset: str) -> dict[str, dict]:
    goals = zip(OURS, GOALS[model, dataset])
    names = ["recbole", *(name for name, goal in goals if goal is not None)]
    return medians({name: task(args, name, model, dataset) for name in names}, args)


def authors(args: argparse.Namespace) -> dict[str, dict]:
    """Epochs over each user's last 50 interactions, as the released code's are, and over all of them."""
    settings = {"hidden_size": 128, "reference_k": 100, "user_inter_num_interval": "[10,inf)"}
    recent = {"recent": True, "whole": False}
    tasks = {
        what: task(
            args, "packed finest", "LRURec", "foursquare", recent_only=recent_only, **settings
        )
        for what, recent_only in recent.items()
    }
    return medians(tasks, args)


def growth(args: argparse.Namespace) -> dict[str, dict]:
    with tempfile.TemporaryDirectory() as folder:
        tasks = {}
        for times in GROWTH:
            name = f"synthetic{times}"
            synthetic(Path(folder) / name / f"{name}.inter", users=500 * times)
            changed = {"data_path": folder, "steps": 10**6}  # whole epochs
            tasks[str(times)] = task(args, "packed finest", "GRU4Rec", name, **changed)
        return medians(tasks, args)


def synthetic(path: Path, users: int, items: int = 2000, length: int = 100) -> None:
    """A random log: ``users`` × ``length`` interactions, every item at least once."""
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


LINES: dict[str, Callable[[argparse.Namespace], dict[str, dict]]] = {
    **{
        f"{model}-{dataset}": lambda args, m=model, d=dataset: against_recbole(args, m, d)
        for model, dataset in GOALS
    },
    "LRURec-foursquare": authors,
    "growth": growth,
}


# The table ------------------------------------------------------------------------------------------


def _row(what: str, where: str, goal: float, ratio: float, figures: str) -> Row:
    return [what, where, f"≤ {goal}", f"{ratio:.3f}", "yes" if ratio <= goal else "no", figures]


def rows_of(line: str, found: dict[str, dict]) -> list[Row]:
    """The rows of the table that a line gives."""
    if line == "growth":
        return _growth_rows(found)
    if line == "LRURec-foursquare":
        return [_authors_row(what, found[name]["epoch"]) for name, what in AUTHORS_WHAT.items()]
    model, dataset = line.split("-", 1)
    stock, where, rows = found["recbole"], line.replace("-", ", ", 1), []
    for name, goal in zip(OURS, GOALS[model, dataset]):
        if name in found and goal is not None:
            ours = found[name]["epoch"]
            figures = f"{ours:.2f} s / {stock['epoch']:.1f} s"
            rows.append(_row(WHAT[name], where, goal, ours / stock["epoch"], figures))
    if line == "SASRec-ml-1m":
        ours = found["packed finest"]
        figures = f"{ours['reference']:.1f} s / {stock['epoch']:.1f} s"
        ratio = ours["reference"] / stock["epoch"]
        rows.append(_row("reference lists ÷ one plain epoch", where, 0.2, ratio, figures))
        figures = f"{ours['peak']:.2f} GiB / {stock['peak']:.2f} GiB"
        what = "peak memory of fine-tuning ÷ RecBole's training"
        rows.append(_row(what, where, 0.5, ours["peak"] / stock["peak"], figures))
    return rows


def _authors_row(what: str, seconds: float) -> Row:
    figures = f"{seconds:.1f} s / {AUTHORS[0]}–{AUTHORS[1]} s (÷ the lower)"
    return _row(what, "LRURec, foursquare", 0.2, seconds / AUTHORS[0], figures)


def _growth_rows(found: dict[str, dict]) -> list[Row]:
    once, rows = found["1"]["epoch"], []
    for times in GROWTH[1:]:
        seconds = found[str(times)]["epoch"]
        ratio = seconds / times / once
        what = f"packed FINEST epoch at {times} × the interactions ÷ {times} × that at 1 ×"
        met = "yes" if ratio <= 1.1 else "no"
        figures = f"{seconds:.2f} s / {times} × {once:.2f} s"
        rows.append([what, "GRU4Rec, synthetic", "≤ 1.1", f"{ratio:.3f}", met, figures])
    return rows


def table(results: dict[str, dict]) -> str:
    """The table of all lines that were measured, in Markdown."""
    rows = [row for line in LINES if line in results for row in rows_of(line, results[line])]
    headers = ["what", "model, data", "goal", "measured", "met", "figures"]
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def machine(args: argparse.Namespace) -> str:
    """What it was measured on, and how."""
    processor = platform.machine()
    if Path("/proc/cpuinfo").is_file():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((x.split(":")[1].strip() for x in lines if "model name" in x), processor)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "recbole", "numpy"))
    return (
        f"Machine: {processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}; Python "
        f"{platform.python_version()}, {packages}. {args.threads} thread(s) a process, medians of "
        f"{args.repeats} interleaved repeats, at least {args.steps} steps after a warm-up of 3 or the "
        f"whole epoch, histories of {LENGTH}, batches of 2048 instances; RecBole with its defaults."
    )


def write(path: Path, notes: Path, args: argparse.Namespace, results: dict[str, dict]) -> None:
    """Write the table as Markdown, followed by the notes."""
    text = f"# Performance\n\nMade by `python benchmarks/training.py`.\n\n{machine(args)}\n\n"
    text += table(results) + "\n"
    if notes.is_file():
        text += "\n" + notes.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_path", default="../shared/data")
    parser.add_argument("--only", default=",".join(LINES))
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--notes", type=Path, default=Path("docs/performance_notes.md"))
    args = parser.parse_args()
    args.only = [name for name in args.only.split(",") if name]
    unknown = [name for name in args.only if name not in LINES]
    if unknown:
        parser.error(f"--only: no line {unknown[0]!r}; use {', '.join(LINES)}")
    args.data_path = str(Path(args.data_path).resolve())
    return args


def main() -> None:
    """Measure, then print the table."""
    args = _arguments()
    kept = args.results is not None and args.results.is_file()
    results = json.loads(args.results.read_text()) if kept else {}
    for line in args.only:
        results[line] = LINES[line](args)
        if args.results:
            args.results.write_text(json.dumps(results, indent=1))
    print(f"{machine(args)}\n\n{table(results)}")
    if args.output:
        write(args.output, args.notes, args, results)


if __name__ == "__main__":
    main()
