"""What the value of a setting must be, setting by setting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from recbole_finest.data.intervals import is_interval
from recbole_finest.data.perturbation import KINDS

Check = tuple[str, Callable[[Any], bool]]  # what a value must be, in words, and whether it is


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _whole(low: int, optional: bool = False) -> Check:
    text = f"a whole number of at least {low}" + (", or null" if optional else "")
    return (
        text,
        lambda v: (optional and v is None) or (_is_whole(v) and v >= low),
    )


def _real(text: str, test: Callable[[float], bool]) -> Check:
    return text, lambda v: is_number(v) and test(v)


def _one_of(*names: str) -> Check:
    return "one of " + ", ".join(names), lambda v: v in names


def _list_of_names(text: str = "a list of names") -> Check:
    return text, lambda v: isinstance(v, list) and all(isinstance(x, str) for x in v)


def _distinct_wholes() -> Check:
    text = "a list of distinct whole numbers of at least 0, such as [0, 1, 2], or null"
    one = _whole(0)[1]
    return (
        text,
        lambda v: (
            v is None
            or (isinstance(v, list) and len(v) > 0 and all(map(one, v)) and len(set(v)) == len(v))
        ),
    )


def _names_by(value: Any, *words: Any) -> bool:
    """Whether a value maps names to lists of names, or to one of ``words``."""
    good = _list_of_names()[1]
    return isinstance(value, dict) and all(v in words or good(v) for v in value.values())


def _word_of(*names: str, optional: bool = False) -> Check:
    text = "one of " + ", ".join(names) + (", or null" if optional else "")
    return (
        text,
        lambda v: (optional and v is None) or (isinstance(v, str) and v.lower() in names),
    )


_INTERVAL: Check = (
    "an interval such as '[5,inf)', or null",
    lambda v: v is None or is_interval(v, several=False),
)
_CLIPPING = {"max_norm", "norm_type", "error_if_nonfinite", "foreach"}
_COLUMNS = "a mapping of files to lists of columns, such as {inter: [user_id, item_id]}"
_FLAG: Check = ("True or False", lambda v: isinstance(v, bool))
_TEXT: Check = ("a string, or null", lambda v: v is None or isinstance(v, str))

CHECKS: dict[str, Check] = {
    "finest_epochs": _whole(0),
    "finest_learning_rate": _real("a number above 0", lambda v: v > 0),
    "finest_early_stopping": _FLAG,
    "reference_k": _whole(2),
    "rank_weight": _real("a number of at least 0", lambda v: v >= 0),
    "rank_margin": _real("a number of at least 0", lambda v: v >= 0),
    "finest_dropout": _one_of("none", "next_item", "both"),
    "rank_reduction": _one_of("mean", "sum_over_users"),
    "rank_instances_per_batch": _whole(1, optional=True),
    "simulation_ratio": _real("a number from 0 to 1", lambda v: 0 <= v <= 1),
    "simulation_kinds": (
        f"a list of {' and '.join([', '.join(list(KINDS)[:-1]), list(KINDS)[-1]])}",
        lambda v: isinstance(v, list) and len(v) > 0 and set(map(str, v)) <= set(KINDS),
    ),
    "reference_model": _one_of("base", "own"),
    "reference_source": _one_of("evaluation", "last_training_epoch"),
    "baselines": _list_of_names(),
    "distillation_weight": _real("a number of at least 0", lambda v: v >= 0),
    "distillation_temperature": _real("a number above 0", lambda v: v > 0),
    "listmle_weight": _real("a number of at least 0", lambda v: v >= 0),
    "ensemble_size": _whole(2),
    "adversarial_weight": _real("a number of at least 0", lambda v: v >= 0),
    "adversarial_epsilon": _real("a number of at least 0", lambda v: v >= 0),
    "update_news_power": _real("a number of at least 0", lambda v: v >= 0),
    "update_list_age": (
        "a number above 0, or null",
        lambda v: v is None or (is_number(v) and v > 0),
    ),
    "perturbation_ratio": _real("a number from 0 to 1", lambda v: 0 <= v <= 1),
    "perturbation_count": _whole(1, optional=True),
    "perturbation_per_user": _whole(1, optional=True),
    "perturbation_position": _one_of("begin", "middle", "end"),
    "perturbation_seed": _whole(0),
    "perturbation_seeds": _distinct_wholes(),
    "seeds": _distinct_wholes(),
    "perturbation_file": _TEXT,
    "shuffle_order": _one_of("stable", "recbole"),
    "time_order": _one_of("exact", "recbole"),
    "learning_rate_schedule": _one_of("constant", "linear", "cosine"),
    "warmup_ratio": _real("a number from 0 to 1", lambda v: 0 <= v <= 1),
    "control": _FLAG,
    "seed_control": _FLAG,
    "recbole_order_baseline": _FLAG,
    "filter_seen": _FLAG,
    "catalogue_overlap": _FLAG,
    "rbo_p": _real("a number between 0 and 1, both excluded", lambda v: 0 < v < 1),
    "list_depth": _whole(1),
    "measured_on": _one_of("test", "valid"),
    "training_mode": _one_of("auto", "instance", "packed"),
    "target_stride": _whole(1),
    "recent_only": _FLAG,
    "packed_stride": _whole(1, optional=True),
    "score_memory": _whole(1),
    "resident_memory": _whole(0),
    "compile_model": _FLAG,
    "base_checkpoint": _TEXT,
    "output_dir": _TEXT,
    "overwrite": _FLAG,
    "resume": _FLAG,
    "checkpoint_interval": _whole(0),
    "nproc": _whole(1),
    "world_size": (
        "-1 or a whole number of at least 1",
        lambda v: _is_whole(v) and (v == -1 or v > 0),
    ),
    "ip": ("an address", lambda v: isinstance(v, str) and v != ""),
    "port": ("a whole number from 1 to 65535", lambda v: _is_whole(v) and 0 < v < 65536),
    "group_offset": _whole(0),
    "process_timeout": _whole(1),
    # RecBole's, whose wrong values end in a traceback there
    "seed": _whole(0),
    "epochs": _whole(0),
    "train_batch_size": _whole(1),
    "eval_batch_size": _whole(1),
    "learning_rate": _real("a number above 0", lambda v: v > 0),
    "MAX_ITEM_LIST_LENGTH": _whole(1),
    "stopping_step": _whole(0),
    "worker": _whole(0),
    "eval_step": _whole(0),
    "weight_decay": _real("a number of at least 0", lambda v: v >= 0),
    "clip_grad_norm": (
        "a mapping with max_norm, such as {max_norm: 5, norm_type: 2}, or null",
        lambda v: v is None or (isinstance(v, dict) and "max_norm" in v and set(v) <= _CLIPPING),
    ),
    "learner": _word_of("adam", "adamw", "sgd", "adagrad", "rmsprop", "sparse_adam"),
    "state": _word_of("debug", "info", "warning", "error", "critical", optional=True),
    "n_layers": _whole(1),
    "n_heads": _whole(1),
    "num_layers": _whole(1),
    "metrics": (
        "a list of names, such as [NDCG, RBO]",
        lambda v: len(v) > 0 if _list_of_names()[1](v) else False,
    ),
    "load_col": (f"{_COLUMNS}, or null", lambda v: v is None or _names_by(v, "*")),
    "unload_col": (f"{_COLUMNS}, or null", lambda v: v is None or _names_by(v)),
    "unused_col": (f"{_COLUMNS}, or null", lambda v: v is None or _names_by(v)),
    "val_interval": (
        "a mapping of columns to intervals, such as {rating: '[3,inf)'}, or null",
        lambda v: v is None or isinstance(v, dict),
    ),
    "benchmark_filename": (
        "a list of three names (of train, valid and test), or null",
        lambda v: v is None or (_list_of_names()[1](v) and len(v) == 3),
    ),
    "user_inter_num_interval": _INTERVAL,
    "item_inter_num_interval": _INTERVAL,
}
