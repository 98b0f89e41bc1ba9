"""The settings: where their defaults and meanings stand, and the checks that they must pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from recbole_finest.compat import ScalarLoader
from recbole_finest.config.values import GENERAL, Rule, is_number
from recbole_finest.errors import UserError, nearest, shown
from recbole_finest.formats.yaml_file import read_yaml as load_yaml_file

PACKAGE = Path(__file__).parents[1]
EXPLICIT = "explicit"  # in a run's config.yaml: the settings that the user gave
SEE_HELP = "see --help for the settings"
NOT_IN_SOURCE = "the source of model '{}' does not name it, but a YAML file may give it any setting"


def properties_dir() -> Path:
    """The shipped ``properties`` folder: inside the installed package, or beside it in a checkout."""
    inside = PACKAGE / "properties"
    return inside if inside.is_dir() else PACKAGE.parent / "properties"


def read_yaml(path: str | Path, loader: Any = ScalarLoader) -> dict[str, Any]:
    """Read a YAML file of settings; ``loader`` is PyYAML's class that does it.

    Raises:
        UserError: the file is missing, is no YAML, or is not a mapping of settings.
    """
    try:
        loaded = load_yaml_file(path, loader)
    except OSError as error:
        raise UserError(f"config file '{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"config file '{path}' is not valid YAML: {error}") from error
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


def described_sections(path: Path) -> dict[str, dict[str, str]]:
    """``{section: {setting: "(type) meaning"}}``; a section begins with a comment of its own line.

    The comments at the top of the file are none.
    """
    meanings = described_settings(path)
    sections: dict[str, dict[str, str]] = {}
    title = None
    for before, line in pairwise(["", *path.read_text(encoding="utf-8").splitlines()]):
        if line.startswith("# ") and before == "":
            title = line[2:]
        name = line.partition(":")[0]
        if name in meanings and title is not None:
            sections.setdefault(title, {})[name] = meanings[name]
    return sections


def check_values(settings: Mapping[str, Any], rules: Mapping[str, Rule] = GENERAL) -> None:
    """Check every setting that has a rule.

    Args:
        settings: values by name.
        rules: those of the model, from :func:`rules_of`; without it those of every model.

    Raises:
        UserError: naming the setting, its value and what it must be.
    """
    for name, value in settings.items():
        if name in rules:
            rules[name].check(name, value)


def check_known(given: Iterable[str], known: Iterable[str], otherwise: str = SEE_HELP) -> None:
    """Refuse a setting that nobody reads, naming the nearest one that somebody does, or ``otherwise``."""
    known = set(known)
    for name in given:
        if name not in known:
            hint = nearest(name, known, otherwise)
            raise UserError(f"unknown setting '{name}'; {hint}")


def check_type(name: str, value: object, default: object, meaning: str = "") -> None:
    """Refuse a value whose type cannot be that of the default of a setting without a rule.

    Numbers and flags only: of a model of the user's own, whose YAML file says no more.

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
        good, text = is_number(value), "a number"
    else:
        return
    if not good and value is not None:
        raise UserError(f"{name} is {shown(value)}, but must be {text}")
