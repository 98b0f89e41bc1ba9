"""What each setting belongs to: one table, read wherever that matters.

A run asks which settings may differ when it is resumed, a checkpoint which of its settings a new run
takes over, a benchmark which settings a cell's result depends on. A name that the table does not know,
such as a setting of RecBole's or of a model of one's own, counts for every cell: work may then be done
once too often, but never is the result of another setting handed back.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag, auto
from typing import Any


class Role(Flag):
    """What a setting belongs to; several may hold."""

    PLACE = auto()
    """Of one run or machine: where files are, how much is shown. No result depends on it."""
    WHAT = auto()
    """Says what is trained, and on what kind of device; never taken from a checkpoint."""
    RESUMABLE = auto()
    """May differ between a run and its continuation."""
    PATH = auto()
    """A path, which has to hold in any working directory."""
    DERIVED = auto()
    """Worked out from other settings; cannot be read back."""
    TRAINING = auto()
    """Base's training depends on it, and all that comes after."""
    ROUNDING = auto()
    """How the machine computes: results may differ in their last digits."""
    REFERENCE = auto()
    """Of the reference lists."""
    FINE_TUNING = auto()
    """Of the fine-tuning stage, whatever the method."""
    METHOD = auto()
    """Of those methods that name it among what they read."""
    UPDATE = auto()
    """Of an update alone; no run and no cell of a benchmark reads it."""
    COMPOSITION = auto()
    """Which models and comparisons there are."""
    CONTROL = auto()
    """A comparison of base alone, which a run makes once, not for every replicate."""
    PERTURBATION = auto()
    """Of the test perturbation."""
    EVALUATION = auto()
    """Of a model's lists and accuracy."""
    COMPARISON = auto()
    """Of the similarity of given lists."""


_HERE = Role.PLACE | Role.RESUMABLE
_OF_CONTROL = Role.COMPOSITION | Role.CONTROL

