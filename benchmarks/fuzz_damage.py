"""How a valid file is damaged: strategies of Hypothesis, by bytes and by a format's own structure."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import hypothesis.strategies as st
import numpy as np
import pandas as pd

NUMBERS = [b"0.071e4008866899", b"1e-999", b"-1", b"nan", b"inf", b"9" * 400, b"1.7", b"4294967297"]
PARTS = [
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b",",
    b"\t",
    b":",
    b"=cmd()",
]
BRACKETS = [
    b"[" * 3000,
    b"{" * 3000,
    b"&a [*a]",
    b"<<: *a",
    b"!!python/name:os.system",
    b"- " * 500,
]
HEADERS = [
    b"'|O'",
    b"'<f8'",
    b"'<U9'",
    b"(999999999999,)",
    b"True",
    b"PK\x01\x02",
    b"PAR1",
    b"\x80\x02",
]
WORDS = st.sampled_from([*NUMBERS, *PARTS, *BRACKETS, *HEADERS])
NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["\x1b[2J", "../../x", "/etc/passwd", "u1#" + "9" * 5000, "a" * 100_000]),
)
VALUES = st.recursive(
    NASTY,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def bytewise(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """A valid file with some bytes replaced, left out, repeated or put in."""
    content = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(at + draw(st.sampled_from([0, 1, 1, 4, 30, 10**9])), len(content))
        new = draw(st.one_of(st.binary(max_size=4), WORDS, st.just(bytes(content[at:end]) * 3)))
        content[at:end] = new
    return bytes(content)


@st.composite
def json_like(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """A valid JSON file with a value at a random place replaced or left out."""
    content = json.loads(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 3))):
        place: object = content
        while isinstance(place, (dict, list)) and place:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(keys))
            if draw(st.booleans()) or not isinstance(place[key], (dict, list)):
                place[key] = draw(VALUES)
                if isinstance(place, dict) and draw(st.integers(0, 4)) == 0:
                    del place[key]
                break
            place = place[key]
    return json.dumps(content).encode()


@st.composite
def arrays(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """An archive of arrays, some exchanged for others, of other names, types, shapes or contents."""
    with np.load(io.BytesIO(draw(st.sampled_from(valid)))) as file:
        found = dict(file)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(found)))
        old = found[name]
        kind = draw(
            st.sampled_from(["f8", "f4", "i8", "i1", "u8", "U3", "b1", "S2", "O", "c8", ">i4"])
        )
        change = draw(st.integers(0, 4))
        if change == 0:
            found[draw(st.sampled_from([*found, "other", "../x", "é"]))] = old
        elif change == 1:
            old = old.astype(str) if old.dtype.kind == "U" else old
            numbers = old.dtype.kind in "biuf" or kind in ("U3", "S2", "O")
            found[name] = old.astype(kind) if numbers else np.zeros(old.shape, kind)
        elif change == 2:
            found[name] = old[..., :1] if old.ndim else np.array([old, old])
        elif change == 3 and old.size and old.dtype.kind in "fiu":
            old = old.astype("f8" if draw(st.booleans()) else "i8")
            old.reshape(-1)[draw(st.integers(0, old.size - 1))] = draw(
                st.sampled_from(
                    [-2, 2**32, 2**62, 1.7, 99] + [np.nan, np.inf] * (old.dtype == "f8")
                )
            )
            found[name] = old
        elif change == 4:
            del found[name]
            if not found:
                break
    out = io.BytesIO()
    pack = np.savez_compressed if draw(st.booleans()) else np.savez
    pack(out, **found)
    return out.getvalue()


@st.composite
def members(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """A zip archive whose parts are damaged before they are packed, so that all checksums are right."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(draw(st.sampled_from(valid)))) as old,
        zipfile.ZipFile(out, "w") as new,
    ):
        names = old.namelist()
        hit = draw(st.sampled_from(names))
        for name in names:
            content = old.read(name)
            if name == hit:
                content = draw(bytewise([content]))
            new.writestr(name, content, draw(st.sampled_from([0, 0, 8])))
    return out.getvalue()


def cells(separator: str) -> Callable[[list[bytes]], st.SearchStrategy[bytes]]:
    """A table with fields replaced, rows of other widths, columns of other names."""

    @st.composite
    def damaged(draw: st.DrawFn, valid: list[bytes]) -> bytes:
        rows = [row.split(separator) for row in draw(st.sampled_from(valid)).decode().split("\n")]
        fields = st.one_of(st.text(max_size=6), WORDS.map(lambda w: w.decode("latin1")))
        for _ in range(draw(st.integers(1, 5))):
            row = draw(st.sampled_from(rows))
            at = draw(st.integers(0, len(row) - 1))
            row[at : at + draw(st.integers(0, 1))] = draw(st.lists(fields, max_size=3)) or [""]
        return "\n".join(separator.join(row) for row in rows).encode("utf-8", "surrogatepass")

    return damaged


@st.composite
def frames(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """A Parquet file with columns of other types, names and values."""
    table = pd.read_parquet(io.BytesIO(draw(st.sampled_from(valid))))
    n = len(table)
    name = draw(st.sampled_from(list(table)))
    change = draw(st.integers(0, 5))
    if change == 0:
        table = table.rename(columns={name: draw(st.sampled_from(["user_id", "x", "rank", ""]))})
    elif change == 1:
        table[name] = pd.Series(
            draw(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=n))
        )
    elif change == 2:
        table[name] = pd.Series(draw(st.lists(st.floats(), min_size=n, max_size=n)))
    elif change == 3:
        table[name] = [[value] for value in table[name]]
    elif change == 4:
        table[name] = pd.date_range("2020-01-01", periods=n)
    else:
        table[name] = [
            value.encode() if isinstance(value, str) else {"a": value} for value in table[name]
        ]
    out = io.BytesIO()
    table.loc[:, ~table.columns.duplicated()].to_parquet(out, index=draw(st.booleans()))
    return out.getvalue()
