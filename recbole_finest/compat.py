"""Everything that works around RecBole 1.2.1, in one place.

Each part names RecBole's file and the reason; ``tests/test_compat.py`` has one test for each that
fails once the workaround is no longer needed. Nothing here replaces one of RecBole's functions.
"""

from __future__ import annotations

import os
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import check_listed
from recbole_finest.formats.checkpoint import read_checkpoint
from recbole_finest.formats.yaml_file import load_yaml

# recbole/config/configurator.py: the float rule that makes `1e-3` a number, which YAML 1.1 does not.
_FLOAT = re.compile(
    r"""^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?
        |[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+
        |\.[0-9_]+(?:[eE][-+]?[0-9]+)?
        |[-+]?\.(?:inf|Inf|INF)
        |\.(?:nan|NaN|NAN))$""",
    re.X,
)


class ScalarLoader(yaml.SafeLoader):
    """Safe YAML with RecBole's float rule."""


ScalarLoader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def parse_value(text: str) -> Any:
    """Read a command-line value as a YAML scalar or collection, never with ``eval``.

    RecBole (config/configurator.py, ``_convert_config_dict``) evaluates every string as Python.
    ``None`` is null as it is there; what is no YAML, such as ``[250,inf)``, or no number that Python
    reads, stays a string, as does a blank: a separator.

    >>> parse_value("1e-3"), parse_value("None"), parse_value("[1, 2]"), parse_value("[250,inf)")
    (0.001, None, [1, 2], '[250,inf)')
    """
    if text and not text.strip():
        return text
    try:
        value = load_yaml(text, ScalarLoader)
    except (ValueError, RecursionError):  # ValueError: also 5,000 digits, the 31st of June
        return text
    return _none_words(value)


def _none_words(value: object) -> Any:
    if isinstance(value, str):
        return None if value == "None" else value
    if isinstance(value, list):
        return [_none_words(v) for v in value]
    if isinstance(value, dict):
        return {k: _none_words(v) for k, v in value.items()}
    return value


@contextmanager
def anomaly_detection_kept() -> Iterator[None]:
    """Restore autograd's anomaly detection to what it was.

    recbole/model/sequential_recommender/sine.py calls ``set_detect_anomaly(True)`` at import, and
    importing any sequential model imports it; every training step then takes two to three times as long.
    """
    before = torch.is_anomaly_enabled()
    try:
        yield
    finally:
        torch.autograd.set_detect_anomaly(before)


def name_numpy_types() -> None:
    """Give NumPy the three names that NumPy 2 took away and RecBole reads.

    recbole/config/configurator.py, ``compatibility_settings``, gives NumPy the older names that RecBole's
    modules read (``np.float`` and others), and takes them from ``np.float_``, ``np.complex_`` and
    ``np.unicode_``. RecBole's own Config, in a script, asks for them as ours does.
    """
    for name, kind in (("float_", np.float64), ("complex_", np.complex128), ("unicode_", np.str_)):
        if not hasattr(np, name):
            setattr(np, name, kind)


class WholePath(str):
    """A path that ``os.path.basename`` and a split at its dots leave whole.

    recbole/utils/utils.py, ``get_tensorboard``, writes below ``log_tensorboard`` in the working directory,
    into a folder called ``os.path.basename(handler.baseFilename).split(".")[0]`` after the first log file;
    an absolute path in its place is where the files go.
    """

    def __getitem__(self, key: object) -> WholePath:
        return self

    def split(self, *args: Any) -> list[str]:  # type: ignore[override]
        return [str(self)]


def quiet_recbole() -> None:
    """Silence the deprecation warnings that RecBole's own code causes; the user cannot act on them."""
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"recbole\.")
    # pandas 3 on filling missing values in place (data/tables.py), and PyTorch on the columns that it hands
    # out for reading only; the table that they are of is let go
    warnings.filterwarnings("ignore", message="A value is being set on a copy", module=r"recbole\.")
    warnings.filterwarnings("ignore", message=r".*NumPy array is not writable", module=r"recbole\.")
    warnings.filterwarnings("ignore", message=r".*torch\.cuda\.amp\.GradScaler.*")
    warnings.filterwarnings("ignore", message=r".*enable_nested_tensor.*")


def load_given_checkpoint(
    path: str | os.PathLike[str], model: str | type | None = None
) -> dict[str, Any]:
    """As :func:`load_checkpoint`, of a file that the user names and not this run has written.

    Raises:
        UserError: also where a manifest beside it names the file and its SHA-256 is another.
    """
    check_listed(path)
    return load_checkpoint(path, model=model)


def load_checkpoint(
    path: str | os.PathLike[str], map_location: Any = "cpu", model: str | type | None = None
) -> dict[str, Any]:
    """Read a checkpoint of ours, of RecBole, or a bare ``state_dict``, without running code from it.

    Ours holds tensors and plain values. RecBole's (trainer/trainer.py, ``_save_checkpoint``) holds a
    ``Config`` pickled with protocol 4, which ``torch.load`` refuses from 2.6 on. Nothing that either
    file names is called: see :mod:`recbole_finest.formats`.

    Args:
        path: the file.
        map_location: where its tensors go.
        model: what the user calls the model. RecBole's file names the class of its model, which is
            refused where it is a stranger's, unless this is ``package.module:Class`` or that class.

    Returns:
        A dict with at least ``state_dict``; RecBole's ``config`` is an object with
        ``final_config_dict``, ours a dict.

    Raises:
        UserError: the file is missing, damaged, no checkpoint, or names what a checkpoint does not need.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"checkpoint '{path}' does not exist; give the path of a .pth file")
    own = model.__name__ if isinstance(model, type) else str(model or "").partition(":")[2]
    loaded = read_checkpoint(path, map_location, own or None)
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        return loaded
    if isinstance(loaded, dict) and loaded and all(map(torch.is_tensor, loaded.values())):
        return {"state_dict": loaded}
    raise UserError(f"'{path}' holds no model's weights (a dict with 'state_dict')")


def is_own(config: Any) -> bool:
    """Whether settings are ours; RecBole's Config lacks ours and says not who gave one."""
    return hasattr(config, "is_explicit")


def check_own(config: Any, where: str) -> None:
    """Refuse RecBole's Config where ours is read.

    Raises:
        UserError: naming the function, and what takes RecBole's.
    """
    if not is_own(config):
        raise UserError(
            f"config is of type {type(config).__module__}.{type(config).__name__}, but {where} needs a "
            "recbole_finest.Config; recbole_finest.prepare_data and finetune take RecBole's"
        )


def plain_state(value: object) -> Any:
    """Turn configuration values into what ``torch.load(weights_only=True)`` and YAML can hold."""
    if isinstance(value, (dict, OrderedDict)):
        return {str(k): plain_state(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain_state(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
