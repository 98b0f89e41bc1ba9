"""Everything that works around RecBole 1.2.1, in one place.

Each part names RecBole's file and the reason; ``tests/test_compat.py`` has one test for each that
fails once the workaround is no longer needed. Nothing here replaces one of RecBole's functions.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import torch
import yaml

from recbole_finest.errors import UserError

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
    ``None`` is null as it is there; what is no YAML, such as ``[250,inf)``, stays a string.

    >>> parse_value("1e-3"), parse_value("None"), parse_value("[1, 2]"), parse_value("[250,inf)")
    (0.001, None, [1, 2], '[250,inf)')
    """
    try:
        value = yaml.load(text, Loader=ScalarLoader)
    except yaml.YAMLError:
        return text
    return _none_words(value)


def _none_words(value: Any) -> Any:
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


def quiet_recbole() -> None:
    """Silence the deprecation warnings that RecBole's own code causes; the user cannot act on them."""
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"recbole\.")
    warnings.filterwarnings("ignore", message=r".*torch\.cuda\.amp\.GradScaler.*")
    warnings.filterwarnings("ignore", message=r".*enable_nested_tensor.*")


class _Inert:
    """Stands for an object of a checkpoint that nothing here reads; none of its code is run."""

    def __new__(cls, *args: Any, **kwargs: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def _ignore(self, *args: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = _ignore


class _AllowListUnpickler(pickle.Unpickler):
    """Resolves what a RecBole checkpoint's weights and settings are made of, and nothing else.

    Beside them it holds classes that nothing here reads: the model's, and in ``other_parameter`` a
    layer with the data set in it. These are known by name and stay :class:`_Inert`.
    """

    _NAMES = {
        "collections.OrderedDict",
        "collections.defaultdict",
        "numpy.core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy.dtype",
        "numpy.ndarray",
        "recbole.config.configurator.Config",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor_v2",
        "torch.device",
        "torch.serialization._get_layout",
    }
    _ENUMS = "recbole.utils.enum_type"
    _INERT = re.compile(
        r"recbole\.model\.[a-z_]+_recommender\.[a-z0-9_]+\.\w+"
        r"|recbole\.model\.layers\.\w+"
        r"|recbole_finest\.model\.[a-z0-9_]+\.\w+"
        r"|recbole\.data\.(dataset\.[a-z_]+_dataset|interaction)\.\w+"
        r"|recbole\.sampler\.sampler\.\w+"
        r"|torch\.nn\.modules\.[a-z]+\.\w+"
        r"|logging\.getLogger"
        r"|yaml\.loader\.FullLoader"
    )

    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full in self._NAMES or (
            module == "torch" and name.isalpha() and name.endswith("Storage")
        ):
            return super().find_class(module, name)
        if self._INERT.fullmatch(full):
            return _Inert
        if module == self._ENUMS and name.isidentifier():
            found = super().find_class(module, name)
            if isinstance(found, type) and issubclass(found, Enum):
                return found
        raise UserError(
            f"the checkpoint contains '{full}', which is not on the list of classes that a RecBole "
            "checkpoint needs, so it is not loaded; save its state_dict alone where it was trained"
        )


class _AllowListPickle:
    """What ``torch.load`` expects of a ``pickle_module``."""

    __name__ = "recbole_finest.compat"
    Unpickler = _AllowListUnpickler
    UnpicklingError = pickle.UnpicklingError

    @staticmethod
    def load(file: Any, **kwargs: Any) -> Any:
        return _AllowListUnpickler(file, **kwargs).load()


def load_checkpoint(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """Read a checkpoint of ours, of RecBole, or a bare ``state_dict``, without running code from it.

    Ours holds tensors and plain values. RecBole's (trainer/trainer.py, ``_save_checkpoint``) holds a
    ``Config`` pickled with protocol 4, which ``torch.load`` refuses from 2.6 on; its classes are
    resolved through an allow-list here.

    Returns:
        A dict with at least ``state_dict``; RecBole's ``config`` is an object with
        ``final_config_dict``, ours a dict.

    Raises:
        UserError: the file is missing, is no checkpoint, or names a class outside the allow-list.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"checkpoint '{path}' does not exist; give the path of a .pth file")
    loaded = _load(path, map_location)
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        return loaded
    if isinstance(loaded, dict) and loaded and all(map(torch.is_tensor, loaded.values())):
        return {"state_dict": loaded}
    raise UserError(f"'{path}' holds no model's weights (a dict with 'state_dict')")


def _load(path: Path, map_location: Any) -> Any:
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception:  # not ours: RecBole's, or no checkpoint at all
        pickles = _AllowListPickle()
    try:
        return torch.load(
            path, map_location=map_location, weights_only=False, pickle_module=pickles
        )
    except UserError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        raise UserError(f"'{path}' is not a PyTorch checkpoint ({text})") from error


def plain_state(value: Any) -> Any:
    """Turn configuration values into what ``torch.load(weights_only=True)`` and YAML can hold."""
    if isinstance(value, (dict, OrderedDict)):
        return {str(k): plain_state(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain_state(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