ROLES: dict[str, Role] = {
    # what is trained, and where
    "model": Role.WHAT,
    "dataset": Role.WHAT,
    "device": Role.WHAT,
    "model_class": Role.WHAT | Role.DERIVED,
    "data_path": _HERE | Role.PATH,
    "config_files": Role.PLACE,
    "base_checkpoint": Role.PLACE,
    "output_dir": _HERE,
    "checkpoint_dir": _HERE | Role.DERIVED,
    "overwrite": _HERE,
    "resume": _HERE,
    "checkpoint_interval": _HERE,
    "explicit": _HERE,
    "show_progress": _HERE,
    "state": _HERE,
    "worker": _HERE,
    "log_wandb": Role.PLACE,
    "wandb_project": Role.PLACE,
    "save_dataset": Role.PLACE,
    "dataset_save_path": Role.PLACE,
    "save_dataloaders": Role.PLACE,
    "dataloaders_save_path": Role.PLACE,
    "gpu_id": _HERE,
    "use_gpu": Role.PLACE,
    "nproc": Role.PLACE,
    "world_size": Role.PLACE,
    "ip": _HERE,
    "port": _HERE,
    "offset": Role.PLACE,
    "single_spec": Role.PLACE,
    "local_rank": _HERE,
    "group_offset": _HERE,
    "process_timeout": _HERE,
    "loss_decimal_place": Role.PLACE,
    # worked out from others
    "MODEL_TYPE": Role.DERIVED,
    "MODEL_INPUT_TYPE": Role.DERIVED,
    "eval_type": Role.DERIVED,
    "valid_metric_bigger": Role.DERIVED,
    "valid_neg_sample_args": Role.DERIVED,
    "test_neg_sample_args": Role.DERIVED,
    # base
    "shuffle_order": Role.TRAINING,
    "time_order": Role.TRAINING,
    "learning_rate_schedule": Role.TRAINING,
    "warmup_ratio": Role.TRAINING,
    "weight_average": Role.TRAINING,
    "weight_average_decay": Role.TRAINING,
    "training_mode": Role.TRAINING,
    "packed_stride": Role.TRAINING,
    "target_stride": Role.TRAINING,
    "recent_only": Role.TRAINING,
    "compile_model": Role.TRAINING,
    "pre_model_path": Role.TRAINING | Role.PATH,
    "score_memory": Role.ROUNDING,
    "resident_memory": Role.ROUNDING,
    "eval_batch_size": Role.ROUNDING,
    "metric_decimal_place": Role.ROUNDING,
    "reproducibility": Role.ROUNDING,
    # reference lists
    "reference_k": Role.REFERENCE,
    "reference_source": Role.REFERENCE,
    # fine-tuning
    "finest_epochs": Role.FINE_TUNING,
    "finest_learning_rate": Role.FINE_TUNING,
    "finest_early_stopping": Role.FINE_TUNING,
    "finest_dropout": Role.METHOD,
    "rank_weight": Role.METHOD,
    "rank_margin": Role.METHOD,
    "rank_reduction": Role.METHOD,
    "rank_instances_per_batch": Role.METHOD,
    "simulation_ratio": Role.METHOD,
    "simulation_kinds": Role.METHOD,
    "simulation_item": Role.METHOD,
    "distillation_weight": Role.METHOD,
    "distillation_temperature": Role.METHOD,
    "listmle_weight": Role.METHOD,
    "adversarial_weight": Role.METHOD,
    "adversarial_epsilon": Role.METHOD,
    "update_news_power": Role.UPDATE,
    "update_list_age": Role.UPDATE,
    # which models and comparisons there are
    "baselines": Role.COMPOSITION,
    "ensemble_size": Role.COMPOSITION,
    "recipe": Role.COMPOSITION,
    "reference_model": Role.COMPOSITION,
    "filter_seen": Role.COMPOSITION,
    "catalogue_overlap": Role.COMPOSITION,
    "control": _OF_CONTROL,
    "seed_control": _OF_CONTROL,
    "recbole_order_baseline": _OF_CONTROL,
    "seeds": _HERE,  # more of them may be added to a finished run
    "perturbation_seeds": _HERE,
    # the test perturbation
    "perturbation_kind": Role.PERTURBATION,
    "perturbation_selection": Role.PERTURBATION,
    "perturbation_item": Role.PERTURBATION,
    "perturbation_ratio": Role.PERTURBATION,
    "perturbation_count": Role.PERTURBATION,
    "perturbation_per_user": Role.PERTURBATION,
    "perturbation_position": Role.PERTURBATION,
    "perturbation_users": Role.PERTURBATION,
    "perturbation_seed": Role.PERTURBATION,
    "perturbation_file": Role.PERTURBATION | Role.PATH,
    # evaluation
    "metrics": Role.EVALUATION | Role.COMPARISON,
    "topk": Role.EVALUATION | Role.COMPARISON,
    "list_depth": Role.EVALUATION,
    "measured_on": Role.EVALUATION,
    "rbo_p": Role.COMPARISON,
}

NO_ROLE = Role(0)
_OF_BASE = Role.WHAT | Role.DERIVED | Role.TRAINING | Role.ROUNDING


def having(role: Role) -> frozenset[str]:
    """Names of the settings that belong to ``role``."""
    return frozenset(name for name, roles in ROLES.items() if roles & role)


def of_base(settings: Mapping[str, Any], also: Role = NO_ROLE) -> dict[str, Any]:
    """The settings that base's training depends on, a name of nobody's among them.

    Args:
        settings: values by name.
        also: roles whose settings matter, too.
    """
    counted = _OF_BASE | also
    return {
        name: value
        for name, value in settings.items()
        if name not in ROLES or (ROLES[name] & counted and not ROLES[name] & Role.PLACE)
    }


def of_role(settings: Mapping[str, Any], role: Role) -> dict[str, Any]:
    """The settings that belong to ``role``."""
    return {n: v for n, v in settings.items() if ROLES.get(n, NO_ROLE) & role}
