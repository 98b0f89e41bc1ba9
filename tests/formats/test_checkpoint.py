"""Checkpoints from strangers: nothing is run, nothing outside changes, sizes are looked at first."""

from __future__ import annotations

import pickle
import struct
import sys
import zipfile

import numpy as np
import pytest
import torch

from recbole_finest.compat import load_checkpoint
from recbole_finest.errors import UserError
from recbole_finest.formats.checkpoint import read_checkpoint
from recbole_finest.formats.pickled import Inert


def write_archive(content, path):
    torch.save(content, path)


def write_stream(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def write_pickle(content, path):
    path.write_bytes(pickle.dumps(content))


def in_archive(code: bytes, path) -> None:
    """An archive whose ``data.pkl`` is this program."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", code)
        file.writestr("archive/data/0", bytes(16))


CONTAINERS = pytest.mark.parametrize("write", [write_archive, write_stream, write_pickle])


# What is read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [write_archive, write_stream])
def test_reads_what_torch_load_reads(tmp_path, write):
    matrix = torch.arange(12.0).reshape(3, 4)
    dtypes = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16]
    saved = {
        "state_dict": {
            "view": matrix.t()[1:],
            "whole": matrix,
            "parameter": torch.nn.Parameter(matrix + 1),
            "scalar": torch.tensor(3.5),
            "empty": torch.zeros(0, 4),
            **{str(d): torch.arange(5).to(d) for d in [*dtypes, torch.int8, torch.uint8]},
            "bool": torch.tensor([True, False]),
        },
        "epochs": (1, [2, {"a": None}], "three", 4.5, True, b"six"),
        "best": np.float64(0.25),
        "best32": np.float32(0.5),
        "count": np.int64(-3),
    }
    write(saved, tmp_path / "a.pth")
    found = read_checkpoint(tmp_path / "a.pth")
    known = torch.load(tmp_path / "a.pth", weights_only=False)
    assert found["epochs"] == known["epochs"]
    assert [found["best"], found["best32"], found["count"]] == [0.25, 0.5, -3]
    assert list(found["state_dict"]) == list(known["state_dict"])
    for name, tensor in known["state_dict"].items():
        assert found["state_dict"][name].dtype == tensor.dtype
        assert torch.equal(found["state_dict"][name], tensor)
    found["state_dict"]["whole"][1, 1] = 50.0  # views of one storage still share it
    assert found["state_dict"]["view"][0, 1] == 50.0


def test_a_module_keeps_the_versions_of_its_state(tmp_path):
    state = torch.nn.BatchNorm1d(2).state_dict()
    torch.save({"state_dict": state}, tmp_path / "a.pth")
    assert read_checkpoint(tmp_path / "a.pth")["state_dict"]._metadata == state._metadata


# What could run ----------------------------------------------------------------------------------


class Constructed:
    """Pickled as a call of RecBole's Config, whose constructor evaluates strings."""

    def __init__(self, marker):
        self.code = f"__import__('os').mkdir({str(marker)!r})"

    def __reduce__(self):
        from recbole.config.configurator import Config

        return Config, ("BPR", "x", None, {"a": self.code})


@CONTAINERS
def test_a_config_is_never_constructed(tmp_path, write):
    marker, path = tmp_path / "executed", tmp_path / "evil.pth"
    write({"state_dict": {"w": torch.ones(1)}, "config": Constructed(marker)}, path)
    if write is write_pickle:
        with pytest.raises(UserError, match="_load_from_bytes"):
            load_checkpoint(path)
    else:
        loaded = load_checkpoint(path)
        assert loaded["config"].final_config_dict == {}
    assert not marker.exists()


class Overwriting(torch.nn.Module):
    """TorchScript that fills a file when it is loaded."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.filled = 0

    @torch.jit.export
    def __getstate__(self):
        return (self.path, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]):
        self.path = state[0]
        self.training = state[1]
        self.filled = int(torch.from_file(self.path, True, 4, dtype=torch.uint8).fill_(65).sum())

    def forward(self, x):
        return x


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_torchscript_is_refused_before_it_is_loaded(tmp_path):
    victim, path = tmp_path / "victim.txt", tmp_path / "evil.pth"
    victim.write_text("kept")
    torch.jit.save(torch.jit.script(Overwriting(str(victim))), str(path))
    victim.write_text("kept")
    with pytest.raises(UserError, match="TorchScript archive"):
        load_checkpoint(path)
    assert victim.read_text() == "kept"
    torch.jit.load(str(path))
    assert victim.read_text() == "AAAA"  # what the refusal is for


HEAD = b"\x80\x02"
CALLS = {
    "a storage of 4 GB": HEAD + b"ctorch\nFloatStorage\nJ\x00\x00\x00\x40\x85R.",
    "an enum": HEAD + b"crecbole.utils.enum_type\nModelType\nK\x01\x85R.",
    "a container with items that call": HEAD + b"ccollections\nOrderedDict\nctorch\ndevice\n\x85R.",
}


@pytest.mark.parametrize("code", CALLS.values(), ids=list(CALLS))
def test_calls_in_a_pickle_allocate_and_run_nothing(tmp_path, code):
    in_archive(code, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"a\.pth'"):
        load_checkpoint(tmp_path / "a.pth")


# What could fill the memory ----------------------------------------------------------------------


def tensor_code(storage: int, size: int, stride: int, offset: int = 0) -> bytes:
    """A pickle of ``{"state_dict": {"w": tensor}}`` that says what it likes of the tensor's sizes."""

    def number(value: int) -> bytes:
        return b"\x8a\x08" + struct.pack("<q", value)

    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    pid += number(storage) + b"tQ"
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + number(offset)
    rebuilt += number(size) + b"\x85" + number(stride) + b"\x85\x89}tR"
    return HEAD + b"}X\x0a\x00\x00\x00state_dict}X\x01\x00\x00\x00w" + rebuilt + b"ss."


def test_the_crafted_tensor_is_read_when_it_is_right(tmp_path):
    in_archive(tensor_code(storage=4, size=2, stride=2, offset=1), tmp_path / "a.pth")
    assert torch.equal(load_checkpoint(tmp_path / "a.pth")["state_dict"]["w"], torch.zeros(2))


CLAIMS = {
    "a storage of 4 TB": tensor_code(10**12, 1, 1),
    "a negative storage": tensor_code(-4, 1, 1),
    "a tensor beyond its storage": tensor_code(4, 5, 1),
    "an offset beyond it": tensor_code(4, 1, 1, offset=4),
    "a negative offset": tensor_code(4, 1, 1, offset=-1),
    "a stride beyond it": tensor_code(4, 2, 10**9),
    "a negative stride": tensor_code(4, 2, -1, offset=1),
    "one element again and again": tensor_code(4, 10**12, 0),
}


@pytest.mark.parametrize("code", CLAIMS.values(), ids=list(CLAIMS))
def test_sizes_are_compared_with_what_is_there(tmp_path, code):
    in_archive(code, tmp_path / "a.pth")
    with pytest.raises(UserError, match="not a PyTorch checkpoint"):
        load_checkpoint(tmp_path / "a.pth")


def test_lists_of_the_same_lists_end(tmp_path):
    nested: list = []
    for _ in range(60):
        nested = [nested, nested]
    torch.save({"state_dict": {"w": torch.ones(1)}, "nested": nested}, tmp_path / "a.pth")
    with pytest.raises(UserError, match="more values than it has bytes"):
        load_checkpoint(tmp_path / "a.pth")


def test_a_list_within_itself_ends(tmp_path):
    endless: list = []
    endless.append(endless)
    torch.save({"state_dict": {"w": torch.ones(1)}, "endless": endless}, tmp_path / "a.pth")
    with pytest.raises(UserError, match="not a PyTorch checkpoint"):
        load_checkpoint(tmp_path / "a.pth")


def test_a_memo_of_any_index_takes_no_room(tmp_path):
    in_archive(HEAD + b"}r\xff\xff\xff\x7f.", tmp_path / "a.pth")  # LONG_BINPUT 2^31 - 1
    assert read_checkpoint(tmp_path / "a.pth") == {}


def test_compressed_parts_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", HEAD + b"}.")
        file.writestr("archive/data/0", bytes(10**6))
    with pytest.raises(UserError, match="compressed"):
        load_checkpoint(tmp_path / "a.pth")


