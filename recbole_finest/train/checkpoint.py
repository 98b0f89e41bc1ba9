"""Checkpoints of plain values: written by a stage, read by the next one or by another run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from recbole_finest.compat import load_checkpoint
from recbole_finest.config.config import Config
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.files import PathLike, written_whole
from recbole_finest.model.build import build_model, reason
from recbole_finest.parallel import distributed

Trained = tuple[nn.Module, int, list[dict[str, float]]]  # model, epochs run, curves


def save_checkpoint(path: PathLike, model: Any, config: Config, **extra: Any) -> None:
    """Write a checkpoint that ``torch.load(weights_only=True)`` reads; atomic, by the first process."""
    if not distributed.is_main():
        return
    settings = config.plain() if hasattr(config, "plain") else dict(config.final_config_dict)
    state = {
        "model": config["model"],
        "dataset": config["dataset"],
        "config": settings,
        "state_dict": model.state_dict(),
        **extra,
    }
    with written_whole(path) as file:
        torch.save(state, file)


def origin(data: Data, log: InteractionLog | None) -> dict[str, Any]:
    """What a checkpoint says of the ids that its rows belong to and of the log it was trained on.

    Returns:
        ``tokens``, ``{"user": [...], "item": [...]}`` by id, padding first; of the log its ``fingerprint``,
        ``rows``, the keys of its training interactions in ascending order (int64, 8 bytes each), and
        ``times``, the oldest, median and newest time of these.
    """
    log = data.log if log is None else log
    fields, tokens = data.train.fields, data.dataset.field2id_token
    names = {"user": fields.user, "item": fields.item}
    return {
        "fingerprint": log.fingerprint(),
        "tokens": {what: [str(token) for token in tokens[name]] for what, name in names.items()},
        **training_rows(log),
    }


def training_rows(log: InteractionLog) -> dict[str, Any]:
    """``rows`` and ``times`` of :func:`origin`."""
    rows, times = log.keys[log.train_positions], log.time[log.train_positions]
    return {
        "rows": torch.from_numpy(np.sort(rows.view(np.int64))),
        "times": [float(time) for time in np.quantile(times, [0, 0.5, 1])],
    }


def load_trained(config: Config, data: Data, path: PathLike, log: InteractionLog | None) -> Trained:
    """A model from the checkpoint that :func:`train_base` or :func:`fine_tune` wrote.

    Args:
        config, data: of the run.
        path: the checkpoint.
        log: the perturbed log that it was trained on, or None for the clean one.
    """
    return trained_of(config, data, distributed.from_main(lambda: load_checkpoint(path)), log)


def trained_of(
    config: Config, data: Data, state: Mapping[str, Any], log: InteractionLog | None
) -> Trained:
    """The same from what the checkpoint holds."""
    model = build_model(config, training_set(data, log))
    model.load_state_dict(state["state_dict"])
    return model, state["epochs"], state["curve"]


def training_set(data: Data, log: InteractionLog | None) -> LogDataset:
    """The training set that a model is made from: some read more from it than numbers of ids."""
    return data.train if log is None else data.train.with_log(log)


def load_base(config: Config, checkpoint: Mapping[str, Any], data: Data) -> Any:
    """The checkpoint's model.

    Raises:
        UserError: it was trained on another log, or its weights have other names or shapes.
    """
    path, model = config["base_checkpoint"], build_model(config, data.train)
    log = checkpoint.get("fingerprint")
    if log is not None and log != data.log.fingerprint():
        raise UserError(
            f"base_checkpoint '{path}' was trained on other interactions than those of data set "
            f"'{config['dataset']}' after its filters and split; give the data and settings of then"
        )
    try:
        model.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        raise UserError(
            f"base_checkpoint '{path}' does not fit model '{config['model']}' on data set "
            f"'{config['dataset']}': {reason(error)[:300]}"
        ) from error
    return model
