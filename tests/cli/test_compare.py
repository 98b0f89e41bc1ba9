"""The command ``compare``, and the exit codes of the gate."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rbo import RankingSimilarity

from recbole_finest.cli.compare import main as compare_main
from recbole_finest.errors import UserError
from tests.evaluator.lists.runs import runs, write_runs
from tests.evaluator.measures import brute_force


@pytest.fixture
def files(tmp_path) -> list[str]:
    return write_runs(tmp_path)


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
        (["--metrics=Jacard"], "did you mean 'Jaccard'"),
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
