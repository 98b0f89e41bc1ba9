"""Where a base stops getting better: validation NDCG@10 by epoch, for the epochs of a replay.

    python benchmarks/plateau.py --model=SASRec --dataset=ml-1m-newest --data_path=runs/newest \\
        --config_files=benchmarks/rolling_ml1m.yaml --learning_rate=0.002 --epochs=24 --eval_step=2

Leave-one-out on the whole log. The last line is the number of epochs after which the score is first within
2 % of the best.
"""

from __future__ import annotations

import sys

from recbole_finest import base_trainer, build_model, prepare_data
from recbole_finest.cli.parser import parse_settings
from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config

NEAR, SCORE = 0.98, "ndcg@10"


def main() -> None:
    settings, files = parse_settings(sys.argv[1:])
    quiet_recbole()
    model, dataset = settings.pop("model"), settings.pop("dataset")
    given = {"stopping_step": 1000, "valid_metric": "NDCG@10", "state": "WARNING"}
    config = Config(model, dataset, files, {**given, "show_progress": False}, settings)
    data = prepare_data(config)
    trainer = base_trainer(data.config, build_model(data.config, data.train))
    trainer.fit(data.train_loader("base"), data.valid_loader(), verbose=False, saved=False)
    found = {int(row["epoch"]) + 1: row[SCORE] for row in trainer.curves if SCORE in row}
    for epoch, score in found.items():
        print(f"{model} on {dataset}, epoch {epoch}: {score:.4f}")
    print(next(n for n, score in found.items() if score >= NEAR * max(found.values())))


if __name__ == "__main__":
    main()
