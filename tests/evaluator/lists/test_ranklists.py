"""Rank lists: tokens in, file out and in again, and files that are something else."""

from __future__ import annotations

import numpy as np
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.ranklists import RankLists


def example() -> RankLists:
    tokens = np.array(["[PAD]", "a", "b", "c", "d"])
    return RankLists.from_ids(
        users=np.array(["u", "v", "u"]),
        targets=np.array(["a", "b", "é"]),
        items=np.array([[4, 2, -1], [1, 4, 2], [0, -1, -1]]),
        scores=np.array([[2.0, 1.0, -np.inf], [3, 2, 1], [-np.inf] * 3]),
        tokens=tokens,
    )


def test_ids_become_tokens():
    lists = example()
    assert lists.items.tolist() == [["d", "b", ""], ["a", "d", "b"], ["", "", ""]]
    assert lists.vocabulary.tolist() == ["a", "b", "d"]
    assert lists.occurrence.tolist() == [1, 1, 2]
    assert (lists.codes.dtype, lists.scores.dtype) == (np.int32, np.float32)
    again = RankLists.from_tokens(lists.users, lists.targets, lists.items, lists.scores)
    assert again.items.tolist() == lists.items.tolist()


@pytest.mark.parametrize("scores", [True, False])
def test_a_file_holds_the_same_lists_and_the_same_bytes(tmp_path, scores):
    lists = example()
    if not scores:
        lists = RankLists(lists.users, lists.targets, lists.vocabulary, lists.codes)
    lists.save(tmp_path / "a.npz")
    lists.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]
    again = RankLists.load(tmp_path / "a.npz")
    for name in ("users", "targets", "vocabulary", "codes", "scores"):
        np.testing.assert_array_equal(getattr(again, name), getattr(lists, name))


def test_files_that_are_something_else_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(UserError, match="no file"):
        RankLists.load(path)
    path.write_text("no archive")
    with pytest.raises(UserError, match="not a file of rank lists"):
        RankLists.load(path)
    np.savez(path, codes=np.zeros((2, 2)))
    with pytest.raises(UserError, match="not one of rank lists"):
        RankLists.load(path)
    lists = example()
    lists.save(path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UserError, match="not a file of rank lists"):
        RankLists.load(path)
    lists.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for name, value in (
        ("users", np.array([{}, {}, {}], dtype=object)),  # would need pickle
        ("codes", arrays["codes"] + 3),
        ("codes", arrays["codes"][:2]),
        ("scores", arrays["scores"][:, :1]),
        ("surplus", np.zeros(1)),
    ):
        np.savez(path, **{**arrays, name: value})
        with pytest.raises(UserError):
            RankLists.load(path)
    del arrays["targets"]
    np.savez(path, **arrays)
    with pytest.raises(UserError, match="not a file of rank lists"):
        RankLists.load(path)


def test_a_name_that_is_not_npz_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"\.npz"):
        example().save(tmp_path / "lists.txt")


def test_an_item_that_is_repeated_in_a_list_is_refused():
    with pytest.raises(UserError, match="twice"):
        RankLists.from_tokens(np.array(["u"]), np.array([""]), np.array([["a", "b", "a"]]))
