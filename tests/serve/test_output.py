"""Lists written as they are found, in every format, and read back."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.readers import read_lists
from recbole_finest.serve.found import Found
from recbole_finest.serve.output import WRITERS, check_output, write_lists

ITEMS = np.array(["[PAD]", "a", "b", "007", 'q",'], object)
ONE = Found(
    np.array(["ann", "bob"], object),
    np.array([[2, 1, 3], [4, 3, -1]], np.int32),
    np.array([[3, 2.5, 1 / 3], [1, 1, -np.inf]], np.float32),
    np.array([False, False]),
)
OTHER = Found(
    np.array(["NA"], object),
    np.array([[3, 2, 1]], np.int32),
    np.array([[9, 8, 7]], np.float32),
    np.array([True]),
)
EMPTY = Found(*(getattr(ONE, name)[:0] for name in Found.__annotations__))


@pytest.mark.parametrize("suffix", WRITERS)
def test_lists_are_read_back(tmp_path, suffix):
    path = tmp_path / f"lists{suffix}"
    check_output(path)
    assert write_lists(path, iter([ONE, EMPTY, OTHER]), ITEMS) == 3
    found = read_lists(path)
    assert found.users.tolist() == ["ann", "bob", "NA"]
    assert found.items.tolist() == [["b", "a", "007"], ['q",', "007", ""], ["007", "b", "a"]]
    assert found.targets.tolist() == ["", "", ""]
    expected = np.array([[3, 2.5, 1 / 3], [1, 1, -np.inf], [9, 8, 7]], np.float32)
    if suffix in (
        ".trec",
        ".run",
    ):  # its tools sort by score alone: equal ones are lowered a little
        assert found.scores[1, 1] < 1
        np.testing.assert_allclose(found.scores, expected, rtol=1e-6)
    else:
        assert np.array_equal(found.scores, expected)
    assert compare(found, found).summary["jaccard@10"]["mean"] == 1
    assert [part.name for part in tmp_path.iterdir()] == [path.name]


def test_what_the_tables_hold(tmp_path):
    write_lists(tmp_path / "l.csv", [ONE], ITEMS)
    assert (tmp_path / "l.csv").read_text() == (
        "user,item,rank,score\nann,b,1,3\nann,a,2,2.5\nann,007,3,0.333333343\n"
        'bob,"q"",",1,1\nbob,007,2,1\n'
    )
    write_lists(tmp_path / "l.parquet", [ONE, OTHER], ITEMS)
    table = pd.read_parquet(tmp_path / "l.parquet")
    assert list(table) == ["user", "item", "rank", "score"] and len(table) == 8
    assert table["rank"].dtype == "int32" and table["score"].dtype == "float32"


@pytest.mark.parametrize("suffix", WRITERS)
def test_nothing_is_left_where_the_lists_end_early(tmp_path, suffix):
    path = tmp_path / f"lists{suffix}"
    path.write_text("yesterday's")

    def breaks():
        yield ONE
        raise UserError("stop")

    for stream, message in ((breaks(), "stop"), ([EMPTY], "none of the histories has an item")):
        with pytest.raises(UserError, match=message):
            write_lists(path, stream, ITEMS)
        assert path.read_text() == "yesterday's"
        assert [part.name for part in tmp_path.iterdir()] == [path.name]


def test_files_that_cannot_be_written(tmp_path, monkeypatch):
    for name, message in {
        "lists.json": r"must end in one of \.npz, \.csv, \.tsv, \.parquet, \.trec, \.run",
        "lists": "must end in one of",
        "absent/lists.csv": "in a folder that does not exist",
    }.items():
        with pytest.raises(UserError, match=message):
            check_output(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match="is a folder"):
        check_output(tmp_path / "folder.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="needs pyarrow"):
        check_output(tmp_path / "lists.parquet")
    spaced = Found(
        np.array(["a b"], object), *(getattr(OTHER, n) for n in ("items", "scores", "strangers"))
    )
    with pytest.raises(UserError, match="cannot hold the user 'a b'"):
        write_lists(tmp_path / "lists.trec", [spaced], ITEMS)
    assert not (tmp_path / "lists.trec").exists()
