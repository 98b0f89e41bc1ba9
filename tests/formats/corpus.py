"""Files that a stranger might send: each made here, by format and by what is wrong with it.

``CORPUS[format][name]`` writes one file (a folder for ``run``) at a path. What a ``.pth`` would run, if it
were run, makes the folder ``executed`` in the working directory.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from recbole_finest.evaluator.lists.ranklists import FORMAT
from tests.report.run.sample_run import write_run

Make = Callable[[Path], Any]
CANARY = "executed"
HEAD = b"\x80\x02"


# .pth --------------------------------------------------------------------------------------------


class Calls:
    """Pickled as a call of a function with arguments."""

    def __init__(self, function: Any, *arguments: Any):
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def _config() -> Any:
    from recbole.config.configurator import Config

    return Calls(Config, "BPR", "x", None, {"a": f"__import__('os').mkdir('{CANARY}')"})


def _saved(content: Any, old: bool = False) -> Make:
    return lambda path: torch.save(content, path, _use_new_zipfile_serialization=not old)


def _program(code: bytes, *parts: tuple[str, bytes]) -> Make:
    """An archive whose pickle is this program."""

    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("archive/data.pkl", HEAD + code)
            for name, content in parts:
                file.writestr(f"archive/{name}", content)

    return make


def _stream(code: bytes) -> Make:
    """The container before PyTorch 1.6 with this program."""
    first = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    start = b"".join(pickle.dumps(part, 2) for part in first)
    return lambda path: path.write_bytes(start + HEAD + code)


def _torchscript(path: Path) -> None:
    class Empty(torch.nn.Module):
        def forward(self, x):
            return x

    torch.jit.save(torch.jit.script(Empty()), str(path))


def _tensor(size: int, stride: int, storage: int = 4) -> bytes:
    def number(value: int) -> bytes:
        return b"\x8a\x08" + struct.pack("<q", value)

    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + pid + number(storage) + b"tQ" + number(0)
    made += number(size) + b"\x85" + number(stride) + b"\x85\x89}tR"
    return b"}X\x0a\x00\x00\x00state_dict}X\x01\x00\x00\x00w" + made + b"ss."


def _endless() -> list:
    nested: list = []
    for _ in range(60):
        nested = [nested, nested]
    return nested


def _nested_tuples(depth: int, code: bytes) -> bytes:
    return b"})" + code * depth + b"Ns."


WEIGHTS = {"w": torch.ones(1)}
PTH: dict[str, Make] = {
    "calls RecBole's Config": _saved({"state_dict": WEIGHTS, "config": _config()}),
    "calls it in the older container": _saved(
        {"state_dict": WEIGHTS, "config": _config()}, old=True
    ),
    "calls eval": _saved(Calls(eval, f"__import__('os').mkdir('{CANARY}')")),
    "calls os.system": _saved(Calls(os.system, f"mkdir {CANARY}"), old=True),
    "calls a loader of TorchScript": _saved(Calls(torch.jit.load, "x.pt")),
    "is a pickle alone": lambda path: path.write_bytes(pickle.dumps(_config())),
    "is TorchScript": _torchscript,
    "sets an attribute of a function": _program(
        b"ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb."
    ),
    "claims 4 TB": _program(_tensor(1, 1, 10**12), ("data/0", bytes(16))),
    "repeats one element": _program(_tensor(10**12, 0), ("data/0", bytes(16))),
    "strides beyond its storage": _program(_tensor(2, 10**9), ("data/0", bytes(16))),
    "claims a bytearray of 6 GB": _program(b"\x96" + struct.pack("<Q", 6_400_000_000)),
    "claims a text of 6 GB": _stream(b"\x8d" + struct.pack("<Q", 6_400_000_000)),
    "claims a memo of 2^31": _program(b"}r\xff\xff\xff\x7fK\x01a."),
    "hashes tuples without end": _program(_nested_tuples(200_000, b"\x85")),
    "hashes one tuple 2^60 times": _stream(_nested_tuples(60, b"2\x86")),
    "nests lists without end": _program(b"]" * 50_000 + b"a" * 49_999 + b"."),
    "holds one list 2^60 times": _saved({"state_dict": WEIGHTS, "x": _endless()}),
    "holds sets alone": _program(b"\x8f" * 300_000),
    "multiplies long numbers": _program(
        b"ctorch._utils\n_rebuild_tensor_v2\n\x8b"
        + struct.pack("<i", 100_000)
        + b"1" * 100_000
        + b"q\x01("
        + b"h\x01" * 500
        + b"t\x85R."
    ),
    "is packed zeros": lambda path: _zip(
        path,
        {"archive/data.pkl": HEAD + b"}.", "archive/data/0": bytes(10**7)},
        zipfile.ZIP_DEFLATED,
    ),
    "is cut": lambda path: path.write_bytes(_content(_saved({"w": torch.ones(99)}), path)[:-300]),
    "is empty": lambda path: path.write_bytes(b""),
    "holds numbers for weights": _saved({"state_dict": {"w": 1}, "config": {"model": "SASRec"}}),
    "has settings of other types": _saved(
        {"state_dict": WEIGHTS, "config": {"model": [1], "dataset": 3}}
    ),
}


def _content(make: Make, path: Path) -> bytes:
    make(path)
    return path.read_bytes()


def _zip(path: Path, parts: dict[str, bytes], kind: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in parts.items():
            file.writestr(name, content)


# .npz and .npy -----------------------------------------------------------------------------------


def npy(array: np.ndarray) -> bytes:
    """An array as ``.npy``."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def header(text: str, content: bytes = b"") -> bytes:
    """An ``.npy`` with this header."""
    line = (text + "\n").encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + content


