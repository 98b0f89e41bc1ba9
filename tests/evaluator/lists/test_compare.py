"""Comparison of lists and of files."""

from __future__ import annotations

import numpy as np
import pytest

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.compare_files import compare_files
from recbole_finest.evaluator.lists.ranklists import RankLists
from tests.evaluator.lists.runs import lists, runs, write_run, write_runs


@pytest.fixture
def files(tmp_path) -> list[str]:
    return write_runs(tmp_path)


def test_reference_and_all_pairs(files, tmp_path):
    third = write_run(tmp_path / "c.trec", runs()[0])
    paths = [*files, third]

    def pairs(**options):
        return [(one.reference, one.other) for one in compare_files(paths, **options)]

    a, b, c = paths
    assert pairs() == [(a, b), (a, c)]
    assert (
        pairs(reference="c") == pairs(reference=c) == pairs(reference="c.trec") == [(c, a), (c, b)]
    )
    assert pairs(all_pairs=True) == [(a, b), (a, c), (b, c)]
    assert compare_files([a, c])[0].summary["rbo@10"]["mean"] == pytest.approx(1, abs=1e-12)


def test_instances_are_matched_by_user_and_number_and_items_by_token():
    one = lists("uvu", "xyz", [["a", "b"], ["c", "d"], ["e", "f"]])
    other = lists("vuu", "yxz", [["c", "d"], ["a", "b"], ["f", "q"]])
    found = compare(one, other, ["Jaccard", "Top1"], [2])
    assert found.users.tolist() == ["u", "v", "u"]
    assert found.targets.tolist() == ["x", "y", "z"]
    assert found.values["jaccard@2"].tolist() == [1, 1, 1 / 3]
    assert found.values["top1@1"].tolist() == [1, 1, 0]
    assert len(found) == 3 and not found.notes


def test_other_users_or_targets_are_counted_and_refused_without_intersect():
    one = lists("uvw", "xyz", [["a"], ["b"], ["c"]])
    other = lists("uvt", "xqz", [["a"], ["b"], ["c"]])
    with pytest.raises(UserError, match=r"3 and 3, 2 have the same user and 1 of these.*intersect"):
        compare(one, other, topk=[1])
    found = compare(one, other, topk=[1], intersect=True)
    assert found.users.tolist() == ["u"]
    assert "1 instances are in both" in found.notes[0]
    with pytest.raises(UserError, match="in common"):
        compare(one, lists("r", "x", [["a"]]), topk=[1], intersect=True)
    unknown = lists("uvw", "   ", [["a"], ["b"], ["c"]])
    unknown = RankLists.from_tokens(unknown.users, np.full(3, ""), unknown.items)
    assert len(compare(one, unknown, topk=[1])) == 3  # a TREC run knows no targets


def test_a_depth_beyond_all_lists_is_noted():
    one = lists("u", "x", [["a", "b"]])
    found = compare(one, one, ["Jaccard"], [2, 20])
    assert found.values["jaccard@20"].tolist() == [1]
    assert "longer than 2" in found.notes[0]


def test_one_user_has_no_interval():
    one = lists("u", "x", [["a", "b"]])
    row = compare(one, one, ["Jaccard"], [2]).to_dict()["metrics"]["jaccard@2"]
    assert row == {"mean": 1.0, "median": 1.0, "p5": 1.0, "low": None, "high": None}


def test_the_generator_decides_the_interval():
    first, second = (
        RankLists.from_tokens(
            np.array([*run]), np.full(40, ""), np.array([row[:8] for row in run.values()])
        )
        for run in runs()
    )
    one, again, other = (
        compare(first, second, rng=np.random.default_rng(seed)).summary["rbo@10"]["low"]
        for seed in (1, 1, 2)
    )
    assert one == again != other
