"""The settings of a run that starts from a trained base."""

from __future__ import annotations

from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from typing import Any

from recbole.evaluator.register import metric_types
from recbole.utils import EvaluatorType

from recbole_finest.config.config import Config
from recbole_finest.config.roles import ROLES, Role, having
from recbole_finest.config.worked_out import field_names
from recbole_finest.data.from_settings import PERTURBING, is_perturbed
from recbole_finest.errors import UserError
from recbole_finest.model.own_settings import is_own
from recbole_finest.parallel import distributed

# What RecBole's trainer did when RecBole wrote the checkpoint.
_AS_RECBOLE = {
    "shuffle_order": "recbole",
    "training_mode": "instance",
    "learning_rate_schedule": "constant",
    "warmup_ratio": 0.0,
    "target_stride": 1,
    "recent_only": False,
    "compile_model": False,
}


def base_settings(
    config: Config,
    checkpoint: Mapping[str, Any],
    given: Mapping[str, Any] | None,
    command_line: Mapping[str, Any] | None,
) -> Config:
    """The settings of a run that starts from a checkpoint: its own, below what the user gives now.

    Args:
        config: the settings without the checkpoint.
        checkpoint: from :func:`load_checkpoint`, of ours or of RecBole.
        given, command_line: the user's settings outside of files, as for :class:`Config`.

    Raises:
        UserError: the checkpoint is of another model or data set, is no base, was trained with other
            settings than the user gives now, or stands among the files that ``overwrite`` removes.
    """
    _check_place(config)
    settings = settings_in(checkpoint)
    if settings is None and config.awaits_loss:
        raise UserError(
            f"loss_type is not set, and base_checkpoint '{config['base_checkpoint']}' does not say it; "
            "give --loss_type=CE or BPR"
        )
    if settings is None:
        return config
    _check_names(config, settings)
    fresh = Config(
        config["model_class"], config["dataset"], None, own_loss(config.model_class, settings)
    )
    taken = taken_from(settings, fresh)
    if any(name in config.external_config_dict for name in PERTURBING):
        taken = {k: v for k, v in taken.items() if k not in PERTURBING}
    if config["perturbation_seeds"]:
        taken.pop("perturbation_seed", None)
    _check_seeds(config, taken)
    if is_perturbed({name: taken.get(name, config[name]) for name in PERTURBING}):
        _check_stage(config, checkpoint)
        _check_alike(config, taken)
    command_line = {**(command_line or {}), **_validated_depths(config, taken)}
    merged = {**taken, **config.file_config_dict, **dict(given or {})}
    merged_config = Config(config["model_class"], config["dataset"], None, merged, command_line)
    now = frozenset(config.external_config_dict) - config.inherited
    return merged_config.inheriting((frozenset(taken) | config.inherited) - now)


def settings_in(checkpoint: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The settings that a checkpoint of ours or of RecBole's was trained with; None where it has none."""
    known = checkpoint.get("config")
    settings = known if isinstance(known, Mapping) else getattr(known, "final_config_dict", None)
    if not isinstance(settings, Mapping) or not {"model", "dataset"} <= set(settings):
        return None
    return settings if isinstance(known, Mapping) else {**settings, **_AS_RECBOLE}


def own_loss(model: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The checkpoint's ``loss_type`` of a model of the user's own, whose defaults may not have one."""
    return {n: settings[n] for n in ("loss_type",) if n in settings and is_own(model)}


def _check_place(config: Config) -> None:
    if not (config["overwrite"] and config["output_dir"]):
        return
    if Path(config["base_checkpoint"]).resolve().parent == Path(config["output_dir"]).resolve():
        raise UserError(
            f"base_checkpoint '{config['base_checkpoint']}' is in output_dir, whose files overwrite "
            "removes; choose another output_dir"
        )


def _check_names(config: Config, settings: Mapping[str, Any]) -> None:
    for name in ("model", "dataset"):
        if str(settings[name]) != str(config[name]):
            raise UserError(
                f"base_checkpoint '{config['base_checkpoint']}' was trained with {name}="
                f"{settings[name]}, not {config[name]}; give the same {name} or another checkpoint"
            )


def _check_stage(config: Config, checkpoint: Mapping[str, Any]) -> None:
    """Refuse a fine-tuned model; RecBole's checkpoints do not say their stage and are bases."""
    if checkpoint.get("stage", "base") != "base":
        raise UserError(
            f"base_checkpoint '{config['base_checkpoint']}' holds a fine-tuned model, but the model on "
            "the perturbed log is trained without that fine-tuning; give the run's base.pth, or set "
            "perturbation_ratio=0 to fine-tune this model further"
        )


def taken_from(settings: Mapping[str, Any], fresh: Config) -> dict[str, Any]:
    """The checkpoint's settings that a run of the same model has too; all of a model of one's own."""
    # stability metrics are this package's, whoever wrote the checkpoint
    others = {*having(Role.PLACE | Role.WHAT | Role.DERIVED), *field_names(fresh), "metrics"}
    names = set(settings if fresh.takes_any_setting() else fresh.final_config_dict) - others
    taken = {k: v for k, v in settings.items() if k in names and is_plain(v)}
    if (
        metric_types.get(str(taken.get("valid_metric")).split("@")[0].lower())
        != EvaluatorType.RANKING
    ):
        taken.pop("valid_metric", None)  # DIN and DIEN: AUC over sampled items
        taken["eval_args"] = {**taken.get("eval_args", {}), "mode": "full"}
    return taken


def is_plain(value: object) -> bool:
    """Whether a setting is a value that a file can hold, as all are that somebody gives."""
    return value is None or isinstance(value, (bool, int, float, str, list, dict))


def _check_alike(config: Config, taken: Mapping[str, Any]) -> None:
    """Refuse other training settings than the checkpoint's while base' has to be trained alike."""
    free = set(ROLES) - having(Role.TRAINING)
    for name in config.external_config_dict:
        if name in taken and name not in free and config[name] != taken[name]:
            raise UserError(
                f"{name} is {config[name]!r}, but base_checkpoint was trained with {taken[name]!r}, and "
                "the model on the perturbed log must be trained alike; leave it out, or set "
                "perturbation_ratio=0"
            )


def _check_seeds(config: Config, taken: Mapping[str, Any]) -> None:
    seeds, seed = config["seeds"], taken.get("seed")
    if seeds and seed not in [None, *seeds] and "seed" not in config.external_config_dict:
        raise UserError(
            f"seeds is {seeds}, but base_checkpoint was trained with seed {seed}, which has to be one of "
            "them; add it to seeds, or leave base_checkpoint out"
        )


def _validated_depths(config: Config, taken: Mapping[str, Any]) -> dict[str, Any]:
    """``topk`` with the depth of the metric that chose base's epoch, and has to choose that of base'."""
    given = config.external_config_dict
    depth = str(taken.get("valid_metric")).partition("@")[2]
    if "topk" not in given or "valid_metric" in given or not depth or int(depth) in config["topk"]:
        return {}
    if distributed.is_main():
        getLogger(__name__).warning(
            f"topk is {config['topk']}; {depth} is measured too, because base_checkpoint was validated "
            f"by {taken['valid_metric']}"
        )
    return {"topk": [*config["topk"], int(depth)]}