def claims(shape: str, kind: str = "<f8") -> bytes:
    return header(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}", bytes(48))


VALID: dict[str, np.ndarray] = {
    "format": np.array(FORMAT),
    "users": np.array(["u0", "u1"]),
    "targets": np.array(["", ""]),
    "vocabulary": np.array(["a", "b", "c"]),
    "codes": np.array([[0, 1], [2, 0]], np.int8),
    "scores": np.array([[2, 1], [2, 1]], np.float32),
}


def _arrays(**changes: Any) -> Make:
    """A file of rank lists with some arrays exchanged, as arrays or as bytes of an ``.npy``."""

    def make(path: Path) -> None:
        found = {**VALID, **changes}
        parts = {
            k: v if isinstance(v, bytes) else npy(v) for k, v in found.items() if v is not None
        }
        _zip(path, {f"{name}.npy": content for name, content in parts.items()})

    return make


def _lying(path: Path) -> None:
    """The archive's directory says that a part of 200 bytes has 10 GB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in VALID.items():
            file.writestr(f"{name}.npy", npy(array))
        file.filelist[4].file_size = 10**10


def _bomb(path: Path) -> None:
    zeros = claims("(4000000,)") + bytes(32_000_000 - 48)
    _zip(path, {f"{i}.npy": zeros for i in range(9)}, zipfile.ZIP_DEFLATED)


NPZ: dict[str, Make] = {
    "claims 10^12 rows": _arrays(codes=claims("(1000000000000, 2)", "<i4")),
    "claims 10^12 rows of nothing": _arrays(codes=claims("(1000000000000, 0)", "<i4")),
    "claims texts of 4 GB": _arrays(users=claims("(2,)", "<U999999999")),
    "has a name of a million letters": _arrays(vocabulary=np.array(["a", "b", "x" * 1_000_000])),
    "has an overflowing product": _arrays(codes=claims("(4294967296, 4294967296)", "<i4")),
    "has a header that is code": _arrays(codes=header(f"__import__('os').mkdir('{CANARY}')")),
    "has a header of brackets": _arrays(codes=header("(" * 60_000)),
    "pickles objects": _arrays(
        users=header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }")
    ),
    "has records": _arrays(users=np.zeros(2, [("a", "i4")])),
    "unpacks to 288 MB": _bomb,
    "lies about its sizes": _lying,
    "has codes that are no integers": _arrays(codes=np.array([[0, 1.7], [2, 0]])),
    "has codes + 2^32": _arrays(codes=VALID["codes"].astype(np.int64) + 2**32),
    "has codes beyond its vocabulary": _arrays(codes=np.array([[0, 3], [2, 0]])),
    "has codes below -1": _arrays(codes=np.array([[0, -2], [2, 0]])),
    "has unsigned codes of 2^64": _arrays(codes=np.array([[0, 2**64 - 1], [2, 0]], np.uint64)),
    "names a token twice": _arrays(vocabulary=np.array(["a", "b", "a"])),
    "has a token without a name": _arrays(vocabulary=np.array(["a", "", "b"])),
    "has NaN scores": _arrays(scores=np.array([[2, np.nan], [2, 1]], np.float32)),
    "has an item twice": _arrays(codes=np.array([[0, 0], [2, 0]])),
    "has letters that are none": _arrays(users=np.array([0x110000, 1], np.uint32).view("<U1")),
    "has half letters": _arrays(users=np.array([0xD800, 97], np.uint32).view("<U1")),
    "has flat codes": _arrays(codes=np.array([0, 1])),
    "has a single code": _arrays(codes=np.array(1)),
    "has other lengths": _arrays(users=np.array(["u0"])),
    "has no vocabulary": _arrays(vocabulary=None),
    "has an array too many": _arrays(more=np.zeros(3)),
    "has two parts of one name": lambda path: _zip(
        path, {"codes": npy(VALID["codes"]), "codes.npy": b""}
    ),
    "is packed with bzip2": lambda path: _zip(path, {"a.npy": b"x"}, zipfile.ZIP_BZIP2),
    "is no archive": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)),
}
NPY: dict[str, Make] = {
    "claims 10^12 rows": lambda path: path.write_bytes(claims("(1000000000000, 4)")),
    "claims less than there is": lambda path: path.write_bytes(claims("(2, 2)")),
    "pickles objects": lambda path: np.save(
        path, np.array([Calls(eval, "1")], object), allow_pickle=True
    ),
    "has a header that is code": lambda path: path.write_bytes(
        header(f"__import__('os').mkdir('{CANARY}')")
    ),
    "is cut": lambda path: path.write_bytes(npy(np.zeros((9, 4)))[:-8]),
}


# Text --------------------------------------------------------------------------------------------


def _text(text: str) -> Make:
    return lambda path: path.write_bytes(text.encode("utf-8", "surrogateescape"))


_LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)
)
YAML: dict[str, Make] = {
    "has aliases of aliases": _text(_LAUGHS),
    "merges aliases of aliases": _text(
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40))
    ),
    "contains itself": _text("fail: &a [*a]\n"),
    "nests brackets": _text("fail: " + "[" * 100_000),
    "nests blocks": _text("- " * 50_000),
    "holds 500,000 values": _text("fail: [" + "1," * 500_000 + "]"),
    "has 3 MB": _text("fail: '" + "x" * 3_000_000 + "'"),
    "calls a function": _text(f"fail: !!python/object/apply:os.mkdir ['{CANARY}']\n"),
    "names a module": _text("fail: !!python/name:os.system\n"),
    "names a key twice": _text("fail: [jaccard@10=0.1]\nfail: [jaccard@10=0.9]\n"),
    "has a date that is none": _text("min_coverage: 2020-99-99\n"),
    "is binary": lambda path: path.write_bytes(bytes(range(256))),
    "is no mapping": _text("- a\n- b\n"),
}


def _rows(*rows: str, names: str = "user,item,rank", n: int = 1) -> Make:
    return _text("\n".join([names, *rows * n]) + "\n")


CSV: dict[str, Make] = {
    "has the number that ends pandas": _rows("u,i,0.071e4008866899", "u,j,x"),
    "has a score that ends pandas": _rows("u,i,1e-99999999999", "u,j,x", names="user,item,score"),
    "is ragged, by its names": _text("user,item,rank," + "x," * 900 + "\n" + "u\n" * 500_000),
    "is ragged, by a list": _text(
        "user,item,rank\n"
        + "".join(f"u,i{i},{i}\n" for i in range(20_000))
        + "".join(f"u{i},i,1\n" for i in range(20_000))
    ),
    "is ragged, by a name": _text(
        "user,item,rank\n"
        + f"{'x' * 100_000},i,1\n"
        + "".join(f"u{i},i,1\n" for i in range(20_000))
    ),
    "has 100,000 columns": _text("user,item,rank" + ",x" * 100_000 + "\nu,i,1\n"),
    "has user and user_id": _rows("u,v,i,1", names="user,user_id,item,rank"),
    "has a zero": _rows("u,i\0,1"),
    "has a zero far behind": _rows(*["u,i,1"] * 2000, "u,i\0,1"),
    "has an open quote": _rows('u,"i,1', "u,j,2"),
    "has fields too many": _rows("u,i,1", "u,j,2,3"),
    "is no UTF-8": _text("user,item,rank\nu,\udcff,1\n"),
    "has a rank that is none": _rows("u,i,1", "u,j,nan"),
    "has no rows": _rows(),
    "steers the terminal": _rows("u\x1b[2J,i,1", "u\x1b[2J,i,2"),
    "numbers an instance without end": _rows("u,i,1", f"u#{'9' * 5000},i,x"),
}
TREC: dict[str, Make] = {
    "has the number that ends pandas": _text("u Q0 i 0.071e4008866899 x a\nu Q0 j 1 1 a\n"),
    "has five fields": _text("u Q0 i 1 2\n"),
    "has a line of 300,000 fields": _text("u Q0 i 1 9 a\n" + "x " * 300_000 + "\n"),
    "is ragged, by a list": _text(
        "".join(f"u Q0 i{i} {i} 1 a\n" for i in range(20_000))
        + "".join(f"u{i} Q0 i 1 1 a\n" for i in range(20_000))
    ),
    "has scores that rise": _text("u Q0 i 1 1 a\nu Q0 j 2 2 a\n"),
    "is binary": lambda path: path.write_bytes(bytes(range(256)) * 40),
}
INTER_NAMES = "user_id:token\titem_id:token\ttimestamp:float"


def inter_rows() -> list[str]:
    """Rows of a log that can be read."""
    return [f"u{u}\ti{(u + s) % 9}\t{1000 + 10 * s}" for u in range(8) for s in range(8)]


def _inter(*rows: str, names: str = INTER_NAMES, last: bool = True) -> Make:
    given = [*inter_rows(), *rows] if last else [*rows, *inter_rows()]
    return _text("\n".join([names, *given]) + "\n")


INTER: dict[str, Make] = {
    "has the number that ends pandas": _inter("u1\ti1\t0.071e4008866899"),
    "has it with a small exponent": _inter("u1\ti1\t1e-999"),
    "has it at the start of a field": _inter("u1\ti1\t0.071e40088668991030.5"),
    "has it in quotes": _inter('u1\ti1\t"1e-4008866899"'),
    "has a first row too wide": _inter("u1\ti1\t5\t6", last=False),
    "is ragged, by its names": _text(
        INTER_NAMES + "".join(f"\tx{i}:float" for i in range(3000)) + "\n" + "u\ti\t1\n" * 100_000
    ),
    "is ragged, by a name": _inter(
        f"{'x' * 100_000}\ti1\t5", *(f"v{i}\ti1\t5" for i in range(4000))
    ),
    "has a zero": _inter("u\0\ti1\t5"),
    "has a time that is none": _inter("u1\ti1\tnan"),
    "has no types": _inter(names="user_id\titem_id\ttimestamp"),
    "has another type": _inter(names="user_id:token\titem_id:token\ttimestamp:eval"),
    "names a column twice": _inter(names="user_id:token\tuser_id:token\ttimestamp:float"),
    "is no UTF-8": _inter("u\udcff\ti1\t5"),
    "has a field of 200,000 letters": _inter(f"u1\t{'x' * 200_000}\t5"),
    "is empty": _text(""),
    "has names alone": _text(INTER_NAMES + "\n"),
}


# Parquet -----------------------------------------------------------------------------------------


def _frame(**columns: Any) -> Make:
    given = {"user": ["u", "u"], "item": ["i", "j"], "rank": [1, 2]} | columns
    return lambda path: pd.DataFrame(given).to_parquet(path, index=False)


def _repeated(path: Path) -> None:
    """12 million equal rows in a few kB."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    codes = arrow.array(np.zeros(12_000_000, np.int8))
    column = arrow.DictionaryArray.from_arrays(codes, arrow.array(["u"]))
    parquet.write_table(arrow.table({"user": column, "item": column, "rank": codes}), path)


