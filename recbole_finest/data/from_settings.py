"""The test perturbation that the settings ask for."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import Changes, apply_changes, load_changes, perturb
from recbole_finest.errors import UserError, shown

if TYPE_CHECKING:
    from recbole_finest.config.config import Config
    from recbole_finest.data.prepare import Data

_AMOUNTS = ("perturbation_users", "perturbation_per_user", "perturbation_count")
PERTURBING = (*_AMOUNTS, "perturbation_ratio", "perturbation_file")
_ARGUMENT = re.compile(r"\b(ratio|count|per_user|position|users)=")


def is_perturbed(settings: Config | Mapping[str, Any]) -> bool:
    """Whether the settings ask for a test perturbation."""
    return any(settings[name] for name in PERTURBING)


def draw_test_perturbation(
    config: Config, data: Data, logger: logging.Logger
) -> tuple[InteractionLog, Changes] | None:
    """The perturbed log and its changes, drawn or replayed; None when ``perturbation_ratio`` is 0.

    Raises:
        UserError: settings that contradict each other or the data, in the settings' own names.
    """
    log = data.log
    tokens = data.dataset.field2id_token
    names = tokens[data.train.fields.user], tokens[data.train.fields.item]
    if config["perturbation_file"]:
        try:
            changes = load_changes(config["perturbation_file"], log, *names, config["dataset"])
        except UserError as error:
            raise UserError(
                f"perturbation_file is {config['perturbation_file']!r}: {error}; give the path of a "
                "perturbation.json of this data set"
            ) from error
        return apply_changes(log, changes), changes
    amount = _amount(config, data, logger)
    if amount is None:
        return None
    if config["perturbation_selection"] == "file":
        raise UserError("perturbation_selection is file; give the changes in perturbation_file")
    try:
        changed, changes = perturb(
            log,
            config["perturbation_kind"],
            config["perturbation_selection"],
            config["perturbation_item"],
            max_seq_len=config["MAX_ITEM_LIST_LENGTH"],
            rng=config["perturbation_seed"],
            **amount,
        )
    except UserError as error:
        raise UserError(f"test perturbation: {_ARGUMENT.sub(_setting, str(error))}") from error
    if len(changes.emptied_users):
        logger.warning(
            f"the deletion leaves {len(changes.emptied_users)} users without training interactions"
        )
    return changed, changes


def _setting(argument: re.Match[str]) -> str:
    return f"perturbation_{argument[0]}"


def _amount(config: Config, data: Data, logger: logging.Logger) -> dict[str, Any] | None:
    """How much the test perturbation changes, as ``perturb`` takes it; None for nothing."""
    given = [name for name in _AMOUNTS if config[name]]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are both given; choose one")
    if "perturbation_users" in given:
        return {"users": _users(config, data)}
    if "perturbation_per_user" in given:
        position = config["perturbation_position"]
        return {"per_user": config["perturbation_per_user"], "position": position}
    if "perturbation_count" in given:
        return {"count": config["perturbation_count"]}
    ratio = config["perturbation_ratio"]
    if ratio == 0:
        return None
    if config["perturbation_selection"] == "user" and not config.is_explicit("perturbation_ratio"):
        users = len(np.unique(data.log.user[data.log.train_positions]))
        if ratio * users < 1:
            logger.warning(
                f"perturbation_ratio {ratio} of {users} users is less than one; taking one"
            )
            return {"count": 1}
    return {"ratio": ratio}


def _users(config: Config, data: Data) -> np.ndarray:
    if config["perturbation_selection"] != "user":
        raise UserError(
            f"perturbation_users is {shown(config['perturbation_users'])}, which is for "
            f"perturbation_selection=user, not for {config['perturbation_selection']}; leave one out"
        )
    tokens = [str(user) for user in config["perturbation_users"]]
    table = data.dataset.field2token_id[data.train.fields.user]
    for token in tokens:
        if token not in table or not table[token]:
            raise UserError(f"perturbation_users names '{token}', who is not in the data set")
    return np.array([table[token] for token in tokens])
