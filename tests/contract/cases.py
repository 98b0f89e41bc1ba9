"""What the contract test runs: every model by name, with the settings that it needs here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.model.find import model_names

from .toy_data import ENTITY_SIZE

COMMON: dict[str, Any] = {
    "epochs": 1,
    "finest_epochs": 1,
    "finest_learning_rate": 1e-3,
    "MAX_ITEM_LIST_LENGTH": 6,
    "train_batch_size": 128,
    "simulation_ratio": 0.05,
    "list_depth": 20,
    "show_progress": False,
    "state": "ERROR",
}

# Sizes by the names that RecBole's models give them; each model gets those that it knows.
SIZES: dict[str, Any] = {
    "hidden_size": 8,
    "embedding_size": 8,
    "kg_embedding_size": ENTITY_SIZE,
    "inner_size": 16,
    "n_layers": 1,
    "mlp_hidden_size": [8, 8],
    "block_num": 1,
    "dilations": [1, 2],
    "prototype_size": 10,
    "time_span": 16,
    "pretrain_epochs": 1,
}

# Beyond the sizes, every model works with its defaults.
NEEDED: dict[str, dict[str, Any]] = {
    "FEARec": {"n_layers": 2},  # it divides by the number of layers less one
    "DIN": {"load_col": {"inter": ["user_id", "item_id"], "item": ["item_id", "class"]}},
    "DIEN": {
        "load_col": {
            "inter": ["user_id", "item_id"],
            "user": ["user_id", "age", "gender"],
            "item": ["item_id", "release_year"],
        }
    },
}

# Other losses and options that change what is computed.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "GRU4Rec, BPR": ("GRU4Rec", {"loss_type": "BPR"}),
    "BERT4Rec, BPR": ("BERT4Rec", {"loss_type": "BPR"}),
    "S3Rec, BPR": ("S3Rec", {"loss_type": "BPR"}),
    "KSR, BPR": ("KSR", {"loss_type": "BPR"}),
    "TiSASRec, BPR": ("TiSASRec", {"loss_type": "BPR"}),
    "SINE, NLL": ("SINE", {"loss_type": "NLL"}),
    "HRM, average": ("HRM", {"pooling_type_layer_1": "average"}),
    "FEARec, contrast": ("FEARec", {"contrast": "us_x"}),
    "SASRec, instance": ("SASRec", {"training_mode": "instance"}),
    "SASRec, RecBole's order": ("SASRec", {"shuffle_order": "recbole"}),
}

# How the scores are computed where docs/models.md, which has one row a model, does not say.
HOW = {
    "FEARec, contrast": "one pass",
    "HRM, average": "one pass",
    "SASRec, RecBole's order": "packed",
    "SASRec, instance": "one pass",
    "SINE, NLL": "one pass",
    "my_pkg.my_module:MyModel": "one pass",
    **{name: "two passes" for name in VARIANTS if name.endswith("BPR")},
}

OWN_MODEL = "my_pkg.my_module:MyModel"
CASES = [*model_names(), *VARIANTS, OWN_MODEL]

OWN_MODULE = '''
import torch
from recbole.model.abstract_recommender import SequentialRecommender


class MyModel(SequentialRecommender):
    """Mean of the history's items; written as any user of RecBole would."""

    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        self.items = torch.nn.Embedding(self.n_items, config["my_size"], padding_idx=0)
        self.loss_fct = torch.nn.CrossEntropyLoss()

    def full_sort_predict(self, interaction):
        total = self.items(interaction[self.ITEM_SEQ]).sum(1)
        return total / interaction[self.ITEM_SEQ_LEN][:, None] @ self.items.weight.T

    def calculate_loss(self, interaction):
        return self.loss_fct(self.full_sort_predict(interaction), interaction[self.POS_ITEM_ID])

    def predict(self, interaction):
        return self.full_sort_predict(interaction).gather(1, interaction[self.ITEM_ID][:, None])
'''


def write_own_model(folder: Path, name: str = "my_pkg") -> None:
    """Write a package with a model of the user's own, and the YAML file beside it."""
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "my_module.py").write_text(OWN_MODULE)
    (package / "MyModel.yaml").write_text("my_size: 8  # (int) The size.\nloss_type: CE\n")


def make_config(case: str, data_path: Path, output: Path, **settings: Any) -> Config:
    """The settings of a case."""
    name, variant = VARIANTS.get(case, (case, {}))
    known = Config(name, "toy").final_config_dict
    sizes = {k: v for k, v in SIZES.items() if k in known}
    given = {**COMMON, **sizes, **NEEDED.get(name, {}), **variant, **settings}
    given |= {"data_path": str(data_path), "checkpoint_dir": str(output)}
    return Config(name, "toy", config_dict=given)
