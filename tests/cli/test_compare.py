"""The command ``compare``, and the exit codes of the gate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from junitparser import JUnitXml

from recbole_finest.cli.compare import main as compare_main
from recbole_finest.cli.main import main as command
from recbole_finest.errors import UserError
from tests.evaluator.lists.runs import runs, write_run, write_runs
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
        rbo = [brute_force.rbo_to_great_depth(a, b, 0.9) for a, b in lists]
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
        (["--fail-over=jaccard@10=0.8"], "write --fail-under jaccard@10=0.8"),
        (["--fail-under=jaccard@10:lo=0.8"], "did you mean 'low'"),
        (["--fail-under=ndcg@10:change=-0.01"], "ndcg@10:change needs --truth FILE"),
        (["--min-coverage=0.9"], "0.9 needs --intersect"),
        (["--min-coverage=90", "--intersect"], "--min-coverage is 90.0, but must be a share"),
        (["--policy=none.yaml"], "'none.yaml' cannot be read"),
        (["--truth=none.csv"], "no file none.csv"),
        (["--truth=none.npz"], "true items are read from"),
    ],
)
def test_bad_arguments_are_refused(files, arguments, message):
    with pytest.raises(UserError, match=message):
        compare_main([*files, *arguments])


def test_one_file_is_refused(files):
    with pytest.raises(UserError, match="at least two"):
        compare_main(files[:1])


TRUE = "user,item\nu0,{0}\nu0,{1}\nu1,{2}\nstranger,i1\n"


@pytest.fixture
def truth(tmp_path) -> str:
    """Two true items of u0, the first of the reference and one unknown, and the other's first of u1."""
    first, second = runs()
    path = tmp_path / "truth.csv"
    path.write_text(TRUE.format(first["u0"][0], "i99", second["u1"][0]))
    return f"--truth={path}"


def test_truth_adds_accuracy_to_table_json_and_markdown(files, truth, tmp_path, capsys):
    first, second = runs()
    output, summary = tmp_path / "out.json", tmp_path / "summary.md"
    asked = [truth, "--topk=3", f"--output={output}", f"--summary={summary}"]
    assert compare_main([*files, *asked]) == 0
    (pair,) = json.loads(output.read_text())["pairs"]

    def places(run: dict, k: int = 3) -> list[int]:
        """Of the two true items that are known."""
        wanted = (("u0", first["u0"][0]), ("u1", second["u1"][0]))
        ranks = [run[user].index(item) + 1 if item in run[user] else 99 for user, item in wanted]
        return [rank if rank <= k else 0 for rank in ranks]

    (a, b), (c, d) = places(first), places(second)
    assert a == 1 and d == 1
    accuracy = pair["accuracy"]
    assert (accuracy["n"], accuracy["true_items"]) == (2, 3)
    mrr, recall = accuracy["metrics"]["mrr@3"], accuracy["metrics"]["recall@3"]
    assert mrr["reference"]["mean"] == pytest.approx((1 + (1 / b if b else 0)) / 2)
    assert mrr["other"]["mean"] == pytest.approx(((1 / c if c else 0) + 1) / 2)
    assert recall["reference"]["mean"] == pytest.approx((0.5 + (b > 0)) / 2)
    hits = {
        "reference": 1 + (b > 0),
        "other": 1 + (c > 0),
        "lost": int(not c),
        "gained": int(not b),
    }
    assert accuracy["hits"] == {"3": hits}
    notes = [
        "38 of 40 compared lists have no true item in",
        "1 users of",
    ]
    assert all(note.startswith(start) for note, start in zip(pair["notes"][-2:], notes))
    printed, written = capsys.readouterr().out, summary.read_text()
    for text in (printed, written):
        for words in ("ndcg@3", "recall@3", "mrr@3", "hits@3", "lost", "gained", "(stranger)"):
            assert words in text
        assert f"{mrr['other']['mean']:.4f}" in text


def test_accuracy_is_gated_relative_to_the_reference(files, truth):
    first = files[0]
    assert compare_main([first, first, truth, "--fail-under=ndcg@10:change=0"]) == 0
    assert compare_main([first, first, truth, "--fail-under=mrr@10:difference:p5=0"]) == 0
    assert compare_main([first, first, truth, "--fail-over=lost@10=0"]) == 0
    assert compare_main([first, first, truth, "--fail-under=ndcg@10:change=0.01"]) == 1
    assert compare_main([first, first, truth, "--fail-under=gained@10=0.01"]) == 1


def test_over_and_every_statistic_from_the_command_line(files):
    first, second = runs()
    values = np.array([1 - len({*first[u][:10]} & {*second[u][:10]}) / 10 for u in first])
    for statistic, exact in {
        "": values.mean(),
        ":mean": values.mean(),
        ":median": np.median(values),
        ":p5": np.percentile(values, 5),
        ":p90": np.percentile(values, 90),
    }.items():
        for distance, code in ((1e-6, 0), (-1e-6, 1)):
            limit = max(exact + distance, 0)
            expected = 0 if exact == 0 else code
            found = compare_main([*files, f"--fail-over=churn@10{statistic}={limit:.9f}"])
            assert found == expected, (statistic, limit)
    assert compare_main([*files, f"--fail-over=churn@10:high={values.mean():.9f}"]) == 1
    assert compare_main([*files, f"--fail-over=churn@10:low={values.mean():.9f}"]) == 0