def _deep(path: Path) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    column = arrow.array([[1]])
    for _ in range(40):
        column = arrow.ListArray.from_arrays([0, 1], column)
    parquet.write_table(arrow.table({"user": column, "item": column, "rank": column}), path)


def _footer(path: Path) -> None:
    _frame()(path)
    content = path.read_bytes()
    path.write_bytes(content[:-8] + struct.pack("<I", 2**32 - 1) + b"PAR1")


def _flipped(path: Path) -> None:
    _frame(user=[f"u{i}" for i in range(500)], item=["i"] * 500, rank=[1] * 500)(path)
    content = bytearray(path.read_bytes())
    content[40:80] = b"\xff" * 40
    path.write_bytes(content)


PARQUET: dict[str, Make] = {
    "repeats a row 12 million times": _repeated,
    "nests lists": _deep,
    "claims a footer of 4 GB": _footer,
    "has damaged pages": _flipped,
    "is cut": lambda path: path.write_bytes(_content(_frame(), path)[:-20]),
    "is empty": lambda path: path.write_bytes(b""),
    "is text": _text("PAR1 user,item PAR1"),
    "has lists for ranks": _frame(rank=[[1], [2]]),
    "has dates for ranks": _frame(rank=pd.date_range("2020-01-01", periods=2)),
    "has words for ranks": _frame(rank=["first", "second"]),
    "has nothing for users": _frame(user=[None, None]),
    "has bytes that are no text": _frame(user=[b"\xff", b"\xfe"], rank=[b"x", b"y"]),
    "has user and user_id": _frame(user_id=["v", "v"]),
    "has a zero in a name": _frame(item=["i\0", "i"], rank=[1, 2]),
    "has no item": lambda path: pd.DataFrame({"user": ["u"], "rank": [1]}).to_parquet(path),
}


