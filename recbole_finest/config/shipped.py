"""The files with defaults that are shipped, RecBole's and ours, or lie beside a model's class."""

from __future__ import annotations

import copy
import inspect
from functools import lru_cache
from pathlib import Path
from typing import Any

import recbole

from recbole_finest.config.settings import properties_dir, read_yaml


def shipped(file: Path, loader: Any) -> dict[str, Any]:
    """The settings in a file, read once a process as long as it does not change.

    Args:
        file: YAML.
        loader: PyYAML's class that reads it.

    Raises:
        UserError: as :func:`read_yaml`.
    """
    return copy.deepcopy(_read(file, file.stat().st_mtime_ns, loader))


@lru_cache(maxsize=256)
def _read(file: Path, changed: int, loader: Any) -> dict[str, Any]:
    return read_yaml(file, loader)


def quick_start(name: str) -> str:
    """Path of one of RecBole's quick-start files."""
    return str(Path(recbole.__file__).parent / f"properties/quick_start_config/{name}.yaml")


def own_files(model_class: type, model: str, dataset: str) -> list[Path]:
    """Where our defaults of a model and a data set would stand, later ones first in precedence."""
    folder = properties_dir()
    return [
        folder / "finest.yaml",
        folder / "model" / f"{model}.yaml",
        folder / "dataset" / f"{dataset}.yaml",
        _beside(model_class, f"{model}.yaml"),
    ]


def _beside(model_class: type, name: str) -> Path:
    """The file of this name beside the class's own; of a class of a notebook, in the working directory."""
    try:
        return Path(inspect.getfile(model_class)).with_name(name)
    except (TypeError, OSError):
        return Path(name)
