"""Making a model from its class: weights from the seed, ready to score all positions of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from recbole.model.abstract_recommender import SequentialRecommender

from recbole_finest.compat import check_own
from recbole_finest.data.requirements import fitting_candidates
from recbole_finest.errors import UserError
from recbole_finest.model.fused import fuse
from recbole_finest.model.initial import Recorder, Tables, keyed_weights
from recbole_finest.scoring.packed_scoring import packable
from recbole_finest.seeding import derive_seed, seed_globals, token_keys

if TYPE_CHECKING:
    from recbole_finest.config.config import Config
    from recbole_finest.data.dataset import LogDataset

# What models raise when settings or data do not suit them; RecBole's CPR models end the program.
BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    SystemExit,
    TypeError,
    ValueError,
)


def build_model(config: Config, dataset: LogDataset) -> SequentialRecommender:
    """Instantiate ``config.model_class`` on the configured device, with weights drawn from the seed.

    With ``shuffle_order: recbole`` it has RecBole's very weights and layers, so that base is trained
    exactly as there; otherwise each weight is drawn from its name and, in tables of items and users, from
    the row's token (:mod:`recbole_finest.model.initial`), and its layers are fused.

    Raises:
        UserError: the model refuses its settings or its data, with its reason.
    """
    check_own(config, "build_model")
    if config["reproducibility"]:
        torch.backends.cudnn.deterministic = True
    seed = config["seed"]
    stable = config["shuffle_order"] == "stable"
    config = config.but(**fitting_candidates(config, dataset.item_num))
    seed_globals(derive_seed(seed, "weights") if stable else seed)
    try:
        if not stable:
            return packable(config.model_class)(config, dataset).to(config["device"])
        with Recorder(seed) as recorder:
            model = packable(config.model_class)(config, dataset)
        keyed_weights(model, recorder.fills, _tables(config, dataset), seed)
        return fuse(model).to(config["device"])
    except BROKEN as error:
        raise UserError(
            f"model '{config['model']}' cannot be made with these settings and data: {reason(error)}"
        ) from error


def _tables(config: Config, dataset: LogDataset) -> Tables:
    if hasattr(dataset, "clean_log"):
        users, items = dataset.clean_log.entity_keys()
    else:  # RecBole's own
        tokens = dataset.field2id_token
        users, items = (token_keys(tokens[f]) for f in (dataset.uid_field, dataset.iid_field))
    values = config.final_config_dict.values()
    return Tables(users, items, {v for v in values if isinstance(v, int) and v > 0})


def reason(error: BaseException) -> str:
    """What an exception says, in one line; its type where it says nothing."""
    text = " ".join(str(error).split())
    return (
        text if text and not isinstance(error, SystemExit) else f"it raised {type(error).__name__}"
    )
