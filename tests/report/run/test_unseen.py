"""What a real run keeps for its report, lists without seen items among it."""

import json
from pathlib import Path

import pytest

from recbole_finest import run_finest
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.report.run.collect import collect
from recbole_finest.report.run.run_folder import RunFolder


@pytest.fixture
def run(toy, tmp_path):
    settings = {**toy, "topk": [5], "valid_metric": "MRR@5", "list_depth": 30}
    result = run_finest("GRU4Rec", "toy", config_dict=settings)
    return result, tmp_path / "run"


def test_a_run_keeps_what_its_report_needs(run):
    result, path = run
    folder = RunFolder(path)
    report = collect(folder)
    for name in ("base", "plain", "finest"):
        filtered = result["stability_filtered"][name]["jaccard@5"]
        assert report.filtered[name]["jaccard@5"]["mean"] == pytest.approx(filtered, abs=1e-12)
        stable = result["stability"][name]["jaccard@5"]
        assert report.pairs[name].summary["jaccard@5"]["mean"] == pytest.approx(stable, abs=1e-12)
        similar = result["similarity_to_base"].get(name)
        if similar:
            assert report.similarity[name]["rbo@5"]["mean"] == pytest.approx(similar["rbo@5"])
    for name, metrics in report.accuracy.items():
        assert set(metrics) >= {"recall@5", "mrr@5", "ndcg@5"}
        for metric, row in metrics.items():
            assert row["mean"] == pytest.approx(result["accuracy"][name][metric], abs=1e-6)
    assert json.loads((path / "result.json").read_text())["stability_filtered"]
    assert len(report.slices) == 4 and (path / "report.html").is_file()


def test_nobody_is_shown_an_item_of_the_own_history(run, toy):
    _, path = run
    history: dict[str, list[str]] = {}
    lines = Path(toy["data_path"], "toy", "toy.inter").read_text().splitlines()[1:]
    for user, item, _ in (line.split("\t") for line in lines):  # sorted by time within a user
        history.setdefault(user, []).append(item)
    shown = RankLists.load(path / "ranklists_unseen" / "base.npz")
    lengths = RunFolder(path).instances.history_length
    for user, items, length in zip(shown.users.tolist(), shown.items.tolist(), lengths):
        assert length == len(history[user]) - 1  # leave one out: the last one is the test
        assert not set(items) & set(history[user][:-1])
        assert len(items) == 5
