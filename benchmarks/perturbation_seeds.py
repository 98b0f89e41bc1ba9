"""One model under several test perturbations: how much instability each method removes, and the spread.

    python benchmarks/perturbation_seeds.py --config_files=properties/benchmark/demo.yaml --seeds=0,1,2

Base is trained once; the perturbed side and the fine-tuning are done anew for every seed of the
test perturbation. Any other setting can be given as for run_finest.py.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from recbole_finest import run_finest
from recbole_finest.cli import parse_settings
from recbole_finest.errors import UserError

METRIC, ACCURACY = "jaccard@10", "ndcg@10"


def results(argv: list[str]) -> list[dict[str, Any]]:
    """Run every seed; the first run's base serves all."""
    settings, files = parse_settings(argv)
    seeds = settings.pop("seeds", "0,1,2").split(",")
    folder = Path(settings.pop("output_dir", "runs/perturbation_seeds"))
    settings |= {"control": "False", "recbole_order_baseline": "False", "overwrite": "True"}
    found: list[dict[str, Any]] = []
    for seed in seeds:
        mine = {**settings, "perturbation_seed": seed, "output_dir": str(folder / f"seed{seed}")}
        if found:
            mine["base_checkpoint"] = str(folder / f"seed{seeds[0]}" / "base.pth")
        found.append(run_finest(config_file_list=files, command_line=mine))
    return found


def table(found: list[dict[str, Any]]) -> str:
    """Mean and sample standard deviation over the perturbations."""
    rows = []
    for name in found[0]["stability"]:
        stable = np.array([r["stability"][name][METRIC] for r in found])
        base = np.array([r["stability"]["base"][METRIC] for r in found])
        accuracy = np.array([r["accuracy"][name][ACCURACY] for r in found])
        start = np.array([r["accuracy"]["base"][ACCURACY] for r in found])
        removed = 100 * (stable - base) / (1 - base)
        change = 100 * (accuracy / start - 1)
        rows.append([name, *map(spread, (stable, removed, change))])
    header = ["model", METRIC, "instability removed, %", f"{ACCURACY} against base, %"]
    return tabulate(rows, header, tablefmt="github")


def spread(values: np.ndarray) -> str:
    """Mean ± sample standard deviation."""
    return f"{values.mean():.3g} ± {values.std(ddof=1) if len(values) > 1 else 0:.2g}"


if __name__ == "__main__":
    try:
        print(table(results(sys.argv[1:])))
    except UserError as error:
        sys.exit(f"error: {error}")