# JSON --------------------------------------------------------------------------------------------


def _changed(**changes: Any) -> Callable[[dict], str]:
    return lambda content: json.dumps({**content, **changes})


def _change(**changes: Any) -> Callable[[dict], str]:
    """The first of the changes with other entries."""

    def make(content: dict) -> str:
        first, *rest = content["changes"]
        return json.dumps({**content, "changes": [{**first, **changes}, *rest]})

    return make


# from a valid file's content to the text of a hostile one
PERTURBATION: dict[str, Callable[[dict], str]] = {
    "selection is an object": _changed(selection={}),
    "selection is null": _changed(selection=None),
    "kind is a list": _changed(kind=["deletion"]),
    "kind is no kind": _changed(kind="eval"),
    "count is a flag": _changed(count=True),
    "count is another": _changed(count=99),
    "seed is text": _changed(seed="1"),
    "ratio is NaN": _changed(ratio=float("nan")),
    "item_choice is a number": _changed(item_choice=3),
    "changes is an object": _changed(changes={"row": 1}),
    "a change is text": _changed(changes=["row"], count=1),
    "a row is 10^400": _change(row=10**400),
    "a row is negative": _change(row=-1),
    "a row is a fraction": _change(row=1.5),
    "a time is infinite": _change(time=float("inf")),
    "a time is 10^400": _change(time=10**400),
    "an item is an object": _change(item_before={}),
    "nests brackets": lambda content: "[" * 200_000,
    "is a list": lambda content: "[1]",
    "holds half a letter": _changed(x="\ud800"),
    "has 9 MB": lambda content: json.dumps({**content, "x": " " * 9_000_000}),
}


