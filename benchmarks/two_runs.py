"""Two runs with different seeds in one new folder, begun 0 to 2 seconds apart: never mixed.

    python benchmarks/two_runs.py [--tries=10] [--output=two_runs.md]

Exactly one is to finish (exit code 0) and the other to be refused by name (exit code 2), with result.json,
config.yaml and all models of one seed, the weights those of a run alone. About five minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import toy_runs as toy
import yaml
from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[1]


def begin(place: Path, folder: Path, seed: int) -> subprocess.Popen:
    """Start a run in a process of its own."""
    words = [sys.executable, str(ROOT / "run_finest.py"), *toy.run_words(place, folder, seed)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def models(folder: Path) -> dict[str, tuple[int, dict[str, torch.Tensor]]]:
    """Seed and weights of every model."""
    states = {path.name: torch.load(path, weights_only=True) for path in folder.glob("*.pth")}
    return {name: (state["config"]["seed"], state["state_dict"]) for name, state in states.items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two folders hold the same models."""
    return one.keys() == other.keys() and all(
        one[name][0] == other[name][0]
        and all(torch.equal(value, other[name][1][key]) for key, value in one[name][1].items())
        for name in one
    )


def one_try(place: Path, delay: float, alone: dict[int, dict[str, Any]]) -> list[Any]:
    """A row of the table: what each run said, whose files are there, and whether that is right."""
    folder = place / f"both-{delay:.2f}"
    first = begin(place, folder, 1)
    time.sleep(delay)
    second = begin(place, folder, 2)
    said = {seed: run.communicate()[1] for seed, run in ((1, first), (2, second))}
    codes = {1: first.returncode, 2: second.returncode}
    winner = next((seed for seed, code in codes.items() if code == 0), 0)
    errors = [line for line in said.get(3 - winner, "").splitlines() if line.startswith("error: ")]
    seeds = {json.loads((folder / "result.json").read_text())["seed"]}
    seeds |= {yaml.safe_load((folder / "config.yaml").read_text())["seed"]}
    seeds |= {seed for seed, _ in models(folder).values()}
    right = (
        sorted(codes.values()) == [0, 2]
        and len(errors) == 1
        and str(folder) in errors[0]
        and seeds == {winner}
        and same(models(folder), alone[winner])
    )
    why = (errors or ["–"])[0].removeprefix("error: ").replace(str(folder), "…")
    return [f"{delay:.2f}", codes[1], codes[2], sorted(seeds), "yes" if right else "NO", why]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--output", default="two_runs.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        toy.write_log(place / "data")
        alone = {}
        for seed in (1, 2):
            run = begin(place, place / f"alone-{seed}", seed)
            run.communicate()
            alone[seed] = models(place / f"alone-{seed}")
        rows = []
        for delay in np.linspace(0, 2, given.tries):
            rows.append(one_try(place, float(delay), alone))
            print(*rows[-1], sep=" | ", flush=True)
    header = [
        "delay, s",
        "exit code, seed 1",
        "seed 2",
        "seeds there",
        "as it should be",
        "refused",
    ]
    text = tabulate(rows, header, "github", disable_numparse=True)
    Path(given.output).write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
