"""A sweep's recommended setting and its part of the leaderboard."""

import json
import re

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from recbole_finest.report.leaderboard import write_leaderboard
from recbole_finest.report.leaderboard.blocks import make_blocks
from recbole_finest.report.leaderboard.measures import shown_keys
from recbole_finest.report.leaderboard.recommend import recommend, swept_methods
from recbole_finest.report.leaderboard.records import from_contents
from tests.report.leaderboard.made_up import record, write_records

# removed: 1 - distance / .4
POINTS = {
    "none": (0.6, 0.1, 1.0),
    "plain": (0.99, 0.1, 1.0),
    "finest": (0.80, 0.1005, 1.5),  # 50 %
    "finest (rank_weight=1)": (0.70, 0.101, 1.5),  # 25 %
    "finest (rank_weight=30)": (0.84, 0.099, 1.6),  # 60 % at -1 %
    "finest (rank_weight=100)": (0.92, 0.0989, 1.5),  # 80 % at -1.1 %
    "finest (reference_k=50)": (0.8401, 0.0995, 1.55),  # 60.025 %, the same to a tenth, and cheaper
}


def records(**kept):
    found = []
    for method, (jaccard, ndcg, cost) in POINTS.items():
        entry = record(method, jaccard, ndcg, cost=cost, **kept)
        value = re.search(r"\((\w+)=(\d+)\)", method)
        entry["settings"] = {value[1]: int(value[2])} if value else {}
        found.append(entry)
    return found


def rows_of(entries):
    bench = from_contents({"records": entries})
    blocks = make_blocks(bench.trainings, shown_keys(bench.trainings), {}, np.random.default_rng(0))
    *_, anchored = blocks
    return swept_methods(anchored.rows, bench.variants)


def test_the_recommended_setting():
    families = rows_of(records())
    assert list(families) == ["finest"] and families["finest"][0].method == "finest"
    rows = families["finest"]
    assert len(rows) == 5
    assert recommend(rows).method == "finest (reference_k=50)"
    assert recommend(rows, 0.02).method == "finest (rank_weight=100)"
    assert recommend(rows, 0.0).method == "finest"
    assert recommend([row for row in rows if "100" in row.method]) is None
    assert recommend([]) is None


def test_accuracy_counts_on_both_sides():
    entries = records()
    for entry in entries:
        if entry["method"] == "finest (reference_k=50)":
            entry["accuracy_perturbed"]["ndcg@10"] = 0.09
    assert recommend(rows_of(entries)["finest"]).method == "finest (rank_weight=30)"


def test_what_a_name_stands_for():
    grid = {"method_settings": {"mine": {"method": "finest", "rank_weight": 3}, "bare": {}}}
    entries = [record("none", 0.5), record("finest", 0.6), record("mine", 0.7)]
    bench = from_contents({"records": [*entries, *records()[3:4]], "grid": grid})
    assert bench.method_of("mine") == bench.method_of("finest (rank_weight=1)") == "finest"
    assert bench.method_of("bare") == "bare" and bench.method_of("mod:Class") == "mod:Class"
    assert rows_of(entries) == {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    write_leaderboard(write_records(folder, records(), grid={"max_accuracy_loss": 0.02}))
    return folder


def test_the_leaderboard_names_setting_and_rule(folder):
    text = (folder / "leaderboard.md").read_text(encoding="utf-8")
    assert "× 3 methods (none, plain, finest in 5 settings) ×" in text
    assert (
        "Recommended setting of finest on toy (shuffle order stable, SASRec), knowing the deployed model: "
        r"finest (rank\_weight=100), the best of 5; it shows no effect (80 % of base's instability, "
        "without an interval) while NDCG@10 changes by -1.1 %." in text
    )
    part = text[text.index("## Recommended setting: toy") :]
    assert "is not more than 2.0 % below that of none" in part
    row = r"\| SASRec +\| finest +\| anchored +\| finest \(rank\\_weight=100\) \| \+80\.0 "
    assert re.search(row, part)


def test_the_trade_off_curves(folder):
    page = (folder / "leaderboard.html").read_text(encoding="utf-8").replace(get_plotlyjs(), "")
    plots = dict(
        re.findall(r'Plotly\.newPlot\(\s*"figure-([\w-]+)",\s*(\[.*?\]),\s*\{', page, re.DOTALL)
    )
    traces = {
        trace["name"]: trace for trace in json.loads(plots["sweep-toy-stable-anchored-finest"])
    }
    assert list(traces) == [
        "rank_weight",
        "reference_k",
        "finest, default settings",
        "recommended: finest (rank_weight=100)",
    ]
    curve = traces["rank_weight"]
    assert curve["text"] == ["1", "30", "100"] and curve["y"] == pytest.approx([25, 60, 80])
    assert curve["x"] == pytest.approx([1, -1, -1.1])
    # the settings have their own figure
    shown = {"alone": ["none", "plain"], "anchored": ["keep", "finest"]}
    for question, names in shown.items():
        front = json.loads(plots[f"front-toy-stable-{question}"])
        assert [trace["name"] for trace in front] == ["Pareto front", *names]


def test_when_no_setting_keeps_accuracy(tmp_path):
    kept = [r for r in records() if r["method"] in ("none", "finest (rank_weight=100)")]
    kept.append({**record("finest", 0.8, 0.05), "settings": {}})
    write_leaderboard(write_records(tmp_path, kept, grid={"max_accuracy_loss": None}))
    text = (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert "none of 2 loses at most 1.0 % of NDCG@10" in text and "none keeps accuracy" in text


def test_models_that_differ_have_no_holes(tmp_path):
    entries = records()
    for entry in records(model="NARM"):
        if entry["method"].startswith("finest"):
            entry["accuracy"]["ndcg@10"] = 0.01
        entries.append(entry)
    write_leaderboard(write_records(tmp_path, entries))
    text = (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert re.search(
        r"\| NARM +\| finest +\| anchored +\| none keeps accuracy +\| – +\| – +\| – +\|", text
    )
    assert not re.search(r"\bnan\b", text)
