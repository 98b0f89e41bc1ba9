"""Separated text and Parquet as tables of text."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from recbole_finest.formats.tables import (
    COLUMNS,
    as_tokens,
    read_parquet,
    read_separated,
    separated_parts,
)


def write(path, text):
    path.write_bytes(text.encode())
    return path


def test_all_fields_stay_text(tmp_path):
    table = read_separated(write(tmp_path / "a.csv", "a,b\n007,NA\n0.071e4008866899,\n"))
    assert table.to_dict("list") == {"a": ["007", "0.071e4008866899"], "b": ["NA", ""]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2,3\n", "Length of header"),
        ("a,b\n1\0,2\n", "not the text file"),
        ("a,b\n" + "1,2\n" * 3000 + "1\0,2\n", "not the text file"),
        ("x," * COLUMNS + "x\n1\n", "more than 1000 columns"),
        ("x," * 900 + "x\n" + "1\n" * 300_000, "would unpack to"),
        ("x," * 900 + "x\r" + "1\r" * 300_000, "would unpack to"),
    ],
)
def test_it_is_refused(tmp_path, text, words):
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(ValueError, match=words):
        read_separated(path)
    with pytest.raises(ValueError, match=words):
        list(separated_parts(path, 10**6))


def test_a_wide_table_that_is_whole_is_read(tmp_path):
    text = ",".join(["x"] * 900) + "\n" + ("," * 899 + "\n") * 2000
    assert read_separated(write(tmp_path / "a.csv", text)).shape == (2000, 900)


def test_parts_are_the_whole(tmp_path):
    path = write(tmp_path / "a.csv", "a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(100)))
    parts = list(separated_parts(path, 30))
    assert [len(part) for part in parts] == [30, 30, 30, 10]
    pd.testing.assert_frame_equal(pd.concat(parts), read_separated(path))


def test_the_shells_pipe_is_read(tmp_path):
    given, taken = os.pipe()
    os.write(taken, b"a,b\n1,2\n3,4\n")
    os.close(taken)
    parts = list(separated_parts(f"/dev/fd/{given}", 1))
    os.close(given)
    assert [part.iloc[0].tolist() for part in parts] == [["1", "2"], ["3", "4"]]


def test_parquet_is_read_as_pandas_reads_it(tmp_path):
    given = pd.DataFrame(
        {
            "user": pd.Series(["a", None, "é"] * 50, dtype=object),
            "item": np.arange(150),
            "rank": np.linspace(0, 1, 150),
            "more": ["x"] * 150,
        }
    )
    given.to_parquet(tmp_path / "a.parquet", row_group_size=40)
    found = read_parquet(tmp_path / "a.parquet", ["user", "item", "rank", "score"])
    pd.testing.assert_frame_equal(found, given[["user", "item", "rank"]])
    assert found.attrs["names"] == ["user", "item", "rank", "more"]


def test_texts_that_are_repeated_take_no_room(tmp_path):
    long = "x" * 10_000
    pd.DataFrame({"user": [long] * 50_000}).to_parquet(tmp_path / "a.parquet")
    found = read_parquet(tmp_path / "a.parquet", ["user"])["user"]
    assert len(found) == 50_000 and len({id(text) for text in found}) == 1


def test_names_as_an_array():
    assert as_tokens(["b", "aé", 3]).tolist() == ["b", "aé", "3"]
    assert as_tokens([]).shape == (0,)
    with pytest.raises(ValueError, match="would unpack to"):
        as_tokens(["x" * 4000, *map(str, range(20_000))])
    with pytest.raises(ValueError, match="has 4,097 letters; at most 4,096"):
        as_tokens(["x" * 4097])
    with pytest.raises(ValueError, match="character 0"):
        as_tokens(["a", "a\0"])
