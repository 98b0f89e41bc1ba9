"""Our models under RecBole's own settings, data set and trainer, as docs/models.md shows it."""

import math
import re
import sys
from pathlib import Path

import pytest
from recbole.data.dataset import SequentialDataset
from recbole.trainer import Trainer

from ..contract.toy_data import write_toy_data

DOCUMENT = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.mark.parametrize("name", ["LSTM", "LRURec", "TiSASRec"])
def test_the_documents_example_trains_and_evaluates(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv[:1])  # RecBole's Config reads it
    write_toy_data(tmp_path / "dataset")
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    found: dict = {}
    exec(example.replace("TiSASRec", name).replace("ml-100k", "toy"), found)
    assert type(found["trainer"]) is Trainer and type(found["train"].dataset) is SequentialDataset
    assert found["config"]["model"] == type(found["model"]).__name__ == name
    losses = list(found["trainer"].train_loss_dict.values())
    assert len(losses) == 5 and all(math.isfinite(loss) for loss in losses)
    assert losses[-1] < losses[0]
    assert {"recall@10", "mrr@10", "ndcg@10"} <= set(found["result"])
    assert all(0 <= value <= 1 for value in found["result"].values())
    assert found["result"]["recall@10"] > 0.4  # a third by chance
