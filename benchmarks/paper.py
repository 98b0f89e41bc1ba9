"""FINEST's experiment beside what its authors' released code gives.

    python benchmarks/paper.py --models=LRURec,BERT4Rec --data_path=../shared/data

Runs properties/benchmark/finest_paper.yaml at 6 + 6 epochs: Foursquare, random deletion of 0.1 %, seed 0.
Any setting can be given as --setting=value. ``--released_choices`` adds the released code's own: references
in training mode, as in its last training epoch, of the unperturbed base for both sides (its run on the
original data hands its lists to the one on the perturbed data), dropout in both losses, its weights, summed
over the users of a batch, its batches of 8 to 32 users, and only each user's last 50 interactions; its
learning rate of TiSASRec, and one window a user with random masks for BERT4Rec. Its order of users survives
a perturbation, as ours does. For BERT4Rec our references are of histories, its of masked positions that see
both sides.

Base is retrained alone; finest, and the released code, know the unperturbed base. ``--reference_model=own``
gives each side its own base's lists: finest retrained alone.

MRR and AverageOverlap are over the whole catalogue, as there. Its figures are of one thread.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from recbole_finest.cli.parser import parse_settings
from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.config.settings import properties_dir, read_yaml
from recbole_finest.experiment.folder import open_output
from recbole_finest.experiment.run import Run
from recbole_finest.parallel.allocator import keep_freed_memory
from recbole_finest.scoring.scorer import Scorer

# Of finest on two cores, one thread, 6 + 6 epochs; seconds are of plain and fine-tuning epochs averaged.
RELEASED = {
    "LRURec": ("released code", 0.1466, 0.2638, 0.1670, 0.9737, 0.8847, 90),
    "BERT4Rec": ("released code", 0.0780, 0.1341, 0.0850, 0.8259, 0.5120, 56),
}
CHOICES = {
    "reference_source": "last_training_epoch",
    # The lists of the run on the original data: each *_main.py hands them to the perturbed run.
    "reference_model": "base",
    "finest_dropout": "both",
    "rank_reduction": "sum_over_users",
    "recent_only": True,
}
# Batches of 8, 16 and 32 users; one has 37.05 instances on Foursquare. Random masks, never the last alone.
MODEL_CHOICES: dict[str, dict[str, Any]] = {
    "BERT4Rec": {"rank_weight": 1.0, "target_stride": 50, "train_batch_size": 8, "ft_ratio": 0},
    "TiSASRec": {"rank_weight": 0.1, "train_batch_size": 593, "finest_learning_rate": 1e-3},
    "LRURec": {"rank_weight": 0.1, "train_batch_size": 1186},
    "LSTM": {"rank_weight": 0.1},
}
HEADER = ["model", "", "MRR", "Recall@10", "NDCG@10", "AverageOverlap", "Jaccard@10", "s/epoch"]


def settings_of(model: str, released: bool) -> dict[str, Any]:
    """The paper's settings for a model, at 6 + 6 epochs."""
    grid = read_yaml(properties_dir() / "benchmark" / "finest_paper.yaml")
    settings = {**grid["settings"], **grid["model_settings"].get(model, {})}
    settings |= {"epochs": 6, "finest_epochs": 6, "perturbation_seed": 0, "seed": 0}
    settings |= {"topk": [10], "baselines": [], "control": False, "catalogue_overlap": True}
    if released:
        settings |= CHOICES | MODEL_CHOICES[model]
    return settings


@torch.no_grad()
def reciprocal_rank(run: Run, name: str) -> float:
    """Mean reciprocal rank of the targets among all items."""
    scorer, total, n = Scorer(run.models[name], run.data.train), 0.0, 0
    scorer.model.eval()
    for interaction, _, users, items in run.data.test_loader():
        scores = scorer.all_items(interaction.to(run.config["device"]))
        scores[:, 0] = -torch.inf
        own = scores[users, items].unsqueeze(1)
        total += (1.0 / ((scores > own).sum(1) + 1)).sum().item()
        n += len(scores)
    return total / n


def rows_of(model: str, run: Run, result: dict[str, Any]) -> list[list[Any]]:
    """The table's rows of one run, the released code's last."""
    rows = []
    for name in ["base", *run.methods]:
        stable, accuracy = result["stability"][name], result["accuracy"][name]
        whole = next(v for k, v in stable.items() if int(k.split("@")[1]) > 10)
        seconds = result["seconds"][name] / max(1, result["epochs"][name])
        rows.append([model, name, reciprocal_rank(run, name), accuracy["recall@10"]])
        rows[-1] += [accuracy["ndcg@10"], whole, stable["jaccard@10"], seconds]
    return [*rows, [model, *RELEASED[model]]] if model in RELEASED else rows


def main() -> None:
    """Run the models one after another and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="LRURec,BERT4Rec")
    parser.add_argument("--dataset", default="foursquare")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", default="runs/paper")
    parser.add_argument("--released_choices", action="store_true")
    args, rest = parser.parse_known_args()
    given, _ = parse_settings(rest)
    torch.set_num_threads(args.threads)
    quiet_recbole()
    keep_freed_memory()
    rows: list[list[Any]] = []
    for model in args.models.split(","):
        folder = Path(args.output) / f"{model}{'-released' * args.released_choices}"
        own = settings_of(model, args.released_choices) | {"output_dir": str(folder)}
        config = Config(model, args.dataset, None, {"overwrite": True, **own}, given)
        with open_output(config) as output:
            run = Run(config, output)
            rows += rows_of(model, run, run.measure())
            output.write_report()
        print(tabulate(rows, HEADER, tablefmt="github", floatfmt=".4f"), flush=True)


if __name__ == "__main__":
    main()
