"""What an update refuses once today's log is loaded, before anything is trained or written."""

from __future__ import annotations

from typing import Any

import numpy as np

from recbole_finest.config.config import Config
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.data.requirements import FILES, item_features
from recbole_finest.errors import UserError
from recbole_finest.serve.vocabulary import Vocabulary
from recbole_finest.update.deployed import Deployed

MOST = 0.5  # share of yesterday's users and of its items that today's log has to have
UNITS = (1e3, 1e6, 1e9)  # seconds, milliseconds, microseconds, nanoseconds
NEAR = 2.0  # a ratio of times within this factor of one of them is that of units


def check_log(deployed: Deployed, data: Data, allow_shrink: bool) -> None:
    """Refuse a log that is hardly the deployed model's, one day on.

    Args:
        deployed: the deployed model.
        data: today's.
        allow_shrink: accept a log without most of yesterday's users or items.

    Raises:
        UserError: most of yesterday's users or items are missing, or times are in other units.
    """
    config, now = data.config, Vocabulary.of_dataset(data.dataset)
    if not allow_shrink:
        pairs = {
            "users": (deployed.vocabulary.users, now.users),
            "items": (deployed.vocabulary.items, now.items),
        }
        for what, (before, tokens) in pairs.items():
            _check_there(what, before[1:], tokens, config["dataset"], deployed)
    _check_times(deployed, data.log, config["dataset"])


def _check_there(
    what: str, before: np.ndarray, now: np.ndarray, dataset: str, deployed: Deployed
) -> None:
    still = int(np.isin(before.astype(str), now.astype(str)).sum())
    if still < MOST * len(before):
        raise UserError(
            f"data set '{dataset}' has {still} of the {len(before)} {what} of deployed '{deployed.file}'; "
            "give the whole log with its new interactions, in the same tokens, or --allow_shrink if the "
            "others are to be forgotten"
        )


def _check_times(deployed: Deployed, log: InteractionLog, dataset: str) -> None:
    if deployed.times is None:
        return
    oldest, median, _ = deployed.times
    newest, middle = float(log.time.max()), float(np.median(log.time))
    said = f"times of data set '{dataset}'"
    if newest < oldest:
        raise UserError(
            f"{said} end at {newest:.0f}, before the first one ({oldest:.0f}) of what deployed "
            f"'{deployed.file}' was trained on; give today's log, in the same units of time"
        )
    ratio = middle / median if median > 0 and middle > 0 else 1.0
    for unit in UNITS:
        if unit / NEAR <= max(ratio, 1 / ratio) <= unit * NEAR:
            raise UserError(
                f"{said} are about {ratio:.3g} times those that deployed '{deployed.file}' was trained on "
                f"(median {middle:.0f} instead of {median:.0f}), as in other units (seconds, "
                "milliseconds); give them in the units of then"
            )


def check_no_features(config: Config, deployed: Deployed) -> None:
    """Refuse to continue a model that reads columns or files whose ids a checkpoint does not carry.

    Raises:
        UserError: it does.
    """
    features: Any = item_features(config) or FILES.get(config["model"])
    if features or config["model"] in ("DIN", "DIEN"):
        raise UserError(
            f"model '{config['model']}' reads features, whose ids deployed '{deployed.file}' does not "
            "carry, so that their weights could go to others; train a new model without update"
        )
