"""Every interaction trained on, for a model that is to be served and not measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from recbole.data.utils import create_samplers

from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.log import TRAIN, InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.data.split import chosen_targets


def on_everything(data: Data) -> Data:
    """The same data with every interaction for training and none for validation.

    The test instances stay, for lists of the two models to be compared; their next items are trained on,
    so that no accuracy on them means anything.

    Args:
        data: split, and not yet trained on.
    """
    config, log = data.config, data.log.with_roles(np.full(len(data.log), TRAIN))
    recent = config["MAX_ITEM_LIST_LENGTH"] if config["recent_only"] else None
    log = log.with_targets(chosen_targets(log, config["target_stride"] or 1, recent))
    train = _part(data.train, log, log.target_positions)
    valid = _part(data.valid, log, log.target_positions[:0])
    test = _part(data.test, log, data.test.inter_feat.positions)
    samplers = create_samplers(config, data.dataset, [train, valid, test])
    return replace(data, train=train, valid=valid, test=test, samplers=samplers)


def _part(part: LogDataset, log: InteractionLog, positions: np.ndarray) -> LogDataset:
    other = part.copy(part.inter_feat.with_log(log, positions))
    other.log = other.clean_log = log
    return other
