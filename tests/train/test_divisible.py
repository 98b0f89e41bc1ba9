"""Which losses can be divided among processes."""

from __future__ import annotations

import pytest

from recbole_finest.config.config import Config
from recbole_finest.data.prepare import prepare
from recbole_finest.model.build import build_model
from recbole_finest.train.divisible import why_not_divisible
from recbole_finest.train.mode import choose_training_mode


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("SASRec", None),
        ("GRU4Rec", None),
        ("BERT4Rec", None),
        ("TransRec", "its loss is not a mean"),
        ("DIN", "batch normalisation"),
    ],
)
def test_what_is_no_mean_over_instances_is_refused(toy, model, why):
    config = Config(model, "toy", None, {**toy, "loss_type": "BPR"} if model == "GRU4Rec" else toy)
    data = prepare(config)
    choose_training_mode(data)
    found = why_not_divisible(config, build_model(config, data.train), data.train_loader("probe"))
    assert found is None if why is None else why in (found or "")
