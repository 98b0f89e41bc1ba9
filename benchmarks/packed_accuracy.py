"""Accuracy of packed training beside training on single histories, after equal epochs.

    python benchmarks/packed_accuracy.py [--model=SASRec] [--dataset=ml-100k] [--seeds=3] [--key=value …]

Trains and fine-tunes the model both ways with every seed and prints NDCG@10 on the test instances: mean
and standard deviation over seeds, and the difference with its 95 % interval (Welch). The size is one that
takes minutes; any setting can be given. With ``--results=FILE`` the values are kept as they come, and
seeds that are there already are not trained again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from scipy import stats
from tabulate import tabulate

from recbole_finest.cli.parser import parse_settings
from recbole_finest.compat import quiet_recbole
from recbole_finest.parallel.allocator import keep_freed_memory
from recbole_finest.quick_start import run_finest

SIZE: dict[str, Any] = {
    "MAX_ITEM_LIST_LENGTH": 20,
    "n_layers": 1,
    "hidden_size": 32,
    "inner_size": 64,
    "epochs": 5,
    "eval_step": 5,
    "finest_epochs": 2,
    "finest_learning_rate": 3e-4,
    "reference_k": 50,
    "train_batch_size": 512,
    "perturbation_ratio": 0,
    "baselines": [],
}
MODES = ("packed", "instance")
STAGES = ("base", "finest")
Values = dict[str, dict[str, float]]  # by mode and seed, then by stage


def train(
    model: str, dataset: str, mode: str, seed: int, given: dict[str, Any]
) -> dict[str, float]:
    """NDCG@10 of base and finest, trained one way with one seed."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"training_mode": mode, "seed": seed, "output_dir": str(Path(folder) / "run")}
        result = run_finest(model, dataset, config_dict={**SIZE, **given, **own})
    return {stage: result["accuracy"][stage]["ndcg@10"] for stage in STAGES}


def table(values: Values, seeds: int) -> str:
    """Mean and spread of both ways, and their difference."""
    rows = []
    for stage in STAGES:
        packed, instance = (
            [values[f"{mode} {seed}"][stage] for seed in range(seeds)] for mode in MODES
        )
        found = stats.ttest_ind(packed, instance, equal_var=False)
        low, high = found.confidence_interval()
        rows.append([stage, *(_spread(v) for v in (packed, instance))])
        change = stats.tmean(packed) - stats.tmean(instance)
        rows[-1] += [f"{change:+.4f} [{low:+.4f}, {high:+.4f}]", f"{found.pvalue:.2f}"]
    header = ["NDCG@10", *MODES, "packed − instance", "p"]
    return tabulate(rows, header, tablefmt="github")


def _spread(values: list[float]) -> str:
    return f"{stats.tmean(values):.4f} ± {stats.tstd(values):.4f}"


def main() -> None:
    """Train both ways with every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="SASRec")
    parser.add_argument("--dataset", default="ml-100k")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path)
    args, rest = parser.parse_known_args()
    given, _ = parse_settings(rest)
    torch.set_num_threads(args.threads)
    quiet_recbole()
    keep_freed_memory()
    values: Values = {}
    if args.results and args.results.is_file():
        values = json.loads(args.results.read_text(encoding="utf-8"))
    for seed in range(args.seeds):
        for mode in MODES:
            if f"{mode} {seed}" not in values:
                values[f"{mode} {seed}"] = train(args.model, args.dataset, mode, seed, given)
            if args.results:
                args.results.write_text(json.dumps(values, indent=1), encoding="utf-8")
    print(f"{args.model}, {args.dataset}, {args.seeds} seeds (mean ± standard deviation)")
    print(table(values, args.seeds))


if __name__ == "__main__":
    main()