def test_a_least_coverage(files, tmp_path, capsys):
    half = write_run(tmp_path / "half.trec", dict(list(runs()[1].items())[:30]))
    output = tmp_path / "out.json"
    asked = [files[0], half, "--intersect", f"--output={output}"]
    with pytest.raises(
        UserError, match=r"10 only in .*a.trec \(u30, u31, u32, …\); use --intersect"
    ):
        compare_main(asked[:2])
    assert compare_main([*asked, "--min-coverage=0.75"]) == 0
    assert json.loads(output.read_text())["pairs"][0]["join"]["coverage"] == 0.75
    assert compare_main([*asked, "--min-coverage=0.76"]) == 1
    captured = capsys.readouterr()
    assert "FAILED: coverage of" in captured.err and "is 0.75, below 0.76." in captured.err
    assert "left out are 10 only in" in captured.out


def test_a_policy_fails_and_warns(files, tmp_path, capsys):
    policy, junit, summary = (tmp_path / name for name in ("gate.yaml", "gate.xml", "gate.md"))
    asked = [*files, f"--policy={policy}", f"--junit={junit}", f"--summary={summary}"]
    policy.write_text("fail:\n  - jaccard@10:low=0.1\nwarn: [churn@10=0.0, top1=1]\n")
    assert compare_main(asked) == 0
    assert capsys.readouterr().err.count("WARNING: ") == 2
    assert summary.read_text().startswith("## Rank lists compared: passed, 2 warnings\n")
    assert (JUnitXml.fromfile(str(junit)).tests, JUnitXml.fromfile(str(junit)).failures) == (3, 0)
    policy.write_text("fail:\n  - jaccard@10=1\n")  # nobody can meet it
    assert compare_main(asked) == 1
    assert "FAILED: jaccard@10 of" in (error := capsys.readouterr().err) and "below 1." in error
    assert JUnitXml.fromfile(str(junit)).failures == 1
    assert compare_main([*asked, "--fail-under=top1=0.99"]) == 1  # options count too
    assert JUnitXml.fromfile(str(junit)).failures == 2
    policy.write_text("min_coverage: 1\n")
    assert compare_main([*asked, "--intersect"]) == 0
    for text, message in (
        ("fail: [jacard@10=0.8]", "did you mean 'Jaccard'"),
        ("fail: [ndcg@10:change=-0.01]", "needs --truth"),
        ("min_coverage: 0.9", "needs --intersect"),
        ("fail: [top1=1", "is not valid YAML"),
        ("", "holds no condition"),
    ):
        policy.write_text(text)
        with pytest.raises(UserError, match=message):
            compare_main(asked)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--topk=ten"],
        ["--unknown"],
        ["--topk"],
        ["--truth=none.csv"],
        ["--fail-under=churn@10=0.1"],
        ["none.trec"],
        ["--min-coverage=0.9"],
    ],
)
def test_a_refusal_leaves_no_older_file_and_says_so_in_each(files, tmp_path, wrong, capsys):
    paths = [tmp_path / name for name in ("o.json", "s.md", "j.xml")]
    asked = [f"--output={paths[0]}", "--summ", str(paths[1]), "--junit", str(paths[2])]
    assert command(["compare", *files, *asked]) == 0
    assert json.loads(paths[0].read_text())["exit_code"] == 0
    before = sorted(tmp_path.iterdir())
    assert command(["compare", *files, *asked, *wrong]) == 2
    error = capsys.readouterr().err
    content = json.loads(paths[0].read_text())
    assert content["exit_code"] == 2 and f"error: {content['error']}\n" == error
    assert paths[1].read_text().startswith("## Rank lists compared: not possible\n")
    assert JUnitXml.fromfile(str(paths[2])).errors == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_refusal_does_not_touch_what_was_to_be_read(files):
    before = Path(files[1]).read_bytes()
    with pytest.raises(UserError, match="is a file to be read, too"):
        compare_main([*files, f"--output={files[1]}"])
    with pytest.raises(UserError, match="whole numbers"):
        compare_main([*files, "--output", files[1], "--topk=ten"])
    assert Path(files[1]).read_bytes() == before


def test_a_comparison_that_crashes_leaves_no_older_file(files, tmp_path, monkeypatch):
    output = tmp_path / "o.json"
    assert compare_main([*files, f"--output={output}"]) == 0

    def crash(*_):
        raise MemoryError

    monkeypatch.setattr("recbole_finest.cli.compare.compare_files", crash)
    with pytest.raises(MemoryError):
        compare_main([*files, f"--output={output}"])
    assert not output.exists()
