"""Our settings from the Config of a RecBole script."""

from __future__ import annotations

from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole.config import Config as RecBoleConfig
from recbole.evaluator.register import metric_types
from recbole.utils import EvaluatorType

from recbole_finest.config.config import Config
from recbole_finest.config.from_checkpoint import is_plain
from recbole_finest.config.roles import Role, having
from recbole_finest.config.worked_out import field_names
from recbole_finest.errors import UserError

# Of the settings of a place, those that hold for a script and for what is added to it.
_SHARED = {"checkpoint_dir", "gpu_id", "show_progress", "state", "use_gpu", "worker"}
_VALUES = (
    "metrics",
    "valid_metric",
    "eval_args",
)  # of models that RecBole measures by values (AUC)


def own_config(
    config: Any, model_class: type | None = None, given: Mapping[str, Any] | None = None
) -> Config:
    """The settings of a RecBole script as ours, with defaults for those that RecBole does not have.

    Settings of ours that the script gave (in its files, its dict, its command line) hold. RecBole's own
    defaults hold as they are there.

    Args:
        config: RecBole's Config; ours is handed back as it is where nothing is given.
        model_class: class of the script's model; RecBole's by the name in ``config`` when missing.
        given: settings by name that win over the script's; unknown ones are refused.

    Raises:
        UserError: it is no Config, the model is not sequential, or a setting is wrong.
    """
    if not isinstance(config, RecBoleConfig):
        raise UserError(
            f"config is of type {type(config).__name__}; give the recbole.config.Config of the script, or "
            "a recbole_finest.Config"
        )
    if isinstance(config, Config) and not given:
        return config
    model = _model(config, model_class)
    stock = isinstance(model, str)
    known = Config(model, config["dataset"]).known_settings() if stock else None
    if known is not None:
        _name_unread(config, known)
    taken = _taken(config, known)
    ours = Config(model, config["dataset"], None, taken, given)
    return ours.inheriting(frozenset(taken) - set(config.external_config_dict) - set(given or {}))


def _model(config: RecBoleConfig, model_class: type | None) -> str | type:
    """What names the model to :class:`Config`: RecBole's and ours by name, others by their class."""
    found = model_class or config.model_class
    stock = found.__module__.startswith(("recbole.", "recbole_finest."))
    return found.__name__ if stock else found


def _taken(config: RecBoleConfig, known: set[str] | None) -> dict[str, Any]:
    """The settings to go on with; of a model of the user's own (``known`` is None) whatever there is."""
    settings = config.final_config_dict
    others = {*having(Role.PLACE | Role.WHAT | Role.DERIVED), *field_names(config)} - _SHARED
    if metric_types[settings["metrics"][0].lower()] != EvaluatorType.RANKING:
        others |= set(_VALUES)
    names = set(settings) - others
    if known is not None:
        names &= known
    taken = {name: settings[name] for name in names if is_plain(settings[name])}
    return {**taken, "data_path": str(Path(settings["data_path"]).parent)}


def _name_unread(config: RecBoleConfig, known: set[str]) -> None:
    """Say which given settings nobody reads: RecBole takes any name without a word."""
    unread = sorted(set(config.external_config_dict) - known - having(Role.PLACE | Role.WHAT))
    if unread:
        getLogger(__name__).warning(
            f"settings that neither RecBole nor recbole_finest reads: {', '.join(unread)}"
        )
