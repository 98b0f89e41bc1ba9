"""Each workaround for RecBole 1.2.1: still needed (a failure here says that it can go), and working."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from recbole_finest.compat import (
    ScalarLoader,
    WholePath,
    load_checkpoint,
    name_numpy_types,
    parse_value,
    plain_state,
    quiet_recbole,
)
from recbole_finest.errors import UserError

from .contract.stock import stock_checkpoint
from .contract.toy_data import write_toy_data


def in_a_new_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# TensorBoard's folder ----------------------------------------------------------------------------


def test_recbole_writes_for_tensorboard_where_the_whole_path_says(tmp_path, monkeypatch):
    from recbole.utils import get_tensorboard

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    handler, logger = logging.NullHandler(), logging.Logger("tensorboard")
    logger.addHandler(handler)
    wanted = tmp_path / "a run.1" / "tensorboard" / "base"
    for path, folder in [
        (str(wanted), tmp_path / "here" / "log_tensorboard" / "base"),
        (WholePath(wanted), wanted),
    ]:
        handler.baseFilename = path
        get_tensorboard(logger).close()
        assert [file.parent for file in tmp_path.rglob("events.out.*")] == [folder]
        next(folder.iterdir()).unlink()


# Anomaly detection -------------------------------------------------------------------------------

ASK = "import torch; print(torch.is_anomaly_enabled())"


def test_recbole_switches_anomaly_detection_on():
    assert in_a_new_process(f"import recbole.model.sequential_recommender.sine; {ASK}") == "True"


def test_ours_does_not():
    find = "from recbole_finest.model.find import find_model, model_names; find_model('SINE')"
    assert in_a_new_process(f"{find}; find_model('SASRec'); model_names(); {ASK}") == "False"


# Settings ----------------------------------------------------------------------------------------


def test_recbole_evaluates_command_line_strings():
    from recbole.config import Config

    given = {"x": "__import__('os').sep"}
    assert Config._convert_config_dict(None, dict(given)) == {"x": os.sep}


def test_yaml_reads_1e_3_as_a_string():
    assert yaml.safe_load("1e-3") == "1e-3"
    assert yaml.load("1e-3", Loader=ScalarLoader) == 0.001


VALUES = [
    ("1e-3", 0.001),
    ("-2.5E+2", -250.0),
    (".5", 0.5),
    ("7", 7),
    ("1e3", 1000.0),
    ("True", True),
    ("false", False),
    ("None", None),
    ("null", None),
    ("", None),
    ("[1, 2]", [1, 2]),
    ("[a,None]", ["a", None]),
    ("['Recall','NDCG']", ["Recall", "NDCG"]),
    ("{'LS': 'valid_and_test'}", {"LS": "valid_and_test"}),
    ("[250,inf)", "[250,inf)"),
    ("runs/a b", "runs/a b"),
    ("my_pkg.my_module:MyModel", "my_pkg.my_module:MyModel"),
    ("__import__('os').sep", "__import__('os').sep"),
    ("2 + 2", "2 + 2"),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text or "empty" for text, _ in VALUES])
def test_command_line_values(text, value):
    found = parse_value(text)
    assert found == value and type(found) is type(value)


def test_settings_become_plain_values():
    settings = {"device": torch.device("cpu"), "k": (1, 2), "r": {"a": np.float64}, "n": None}
    plain = plain_state(settings)
    assert plain["device"] == "cpu" and plain["k"] == [1, 2] and plain["n"] is None
    assert yaml.safe_load(yaml.safe_dump(plain)) == plain


# NumPy's types ----------------------------------------------------------------------------------


def test_recbole_reads_names_that_numpy_2_took_away(monkeypatch):
    from recbole.config import Config

    new = not np.__version__.startswith("1.")
    for name in ("float_", "complex_", "unicode_"):
        if new:
            monkeypatch.delattr(np, name)
        assert hasattr(np, name) != new
    if new:
        with pytest.raises(AttributeError, match="float_"):
            Config.compatibility_settings(None)
    name_numpy_types()
    Config.compatibility_settings(None)
    found = [np.dtype(kind) for kind in (np.float, np.float_, np.complex_, np.unicode_)]
    assert found == [np.float64, np.float64, np.complex128, np.dtype(str)]


# Warnings ----------------------------------------------------------------------------------------


def warnings_of_recbole(tmp_path, quiet: bool) -> list[str]:
    from .contract.cases import make_config

    folder = write_toy_data(tmp_path / f"data{quiet}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if quiet:
            quiet_recbole()
        from recbole_finest.data.dataset import create_dataset

        create_dataset(make_config("GRU4RecF", folder, tmp_path)).build()
    shown = [w for w in caught if not issubclass(w.category, DeprecationWarning)]
    return [f"{w.category.__name__}: {w.message}" for w in shown if "/recbole/" in w.filename]


def test_recboles_own_warnings_are_silenced(tmp_path):
    try:
        torch.set_warn_always(True)
        seen = warnings_of_recbole(tmp_path, quiet=False)
        assert warnings_of_recbole(tmp_path, quiet=True) == []
    finally:
        torch.set_warn_always(False)
    found = {warning.split(":")[0] for warning in seen}
    of_pandas = {"1": set(), "2": {"FutureWarning"}, "3": {"ChainedAssignmentError", "UserWarning"}}
    assert found == of_pandas[pd.__version__[0]]


# Checkpoints -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data_path(tmp_path_factory):
    return write_toy_data(tmp_path_factory.mktemp("stock"))


@pytest.mark.parametrize("name", ["SASRec", "GRU4RecF"])
def test_recboles_checkpoints(data_path, tmp_path, name):
    path = stock_checkpoint(name, data_path, tmp_path, epochs=1)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)  # why there is an allow-list
    ours, trusted = load_checkpoint(path), torch.load(path, weights_only=False)
    assert ours["config"].final_config_dict["model"] == name
    assert ours["config"].final_config_dict["seed"] == 7
    assert set(ours["state_dict"]) == set(trusted["state_dict"])
    for key, weight in trusted["state_dict"].items():
        assert torch.equal(ours["state_dict"][key], weight)
    # GRU4RecF's holds a layer with the whole data set; its weights are in state_dict too
    for layer in trusted["other_parameter"]:
        inside = trusted["other_parameter"][layer].state_dict()
        assert {f"{layer}.{key}" for key in inside} <= set(ours["state_dict"])


class Malicious:
    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def write_torch(content, path):
    torch.save(content, path)


def write_torch_before_1_6(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def write_pickle(content, path):
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("write", [write_torch, write_torch_before_1_6, write_pickle])
def test_a_malicious_checkpoint_is_refused_by_name_and_not_run(tmp_path, write):
    marker, path = tmp_path / "executed", tmp_path / "malicious.pth"
    write({"state_dict": {}, "config": Malicious(marker)}, path)
    with pytest.raises(UserError, match=r"mkdir"):
        load_checkpoint(path)
    assert not marker.exists()


CODE = [
    (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
    (b"crecbole.data.dataset\nos.system\n(S'true'\ntR.", "os.system"),
    (b"crecbole.utils.enum_type\nEnum.__init_subclass__.__globals__\n.", "__globals__"),
    (b"ctorch.storage\n_load_from_bytes\n(S'x'\ntR.", "_load_from_bytes"),
    (b"cnumpy\nload\n.", "numpy.load"),
]


@pytest.mark.parametrize(("code", "said"), CODE, ids=[said for _, said in CODE])
def test_nothing_outside_the_list_is_resolved(tmp_path, code, said):
    path = tmp_path / "crafted.pth"
    path.write_bytes(b"\x80\x02" + code)
    with pytest.raises(UserError, match=said):
        load_checkpoint(path)


def test_what_nothing_reads_is_not_even_made(tmp_path):
    from recbole.data.interaction import Interaction

    path = tmp_path / "with_data.pth"
    torch.save({"state_dict": {"w": torch.ones(2)}, "data": Interaction({"a": [1]})}, path)
    loaded = load_checkpoint(path)
    assert torch.equal(loaded["state_dict"]["w"], torch.ones(2))
    assert not isinstance(loaded["data"], Interaction) and not vars(loaded["data"])


def test_a_bare_state_dict_is_a_checkpoint(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "bare.pth")
    assert torch.equal(load_checkpoint(tmp_path / "bare.pth")["state_dict"]["w"], torch.ones(2))


@pytest.mark.parametrize("content", [b"", b"epoch,loss\n0,1\n", b"PK\x03\x04 broken"])
def test_what_is_no_checkpoint(tmp_path, content):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"file\.pth' is not a PyTorch checkpoint"):
        load_checkpoint(tmp_path / "file.pth")


def test_a_checkpoint_without_weights(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "file.pth")
    with pytest.raises(UserError, match="no model's weights"):
        load_checkpoint(tmp_path / "file.pth")


def test_a_missing_checkpoint(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        load_checkpoint(tmp_path / "none.pth")
