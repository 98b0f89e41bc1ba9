"""True next items from files, and what they are held against."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.truth import Truth, read_truth
from tests.evaluator.lists.runs import lists

IDEAL = 1 + 1 / np.log2(3)


def truth(rows: str, **options) -> Truth:
    """``"ua uc"`` is u's a and u's c."""
    users, items = zip(*rows.split())
    return Truth.from_table(pd.DataFrame({"user": users, "item": items}), **options)


@pytest.fixture
def two() -> list:
    return [
        lists("uvw", "   ", [["a", "b", "c"], ["e", "f", "g"], ["a", "b", "e"]]),
        lists("wvu", "   ", [["a", "b", "e"], ["h", "e", "f"], ["b", "x", "a"]]),
    ]


def test_a_table_is_read_with_other_names_and_repeated_rows_once(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("item_id,time,user_id\n007,1,u\nNA,2,u\n007,3,u\nb,4,v\n")
    read = read_truth(path)
    assert list(zip(read.queries, read.items)) == [("u", "007"), ("u", "NA"), ("v", "b")]
    assert (len(read), read.repeated, read.name) == (3, 1, str(path))
    tabs = tmp_path / "truth.tsv"
    tabs.write_text(path.read_text().replace(",", "\t"))
    assert read_truth(tabs).items.tolist() == read.items.tolist()


def test_parquet_is_read_too(tmp_path):
    pytest.importorskip("pyarrow", exc_type=ImportError)
    pd.DataFrame({"user": [1, 2], "item": [7, 8]}).to_parquet(tmp_path / "truth.parquet")
    read = read_truth(tmp_path / "truth.parquet")
    assert (read.queries.tolist(), read.items.tolist()) == (["1", "2"], ["7", "8"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "user,item\n", "holds no true item"),
        ("t.csv", "user,target\nu,a\n", "no column item; its columns: user, target"),
        ("t.csv", "a,b\nu,a\n", "no column user and no item"),
        ("t.csv", "user,item\nu,\n", "a row has no item"),
        ("t.csv", "user,item\nu,a,b\n", "cannot be read"),
        ("t.csv", "\0\0", "not the text file"),
        ("t.parquet", "user,item\n", "not a Parquet file"),
        ("t.npz", "", r"true items are read from \.csv, \.tsv, \.parquet files"),
    ],
)
def test_bad_files_are_refused_by_what_is_wrong(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message):
        read_truth(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="no file"):
        read_truth(tmp_path / "t.csv")


def test_accuracy_by_hand_where_files_have_another_order(two):
    """u: a at 1, then 3, c at 3, then gone. v: h unlisted, then first. w has no true item."""
    found = compare(*two, ["Jaccard"], [3], truth=truth("ua uc vh vz nk"))
    accuracy = found.accuracy
    assert (len(accuracy), accuracy.true_items) == (2, 4)
    assert accuracy.hits == {3: {"reference": 2, "other": 2, "lost": 1, "gained": 1}}
    assert found.figure("recall@3:reference") == 0.5 and found.figure("recall@3") == 0.5
    assert found.figure("ndcg@3:reference") == pytest.approx(1.5 / IDEAL / 2)
    assert found.figure("ndcg@3") == pytest.approx((0.5 + 1) / IDEAL / 2)
    assert found.figure("ndcg@3:change") == pytest.approx(0, abs=1e-12)
    assert found.figure("mrr@3:change") == pytest.approx((1 / 3 + 1) / 1 - 1)
    assert found.figure("mrr@3:difference", "p25") == pytest.approx(-2 / 3 + (1 + 2 / 3) / 4)
    assert found.figure("jaccard@3", "median") == 0.5  # all three people count: 2/4, 2/4, 1
    assert found.notes == [
        "1 of 3 compared lists have no true item in truth (w); accuracy is of the others.",
        "1 users of truth have no compared list (n).",
    ]
    row = found.to_dict()["accuracy"]
    assert row["hits"] == {"3": accuracy.hits[3]} and row["n"] == 2
    assert row["metrics"]["recall@3"]["difference"]["mean"] == 0
    assert row["metrics"]["lost@3"]["mean"] == row["metrics"]["gained@3"]["mean"] == 0.25


def test_truth_changes_no_figure_of_stability(two):
    plain, told = compare(*two), compare(*two, truth=truth("ua ve wb"))
    assert plain.summary == told.summary
    rng = [np.random.default_rng(5) for _ in range(2)]
    compare(*two, rng=rng[0])
    compare(*two, rng=rng[1], truth=truth("ua ve wb"))
    assert rng[0].random() == rng[1].random()  # nor of the pair that is compared next


def test_a_persons_further_instances_have_true_items_of_their_own():
    one = lists("uu", "  ", [["a", "b"], ["c", "d"]])
    found = compare(
        one, one, ["Jaccard"], [2], truth=Truth(np.array(["u", "u#2"]), np.array([*"bc"]))
    )
    assert found.accuracy.values["mrr@2"].tolist() == [0.5, 1]
    row = found.to_dict()["accuracy"]["metrics"]["mrr@2"]["other"]
    assert row == {"mean": 0.75, "median": 0.75, "p5": 0.525, "low": None, "high": None}


def test_a_reference_without_hits_has_no_relative_change(two):
    found = compare(*two, topk=[2], truth=truth("vh"))
    assert found.figure("recall@2") == 1
    assert np.isnan(found.figure("recall@2:change"))
    assert found.to_dict()["accuracy"]["metrics"]["recall@2"]["change"]["mean"] is None


def test_truth_of_others_is_refused_and_partial_truth_is_noted(two):
    with pytest.raises(
        UserError, match=r"no item for a user of reference: truth has n, .*u, v, w; both"
    ):
        compare(*two, truth=truth("na"))
    with pytest.raises(
        UserError, match="No item of truth is in any list: truth has k, z, reference"
    ):
        compare(*two, truth=truth("uk vz"))
    found = compare(*two, truth=truth("ux", name="t.csv"))
    assert "No item of t.csv is in any list of reference: its accuracy is 0." in found.notes
    twice = Truth.from_table(pd.DataFrame({"user": [*"uu"], "item": [*"aa"]}))
    assert "1 rows of truth are repeated and count once." in compare(*two, truth=twice).notes


def test_numbers_that_are_written_otherwise_are_no_silent_zero():
    one = lists("12", "  ", [["10", "11"], ["12", "13"]])
    other = Truth(np.array(["1", "2"]), np.array(["10.0", "12.0"]), "t.parquet")
    with pytest.raises(UserError, match=r"t.parquet has 10\.0, 12\.0, a has 10, 12; write whole"):
        compare(one, one, truth=other, names=("a", "b"))
    users = Truth(np.array(["1.0"]), np.array(["10"]), "t.parquet")
    with pytest.raises(UserError, match=r"t.parquet has 1\.0, a has 1; write whole numbers alike"):
        compare(one, one, truth=users, names=("a", "b"))
    some = Truth(np.array(["1", "2"]), np.array(["10", "12.0"]), "t")
    notes = compare(one, one, ["Jaccard"], [2], truth=some, names=("a", "b")).notes
    assert notes == [
        "1 items are written like 12.0 in t and like 12 in a and count as different ones."
    ]
