"""The objects of a RecBole script, and models as people write them."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.model.sequential_recommender import SASRec
from recbole.utils import get_model, init_seed

SETTINGS = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "train_neg_sample_args": None,
    "MAX_ITEM_LIST_LENGTH": 5,
    "train_batch_size": 64,
    "hidden_size": 16,
    "inner_size": 16,
    "show_progress": False,
    "finest_epochs": 1,
    "reference_k": 5,
}


class Script(NamedTuple):
    model: Any
    config: Config
    train: Any
    valid: Any
    test: Any
    dataset: Any

    @property
    def arguments(self) -> tuple:
        return self.model, self.config, self.train, self.valid


def script(
    monkeypatch: Any, data_path: str, model: str | type = "SASRec", **settings: Any
) -> Script:
    """What a script makes, its model with RecBole's first weights."""
    monkeypatch.setattr(sys, "argv", ["script.py"])  # RecBole reads it
    given = {**SETTINGS, "data_path": data_path, **settings}
    config = Config(model=model, dataset="toy", config_dict=given)
    init_seed(config["seed"], True)
    dataset = create_dataset(config)
    train, valid, test = data_preparation(config, dataset)
    kind = get_model(model) if isinstance(model, str) else model
    return Script(kind(config, train._dataset), config, train, valid, test, dataset)


class Scaled(SASRec):
    """SASRec with a factor of its own, which is neither a setting nor a weight."""

    factor = 1.0

    def full_sort_predict(self, interaction):
        return super().full_sort_predict(interaction) * self.factor - self.factor


class Another(SASRec):
    """SASRec with a constructor of its own."""

    def __init__(self, config, dataset, extra):
        super().__init__(config, dataset)
        self.extra = torch.nn.Linear(extra, extra)


class Deep(SASRec):
    """SASRec whose constructor reads from outside how large it is."""

    layers = 1

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.more = torch.nn.ModuleList(torch.nn.Linear(3, 3) for _ in range(self.layers))
