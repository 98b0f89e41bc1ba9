"""The unit in which TiSASRec measures the time intervals of each user."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from recbole_finest.data.log import InteractionLog
from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole.config import Config
    from recbole.data.dataset import SequentialDataset
    from recbole.data.interaction import Interaction

NO_TIME = "TiSASRec needs the time column: name it in TIME_FIELD and add it to load_col."


def interval_units(dataset: SequentialDataset, config: Config) -> Tensor:
    """Each user's smallest positive gap between two consecutive training interactions.

    Zero gaps are ignored: an interaction inserted at the time of another cannot shrink the unit.
    Only training rows count: the unit sees nothing of validation and test. It is infinite, so that
    every interval is 0, for a user who has no positive gap.

    Read from the exact times of ``dataset.log`` where the data set has one, else from the columns
    of RecBole's training split, in whatever scale it keeps them.

    Returns:
        float64 ``[n_users]``.

    Raises:
        UserError: the data set has no times.
    """
    n_users = dataset.num(config["USER_ID_FIELD"])
    log = getattr(dataset, "log", None)
    if not isinstance(log, InteractionLog):
        return _units_of_instances(dataset.inter_feat, config, n_users)
    user, time = log.user[log.train_positions], log.time[log.train_positions]
    gap = np.diff(time)
    counted = (user[1:] == user[:-1]) & (gap > 0)
    units = np.full(n_users, np.inf)
    np.minimum.at(units, user[1:][counted], gap[counted])
    return torch.from_numpy(units)


def _units_of_instances(
    feat: Interaction, config: Config, n_users: int, rows: int = 65536
) -> Tensor:
    """``interval_units`` of RecBole's training instances: history, its length and target each."""
    time_field = config["TIME_FIELD"]
    list_field = f"{time_field}{config['LIST_SUFFIX']}"
    if time_field not in feat or list_field not in feat:
        raise UserError(NO_TIME)
    units = torch.full((n_users,), math.inf, dtype=torch.float64)
    for start in range(0, len(feat[time_field]), rows):  # bounded memory: histories overlap
        chunk = slice(start, start + rows)
        history, target = feat[list_field][chunk], feat[time_field][chunk]
        length = feat[config["ITEM_LIST_LENGTH_FIELD"]][chunk].unsqueeze(1)
        times = F.pad(history.double(), (0, 1))
        times.scatter_(1, length, target.double().unsqueeze(1))  # the target follows the history
        gap = times.diff(dim=1)
        counted = (torch.arange(gap.shape[1]) < length) & (gap > 0)
        smallest = gap.masked_fill(~counted, math.inf).amin(1)
        units.scatter_reduce_(0, feat[config["USER_ID_FIELD"]][chunk], smallest, "amin")
    return units
