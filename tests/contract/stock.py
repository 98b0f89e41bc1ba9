"""RecBole itself, from its own settings to its own checkpoint, for tests that compare with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.data.stock import stock_dataset

ITEM = ["item_id", "class", "release_year"]


def stock_checkpoint(name: str | type, data_path: Path, folder: Path, **settings: Any) -> Path:
    """Train RecBole's model, or one's own, with RecBole's trainer; returns the file that RecBole wrote."""
    from recbole.config import Config
    from recbole.data import data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    given = {
        "data_path": str(data_path),
        "checkpoint_dir": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"], "item": ITEM},
        "train_neg_sample_args": None,
        "epochs": 2,
        "MAX_ITEM_LIST_LENGTH": 6,
        "train_batch_size": 128,
        "hidden_size": 8,
        "seed": 7,
        **settings,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", sys.argv[:1])  # RecBole's Config reads it
        patch.chdir(folder)  # its trainer writes log_tensorboard here
        config = Config(name, "toy", config_dict=given)
        init_seed(config["seed"], True)
        dataset = stock_dataset(config)
        train, valid, _ = data_preparation(config, dataset)
        init_seed(config["seed"], True)
        model_class = name if isinstance(name, type) else get_model(name)
        model = model_class(config, train._dataset)
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
        trainer.fit(train, valid, saved=True, verbose=False)
    return Path(trainer.saved_model_file)