# Damage ------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"state_dict": {"w": torch.full((256,), 0.5)}}, path)
    content = bytearray(path.read_bytes())
    content[content.index(struct.pack("<4f", *[0.5] * 4)) + 100] ^= 4
    path.write_bytes(content)
    torch.load(path, weights_only=True)  # PyTorch takes it
    with pytest.raises(UserError, match="Bad CRC-32"):
        load_checkpoint(path)


@pytest.mark.parametrize("write", [write_archive, write_stream])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path, write, share):
    write({"state_dict": {"w": torch.ones(100)}}, tmp_path / "a.pth")
    content = (tmp_path / "a.pth").read_bytes()
    (tmp_path / "a.pth").write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=r"a\.pth' is not a PyTorch checkpoint"):
        load_checkpoint(tmp_path / "a.pth")


# A model's own class -----------------------------------------------------------------------------


class Constructing:
    """A class that says so when anything of it is used."""

    def __new__(cls, *args):
        raise AssertionError("constructed")


@pytest.mark.parametrize("write", [write_archive, write_stream])
def test_a_class_is_read_where_the_user_names_it_and_never_called(tmp_path, write, monkeypatch):
    path = tmp_path / "own.pth"
    for module in (__name__, "__main__"):  # RecBole's scripts define models, too
        monkeypatch.setattr(sys.modules[module], "Constructing", Constructing, raising=False)
        monkeypatch.setattr(Constructing, "__module__", module)
        made = object.__new__(Constructing)
        write({"state_dict": {"w": torch.ones(2)}, "class": Constructing, "made": made}, path)
        with pytest.raises(UserError, match=r"name it with --model=package\.module:Class"):
            load_checkpoint(path)
        with pytest.raises(UserError, match=r"contains '.*Constructing'"):
            load_checkpoint(path, model="some.module:Other")
        found = load_checkpoint(path, model="some.module:Constructing")
        assert found["state_dict"]["w"].tolist() == [1, 1]
        assert found["class"] is Inert and type(found["made"]) is Inert
