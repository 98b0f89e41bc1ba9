"""How a model is trained on a data set: single histories, or one pass over all positions of a window."""

from __future__ import annotations

from traceback import walk_tb
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction

from recbole_finest.compat import quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.config.from_recbole import own_config
from recbole_finest.data.loader import InstanceLoader
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.errors import UserError
from recbole_finest.model.build import BROKEN, build_model, reason
from recbole_finest.scoring.modes import shallow
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.train.causality import loss_is_of_each, spread_weights, why_not_causal

PROBE_INSTANCES = 4


def prepare_data(config: Any) -> Data:
    """Load, filter and split ``config['dataset']``, and choose how its model is trained on it.

    Args:
        config: our Config, or that of a RecBole script, which :func:`own_config` reads.

    Raises:
        UserError: the data set cannot be used, or the model cannot be trained on it.
    """
    quiet_recbole()
    data = prepare(own_config(config))
    choose_training_mode(data)
    return data


def choose_training_mode(data: Data) -> str | None:
    """Set ``data.packed`` from ``training_mode``; returns why ``auto`` chose single instances.

    Raises:
        UserError: packed training was asked for and is not possible, or the model cannot be trained
            on this data set at all.
    """
    check_model(data)
    wanted = data.config["training_mode"]
    why_not = "training_mode is instance" if wanted == "instance" else why_not_packed(data)
    if why_not and wanted == "packed":
        raise UserError(f"training_mode is packed, but {why_not}; use auto or instance")
    data.packed = why_not is None
    return why_not


def check_model(data: Data) -> None:
    """Compute loss and scores of a few training instances, so that a misfit shows before training.

    Raises:
        UserError: with the model's reason.
    """
    config = data.config
    model = build_model(config, data.train).eval()
    loader = InstanceLoader(config, data.train, data.samplers[0], "probe")
    loader.get_model(model)  # what dynamic negative sampling asks
    rows = np.arange(min(len(data.train), PROBE_INSTANCES))
    try:
        with torch.no_grad():
            batch = loader.collate_fn(rows).to(config["device"])
            model.calculate_loss(shallow(batch))
            scores = Scorer(model, data.train).all_items(batch)
    except BROKEN as error:
        raise UserError(
            f"model '{config['model']}' cannot be trained on data set '{config['dataset']}' with "
            f"these settings: {_missing_field(error, config) or reason(error)}"
        ) from error
    if scores.shape != (len(batch), data.log.n_items):
        raise UserError(
            f"model '{config['model']}' gives scores of shape {tuple(scores.shape)} for {len(batch)} "
            f"instances and {data.log.n_items} items; full_sort_predict must score every item once"
        )


def _missing_field(error: BaseException, config: Config) -> str | None:
    """What to say of a field that a model asks a batch for and batches lack; None of other errors."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    asked = frames[-1].f_locals.get("self")
    if not isinstance(asked, Interaction) or not isinstance(error, (KeyError, AttributeError)):
        return None
    name = frames[-1].f_locals.get("index", frames[-1].f_locals.get("item"))
    remedy = "what its authors' data loader makes has to be made in calculate_loss, from these"
    if str(name).startswith(config["NEG_PREFIX"]):
        remedy = "negative items are drawn for a loss_type of BPR"
    return (
        f"it reads the field '{name}', which a batch does not have (it has {', '.join(asked.columns)}); "
        f"{remedy}"
    )


def why_not_packed(data: Data) -> str | None:
    """Why one pass over a window cannot train this model on this data set; None when it can."""
    config, log = data.config, data.log
    if config["train_neg_sample_args"]["distribution"] != "none":
        return "the model's loss needs negative samples"
    if config["transform"] is not None:
        return f"the model's transform ({config['transform']}) changes each history"
    if not _training_rows_first(log):
        return "the split puts training rows after validation or test rows"
    model = build_model(config, data.train)
    spread_weights(model)
    why = why_not_causal(config, model, data.train)
    if why is None and not loss_is_of_each(config, model, data.train):
        return "its loss compares the instances of a batch with each other, and those of a window are alike"
    return why


def _training_rows_first(log: InteractionLog) -> bool:
    same_user = log.user[1:] == log.user[:-1]
    return not bool((same_user & (log.role[1:] == 0) & (log.role[:-1] != 0)).any())
