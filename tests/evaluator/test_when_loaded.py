"""What ``import recbole_finest`` does to RecBole's registry, and what stock RecBole says of our metrics."""

from __future__ import annotations

import subprocess
import sys

import pytest
from recbole.config import Config
from recbole.utils import get_model, get_trainer

from recbole_finest import Config as OurConfig
from recbole_finest.errors import UserError
from recbole_finest.train.base import base_trainer
from recbole_finest.train.mode import prepare_data
from tests.bridge.script import SETTINGS, script

IMPORTS = """
import sys
import recbole_finest
assert not {"torch", "recbole", "pandas"} & set(sys.modules), "import is not cheap"
from recbole.config import Config
from recbole.evaluator import register
import recbole.evaluator
found = Config("SASRec", "toy", config_dict={"metrics": ["NDCG", "RBO"], "train_neg_sample_args": None})
print(found["metrics"], "rbo" in register.metrics_dict, "churn" in register.smaller_metrics)
print(type(recbole.evaluator.__loader__).__name__, type(recbole.evaluator.__spec__.loader).__name__)
print([f for f in sys.meta_path if type(f).__module__.startswith("recbole_finest")])
"""


def test_stock_recbole_knows_our_metrics_after_the_import(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ran.stdout.splitlines() == [
        "['NDCG', 'RBO'] True True",
        "SourceFileLoader SourceFileLoader",
        "[]",
    ], ran.stderr


def test_what_stock_recbole_cannot_compute_is_refused_before_training(toy, monkeypatch):
    given = script(monkeypatch, toy["data_path"], metrics=["NDCG", "RBO"], valid_metric="NDCG@10")
    assert isinstance(given.config, Config)
    with pytest.raises(UserError, match=r"metrics names RBO.*stability"):
        get_trainer(given.config["MODEL_TYPE"], "SASRec")(given.config, given.model)


def test_ours_takes_them(toy):
    settings = {**SETTINGS, "data_path": toy["data_path"], "metrics": ["NDCG", "RBO"]}
    config = OurConfig("SASRec", "toy", None, {**settings, "valid_metric": "NDCG@10"})
    data = prepare_data(config)
    trainer = base_trainer(config, get_model("SASRec")(config, data.train))
    assert trainer.evaluate(data.test_loader(), load_best_model=False).keys() == {"ndcg@10"}
