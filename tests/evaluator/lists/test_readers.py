"""List files of other systems: what is read, what is refused, and our own TREC runs."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.queries import query_ids, split_repeats
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.readers import read_lists
from recbole_finest.evaluator.lists.writers import write_trec
from recbole_finest.folders.manifest import Manifest

RUN = "u1 Q0 007 1 3.5 x\nu2 Q0 b 1 1 x\nu1\tQ0 NA  2 2.5 x\nu1 Q0 c 3 2.5 x\n"


def read(tmp_path, name: str, text: str) -> RankLists:
    path = tmp_path / name
    path.write_text(text)
    return read_lists(path)


def test_a_trec_run_is_read_as_it_stands(tmp_path):
    lists = read(tmp_path, "a.trec", RUN)
    assert lists.users.tolist() == ["u1", "u2"]
    assert lists.items.tolist() == [["007", "NA", "c"], ["b", "", ""]]
    assert lists.scores.tolist() == [[3.5, 2.5, 2.5], [1.0, -np.inf, -np.inf]]
    assert lists.targets.tolist() == ["", ""]


def test_ranks_give_the_order_of_a_run_whose_lines_are_shuffled(tmp_path):
    lines = RUN.splitlines(keepends=True)
    lists = read(tmp_path, "a.run", "".join(lines[::-1]))
    assert dict(zip(lists.users, lists.items.tolist()))["u1"] == ["007", "NA", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "user,item,rank\nu,b,2\nu,a,1\nv,c,0\n",
        "user_id,item_id,score\nu,a,3\nu,b,2\nv,c,9\n",
        "item,user,score,rank\nb,u,2,2\na,u,3,1\nc,v,1,1\n",
    ],
)
def test_tables_need_user_item_and_rank_or_score(tmp_path, text):
    for name, content in (("a.csv", text), ("a.tsv", text.replace(",", "\t"))):
        lists = read(tmp_path, name, content)
        assert dict(zip(lists.users, lists.items.tolist())) == {"u": ["a", "b"], "v": ["c", ""]}


def test_targets_of_a_table_are_kept(tmp_path):
    lists = read(tmp_path, "a.csv", "user,item,rank,target\nu,a,1,t\nu,b,2,t\nv,c,1,w\n")
    assert lists.targets.tolist() == ["t", "w"]


def test_parquet_is_read_like_a_table(tmp_path):
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:  # missing, or for NumPy 2
        pytest.skip(str(error))
    table = pd.DataFrame({"user": [1, 1, 2], "item": [7, 8, 7], "score": [0.5, 0.25, 1.0]})
    table.to_parquet(tmp_path / "a.parquet")
    lists = read_lists(tmp_path / "a.parquet")
    assert lists.users.tolist() == ["1", "2"]
    assert lists.items.tolist() == [["7", "8"], ["7", ""]]
    table.assign(item=7).to_parquet(tmp_path / "c.parquet")
    with pytest.raises(UserError, match="in the list of 1 an item is repeated"):
        read_lists(tmp_path / "c.parquet")
    with pytest.raises(UserError, match="not a Parquet file"):
        read(tmp_path, "b.parquet", "user,item,rank\n")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.trec", "u Q0 a 1 3 x\nu Q0 b 2 x\n", "line 2"),
        ("a.trec", "u Q0 a 1 3 x\nu Q0 b 2 2 x y\n", "cannot be read"),
        ("a.trec", "u Q0 a 1 2 x\nu Q0 b 2 3 x\n", "do not fall with the rank"),
        ("a.trec", "u Q0 a 1 2 x\nu Q0 a 2 1 x\n", "repeated"),
        ("a.trec", "u Q0 a 1 2 x\nu Q0 b 1 2 x\n", "two items have one rank"),
        ("a.trec", "u Q0 a one 2 x\n", "'one' is not a number"),
        ("a.trec", "", "no rank lists"),
        ("a.csv", "user,item,score\nu,a,1\nu,b,2\n", "not sorted"),
        ("a.csv", "user,item\nu,a\n", "no column rank or score"),
        ("a.csv", "user,rank\nu,1\n", "no column item"),
        (
            "a.csv",
            "user;item;rank\nu;a;1\n",
            "no item and no rank or score; its columns: user;item",
        ),
        ("a.csv", "user,item,score\nu,,1\n", "no item"),
        ("a.csv", "user,item,score\nu,a,\n", "not a number"),
        ("a.csv", "user,item,score\nu,a\n", "not a number"),
        ("a.csv", "user,item,score\nu,a,1,2\n", "cannot be read"),
        ("a.csv", "user,item,score\n", "no rank lists"),
        ("a.csv", "PK\x03\x04\0\0", "not the text file"),
        ("a.npz", "user,item,score\n", "not a file of rank lists"),
        ("a.xlsx", "", "are read from"),
    ],
)
def test_bad_files_are_refused_by_what_is_wrong(tmp_path, name, text, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, name, text)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="no file"):
        read_lists(tmp_path / "a.csv")


def test_a_run_of_ours_reads_back_as_the_same_lists(tmp_path):
    rng = np.random.default_rng(0)
    items = np.stack([rng.permutation(20)[:6] for _ in range(60)]).astype(str).astype(object)
    items[3, 4:] = ""
    scores = -np.sort(-rng.integers(0, 4, (60, 6))).astype(np.float32)  # many ties
    users = rng.integers(0, 12, 60).astype(str)  # up to two-digit numbers of instances
    lists = RankLists.from_tokens(users, np.full(60, ""), items, scores)
    write_trec(lists, tmp_path / "a.trec")
    fields = [line.split() for line in (tmp_path / "a.trec").read_text().splitlines()]
    for query in {line[0] for line in fields}:  # tools that look at scores alone keep the order
        numbers = [float(line[4]) for line in fields if line[0] == query]
        assert all(one > two for one, two in itertools.pairwise(numbers))
    again = read_lists(tmp_path / "a.trec")
    ours, theirs = (dict(zip(query_ids(x), x.items.tolist())) for x in (lists, again))
    assert ours == theirs
    assert sorted(again.users) == sorted(lists.users)  # u#2 is u again


def test_lists_without_scores_are_written_too(tmp_path):
    lists = RankLists.from_tokens(np.array(["u"]), np.array([""]), np.array([["a", "b", ""]]))
    write_trec(lists, tmp_path / "a.trec", tag="t")
    assert (tmp_path / "a.trec").read_text() == "u Q0 a 1 3 t\nu Q0 b 2 2 t\n"


def test_tokens_that_a_run_cannot_hold_are_refused(tmp_path):
    for user, item in (("u v", "a"), ("u", "a b"), ("", "a")):
        lists = RankLists.from_tokens(np.array([user]), np.array([""]), np.array([[item]]))
        with pytest.raises(UserError, match="cannot hold"):
            write_trec(lists, tmp_path / "a.trec")
    ambiguous = RankLists.from_tokens(
        np.array(["u", "u", "u#2"]), np.full(3, ""), np.array([["a"], ["b"], ["c"]])
    )
    with pytest.raises(UserError, match="one query id"):
        write_trec(ambiguous, tmp_path / "a.trec")


def test_numbered_query_ids_are_instances_only_after_the_ones_before_them():
    users, order = split_repeats(np.array(["a#10", "a#2", "b#2", "a", "c", "c#3", "d#1"]))
    assert users.tolist() == ["a#10", "a", "b#2", "a", "c", "c#3", "d#1"]
    assert users[order].tolist() == ["a#10", "a", "a", "b#2", "c", "c#3", "d#1"]
    assert order.tolist() == [0, 3, 1, 2, 4, 5, 6]


@pytest.mark.parametrize("damage", ["flip", "exchange", "link"])
def test_lists_in_a_runs_folder_must_be_those_that_the_run_wrote(tmp_path, damage):
    folder = tmp_path / "run" / "ranklists"
    folder.mkdir(parents=True)
    lists = [RankLists.from_tokens(*map(np.array, (["u"], ["a"], [[a, "c"]]))) for a in "ab"]
    for found, name in zip(lists, ("base", "finest")):
        found.save(folder / f"{name}.npz")
    Manifest(tmp_path / "run").add(folder)
    assert read_lists(folder / "base.npz").items.tolist() == [["a", "c"]]
    path = folder / "base.npz"
    if damage == "exchange":
        path.write_bytes((folder / "finest.npz").read_bytes())
    elif damage == "link":
        path.rename(tmp_path / "elsewhere.npz")
        path.symlink_to(tmp_path / "elsewhere.npz")
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(bytes(content))
    with pytest.raises(UserError, match=r"base.npz' (is a link|has another SHA-256)"):
        read_lists(path)


def test_long_names_that_are_repeated_take_no_room(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    code = arrow.array(np.zeros(100_000, np.int8))
    user = arrow.DictionaryArray.from_arrays(code, arrow.array(["u" * 4000]))
    rank = arrow.array(np.arange(100_000))
    table = arrow.table({"user": user, "item": rank, "rank": rank})
    parquet.write_table(table, tmp_path / "a.parquet")
    before = arrow.default_memory_pool().max_memory()
    lists = read_lists(tmp_path / "a.parquet")
    assert lists.items.shape == (1, 100_000) and lists.users.tolist() == ["u" * 4000]
    assert arrow.default_memory_pool().max_memory() - before < 2**26  # 400 MB, written out