# Run folders -------------------------------------------------------------------------------------


def _run(file: str, make: Make) -> Make:
    """A finished run in which one file is a hostile one."""

    def write(path: Path) -> None:
        write_run(path)
        (path / file).unlink(missing_ok=True)
        make(path / file)

    return write


RUN: dict[str, Make] = {
    "result.json nests brackets": _run("result.json", _text("[" * 200_000)),
    "result.json is a list": _run("result.json", _text("[]")),
    "result.json is empty": _run("result.json", _text("")),
    "result.json is a folder": _run("result.json", Path.mkdir),
    "result.json has half a letter": _run("result.json", _text('{"model": "\\ud800"}')),
    "curves.json is a number": _run("curves.json", _text("3")),
    "perturbation.json is text": _run("perturbation.json", _text('"x"')),
    "config.yaml has aliases of aliases": _run("config.yaml", _text(_LAUGHS)),
    "config.yaml calls a function": _run("config.yaml", YAML["calls a function"]),
    "config.yaml is a pipe": _run("config.yaml", os.mkfifo),
    "instances.npz claims 10^12 rows": _run(
        "instances.npz", _arrays(history_length=claims("(1000000000000,)", "<i4"))
    ),
    "instances.npz is rank lists": _run("instances.npz", _arrays()),
    "base.npz has codes + 2^32": _run("ranklists/base.npz", NPZ["has codes + 2^32"]),
    "base.npz unpacks to 288 MB": _run("ranklists/base.npz", _bomb),
    "a vocabulary is objects": _run(
        "ranklists_unseen/base.npz",
        _arrays(vocabulary=header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }")),
    ),
}
CORPUS: dict[str, dict[str, Any]] = {
    "pth": PTH,
    "npz": NPZ,
    "npy": NPY,
    "yaml": YAML,
    "csv": CSV,
    "trec": TREC,
    "inter": INTER,
    "parquet": PARQUET,
    "perturbation": PERTURBATION,
    "run": RUN,
}
# the same without what is hostile, which are read
HARMLESS: dict[str, Any] = {
    "npz": _arrays(),
    "yaml": _text("fail: [jaccard@2=0.1]\n"),
    "csv": _rows("u,i,1", "u,j,2"),
    "trec": _text("u Q0 i 1 2 a\nu Q0 j 2 1 a\n"),
    "inter": _inter(),
    "parquet": _frame(),
    "perturbation": _changed(),
    "run": write_run,
}
