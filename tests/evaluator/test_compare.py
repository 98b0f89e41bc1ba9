"""Comparison of lists and of files, the commands, and the gate's exit codes."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from rbo import RankingSimilarity

from recbole_finest.cli.lists import compare_main, export_main
from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.compare import compare
from recbole_finest.evaluator.lists.compare_files import compare_files
from recbole_finest.evaluator.lists.ranklists import RankLists
from tests.evaluator import brute_force


def runs(n_users: int = 40, depth: int = 15) -> list[dict[str, list[str]]]:
    """Two systems' lists, made in plain Python: the second shuffles a little and drops some."""
    draw = random.Random(0)
    first, second = {}, {}
    for user in range(n_users):
        items = [f"i{number}" for number in draw.sample(range(60), depth)]
        first[f"u{user}"] = items
        moved = sorted(range(depth), key=lambda place: place + draw.uniform(0, 6))
        second[f"u{user}"] = [items[place] for place in moved if draw.random() < 0.9]
    return [first, second]


def write_run(path, lists: dict[str, list[str]]) -> str:
    with open(path, "w") as file:
        for user, items in lists.items():
            for rank, item in enumerate(items, 1):
                file.write(f"{user} Q0 {item} {rank} {100 - rank} plain\n")
    return str(path)


@pytest.fixture
def files(tmp_path) -> list[str]:
    return [write_run(tmp_path / f"{name}.trec", run) for name, run in zip("ab", runs())]


def test_trec_runs_give_the_figures_of_the_package_rbo_and_of_brute_force(files, tmp_path, capsys):
    output = tmp_path / "out.json"
    assert compare_main([*files, "--metrics=RBO,Jaccard", "--topk=5,10", f"--output={output}"]) == 0
    first, second = runs()
    pair = json.loads(output.read_text())["pairs"][0]
    assert (pair["reference"], pair["other"], pair["n"]) == (*files, 40)
    assert list(pair["metrics"]) == ["rbo@5", "rbo@10", "jaccard@5", "jaccard@10"]
    for k in (5, 10):
        lists = [(first[user][:k], second[user][:k]) for user in first]
        rbo = [RankingSimilarity(a, b).rbo_ext(0.9) for a, b in lists]
        jaccard = [brute_force.jaccard(a, b, k) for a, b in lists]
        for name, values in (("rbo", rbo), ("jaccard", jaccard)):
            row = pair["metrics"][f"{name}@{k}"]
            assert row["mean"] == pytest.approx(np.mean(values), abs=1e-9)
            assert row["median"] == pytest.approx(np.median(values), abs=1e-9)
            assert row["p5"] == pytest.approx(np.percentile(values, 5), abs=1e-9)
            assert row["low"] < row["mean"] < row["high"]
    printed = capsys.readouterr().out
    assert f"{np.mean(jaccard):.4f}" in printed and "95 % interval" in printed


def test_the_gates_exit_codes(files, capsys):
    first, second = runs()
    mean = np.mean([brute_force.jaccard(first[u], second[u], 10) for u in first])
    assert compare_main([*files, f"--fail-under=jaccard@10={mean - 1e-6}"]) == 0
    assert compare_main([*files, "--fail-under", f"jaccard@10={mean + 1e-6}"]) == 1
    assert "jaccard@10" in capsys.readouterr().err
    both = ["--fail-under=top1@1=0", "--fail-under=frbo@3=0.999"]  # one holds, one does not
    assert compare_main([*files, *both]) == 1
    assert compare_main([files[0], files[0], "--fail-under=rbo@10=1", "--fail-under=top1=1"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--topk=0"], "at least 1"),
        (["--topk=ten"], "whole numbers"),
        (["--metrics=Jacard"], "did you mean Jaccard"),
        (["--rbo_p=1"], "rbo_p"),
        (["--fail-under=jaccard=0.8"], "write a measure"),
        (["--fail-under=jaccard@10"], "write a measure"),
        (["--fail-under=jaccard@10=nan"], "write a measure"),
        (["--fail-under=churn@10=0.1"], "smaller"),
        (["--fail-under=jaccard@10=80"], "exceeds 1"),
        (["--fail-under=nothing@10=0.1"], "no stability measure"),
        (["--reference=c"], "none of"),
        (["--reference=a", "--all-pairs"], "not both"),
        (["--unknown"], "--help"),
        (["missing.csv"], "no file"),
        (["--output=/nowhere/at/all.json"], "Cannot write"),
    ],
)
def test_bad_arguments_are_refused(files, arguments, message):
    with pytest.raises(UserError, match=message):
        compare_main([*files, *arguments])


def test_one_file_is_refused(files):
    with pytest.raises(UserError, match="at least two"):
        compare_main(files[:1])


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


def lists(users: str, targets: str, rows: list[list[str]]) -> RankLists:
    return RankLists.from_tokens(np.array([*users]), np.array([*targets]), np.array(rows))


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


def test_export_writes_a_run_that_compares_as_identical(tmp_path):
    ours = lists("uvu", "xyz", [["a", "b"], ["c", "d"], ["e", "f"]])
    ours.save(tmp_path / "ours.npz")
    run = str(tmp_path / "ours.trec")
    assert export_main([str(tmp_path / "ours.npz"), run]) == 0
    assert "u#2 Q0 e 1 " in (tmp_path / "ours.trec").read_text()
    assert compare_main([str(tmp_path / "ours.npz"), run, "--fail-under=rbo@2=1"]) == 0
    with pytest.raises(UserError, match=r"\.trec"):
        export_main([str(tmp_path / "ours.npz"), str(tmp_path / "ours.txt")])
