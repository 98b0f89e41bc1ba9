"""The settings: where their defaults and meanings stand, and the checks that they must pass."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from recbole_finest.compat import ScalarLoader
from recbole_finest.errors import UserError

EXPLICIT = "explicit"  # in a run's config.yaml: the settings that the user gave
Check = tuple[str, Callable[[Any], bool]]


def properties_dir() -> Path:
    """The shipped ``properties`` folder: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "properties"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "properties"


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file of settings.

    Raises:
        UserError: the file is missing, is no YAML, or is not a mapping of settings.
    """
    try:
        loaded = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=ScalarLoader)
    except OSError as error:
        raise UserError(f"config file '{path}' cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise UserError(
            f"config file '{path}' is not valid YAML: {' '.join(str(error).split())}"
        ) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UserError(f"config file '{path}' must hold 'setting: value' lines")
    return loaded


def read_settings(files: Iterable[str | Path]) -> tuple[dict[str, Any], set[str]]:
    """Settings of several YAML files, later ones first in precedence.

    Returns:
        The settings, and the names of those that nobody gave: a run's ``config.yaml`` holds its
        defaults too, and names under ``explicit`` those that were given.

    Raises:
        UserError: as :func:`read_yaml`.
    """
    merged: dict[str, Any] = {}
    defaults: set[str] = set()
    for file in files:
        found = read_yaml(file)
        given = found.pop(EXPLICIT, None)
        defaults -= set(found)
        if given is not None:
            defaults |= set(found) - set(given)
        merged.update(found)
    return merged, defaults


def described_settings(path: Path) -> dict[str, str]:
    """``{setting: "(type) meaning"}`` from the comments of a properties file."""
    line = re.compile(r"^(\w+):.*?#\s*(\(.*)$")
    found = (line.match(text) for text in path.read_text(encoding="utf-8").splitlines())
    return {match[1]: match[2].strip() for match in found if match}


def _number(value: Any) -> bool:
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
    return text, lambda v: _number(v) and test(v)


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
        "a list of deletion, replacement and insertion",
        lambda v: (
            isinstance(v, list)
            and len(v) > 0
            and set(map(str, v)) <= {"deletion", "replacement", "insertion"}
        ),
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
    "perturbation_ratio": _real("a number from 0 to 1", lambda v: 0 <= v <= 1),
    "perturbation_count": _whole(1, optional=True),
    "perturbation_per_user": _whole(1, optional=True),
    "perturbation_position": _one_of("begin", "middle", "end"),
    "perturbation_seed": _whole(0),
    "perturbation_seeds": _distinct_wholes(),
    "seeds": _distinct_wholes(),
    "perturbation_file": _TEXT,
    "shuffle_order": _one_of("stable", "recbole"),
    "control": _FLAG,
    "seed_control": _FLAG,
    "recbole_order_baseline": _FLAG,
    "filter_seen": _FLAG,
    "catalogue_overlap": _FLAG,
    "rbo_p": _real("a number between 0 and 1, both excluded", lambda v: 0 < v < 1),
    "list_depth": _whole(1),
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
}


def check_values(settings: Mapping[str, Any]) -> None:
    """Check every setting that has a rule.

    Raises:
        UserError: naming the setting, its value and what it must be.
    """
    for name, (text, test) in CHECKS.items():
        if name in settings and not test(settings[name]):
            raise UserError(f"{name} is {settings[name]!r}, but must be {text}")
    stride, length = settings.get("packed_stride"), settings.get("MAX_ITEM_LIST_LENGTH")
    if stride and length and stride > length:
        raise UserError(
            f"packed_stride is {stride}, but must not exceed MAX_ITEM_LIST_LENGTH ({length})"
        )


def check_known(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a setting that nobody reads, naming the nearest one that somebody does."""
    known = set(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean '{near[0]}'?" if near else "see --help for the settings"
            raise UserError(f"unknown setting '{name}'; {hint}")


def check_type(name: str, value: Any, default: Any, meaning: str = "") -> None:
    """Refuse a value whose type cannot be that of the setting's default (numbers and flags only).

    Args:
        name, value: the setting.
        default: its default.
        meaning: its ``(type) meaning``, which wins where RecBole's default has another type.
    """
    if type(default) is int and not meaning.startswith("(int"):
        if meaning.startswith("(float"):
            default = float(default)
        elif meaning:
            return
    if isinstance(default, bool):
        good, text = isinstance(value, bool), "True or False"
    elif isinstance(default, int):
        good, text = isinstance(value, int) and not isinstance(value, bool), "a whole number"
    elif isinstance(default, float):
        good, text = _number(value), "a number"
    else:
        return
    if not good and value is not None and name not in CHECKS:
        raise UserError(f"{name} is {value!r}, but must be {text}")
