"""Users, items and depths of two files that do not match: counted and named, never a silent 0."""

from __future__ import annotations

import numpy as np
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.spelling import named, spelled_apart
from tests.evaluator.lists.runs import lists

NAMES = ("a.csv", "b.csv")


def test_users_of_one_file_only_are_counted_and_named():
    one = lists("uvwrs", "xyz  ", [["a"], ["b"], ["c"], ["d"], ["e"]])
    other = lists("uvtnmlk", "xq     ", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]])
    rest = (
        r"3 only in a.csv \(w, r, s\), 5 only in b.csv \(t, n, m, …\), 1 with another target \(v\)"
    )
    with pytest.raises(UserError, match=f"{rest}; use --intersect"):
        compare(one, other, topk=[1], names=NAMES)
    found = compare(one, other, topk=[1], names=NAMES, intersect=True)
    assert found.notes == [
        "1 instances are in both a.csv (5) and b.csv (7); only those are compared, and left out "
        f"are {rest.replace(chr(92), '')}."
    ]
    assert found.to_dict()["join"] == {
        "compared": 1,
        "coverage": 0.1,
        "only_reference": {"n": 3, "first": ["w", "r", "s"]},
        "only_other": {"n": 5, "first": ["t", "n", "m"]},
        "other_target": {"n": 1, "first": ["v"]},
    }


def test_files_without_a_user_or_an_item_in_common_are_refused_with_examples():
    one = lists("uv", "  ", [["a"], ["b"]])
    with pytest.raises(
        UserError, match=r"no user and target in common: a.csv has u, v, b.csv has x, y"
    ):
        compare(one, lists("xy", "  ", [["a"], ["b"]]), intersect=True, names=NAMES)
    with pytest.raises(UserError, match=r"they share 2 users \(u, v\), each with another target"):
        compare(
            lists("uv", "pq", [["a"], ["b"]]), lists("uv", "qp", [["a"], ["b"]]), intersect=True
        )
    with pytest.raises(UserError, match=r"no item in common: a.csv has a, b, b.csv has c, d; both"):
        compare(one, lists("uv", "  ", [["c"], ["d"]]), names=NAMES)
    nothing = RankLists(one.users, one.targets, np.array([], dtype=str), np.full((2, 1), -1))
    with pytest.raises(UserError, match=r"lists of b.csv hold no item at all"):
        compare(one, nothing, names=NAMES)


def test_whole_numbers_written_as_decimals_are_recognised():
    whole = lists("12", "  ", [["1", "2"], ["2", "3"]])
    decimal = lists("12", "  ", [["1.0", "2.0"], ["2.0", "3.0"]])
    with pytest.raises(
        UserError, match=r"in common: a.csv has 1, 2, 3, b.csv has 1\.0, 2\.0, 3\.0; wr"
    ):
        compare(whole, decimal, names=NAMES)
    with pytest.raises(
        UserError, match=r"a.csv has 1\.0, 2\.0, 3\.0, b.csv has 1, 2, 3; write whole"
    ):
        compare(decimal, whole, names=NAMES)
    users = RankLists(np.array(["1.0", "2.0"]), whole.targets, whole.vocabulary, whole.codes)
    with pytest.raises(
        UserError, match=r"a.csv has 1, 2, b.csv has 1\.0, 2\.0; write whole numbers"
    ):
        compare(whole, users, intersect=True, names=NAMES)
    some = lists("12", "  ", [["1", "2.0"], ["2.0", "3"]])
    assert compare(whole, some, topk=[2], names=NAMES).notes == [
        "1 items are written like 2 in a.csv and like 2.0 in b.csv and count as different ones."
    ]
    half = RankLists(np.array(["1", "2.0"]), whole.targets, whole.vocabulary, whole.codes)
    with pytest.raises(
        UserError, match=r"1 users are written like 2 in a.csv and like 2\.0 in b.csv"
    ):
        compare(whole, half, names=NAMES)


def test_tokens_that_only_look_alike_are_left_alone():
    def pairs(first, second):
        return spelled_apart(np.array(first), np.array(second))

    assert pairs(["1", "1.0"], ["1.0", "2"]) == []  # both forms are in use
    assert pairs(["a.0", "1.5"], ["a", "1"]) == []
    assert pairs(["-3.00", "x"], ["-3"]) == [("-3.00", "-3")]
    assert named(["x" * 60, "b"]) == "x" * 39 + "…, b"


def test_short_and_empty_lists_are_counted():
    one = lists("uvw", "   ", [["a", "b", "c"], ["a", "b", ""], ["", "", ""]])
    other = lists("uvw", "   ", [["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"]])
    assert compare(one, other, ["Jaccard"], [1, 3], names=NAMES).notes == [
        "2 of 3 lists of a.csv are shorter than 3, the shortest holds 0: measures are of the lists "
        "as they are.",
        "1 lists of a.csv hold no item (w).",
    ]
    assert compare(one, other, ["Jaccard"], [1, 20], names=NAMES).notes == [
        "No list of a.csv or b.csv is longer than 3: measures at a greater depth are of the lists as "
        "they are.",
        "1 lists of a.csv hold no item (w).",
    ]
    assert compare(other, other, ["Jaccard"], [3]).notes == []
