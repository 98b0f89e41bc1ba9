"""The leaderboard's files: complete, unrounded where promised, and without an outside address."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from recbole_finest.errors import UserError
from recbole_finest.report.leaderboard import main_table, write_leaderboard
from tests.report.leaderboard.made_up import record, write_records

EVIL = "<script>alert(1)</script>"
FILES = ("leaderboard.md", "leaderboard.html", "leaderboard.tex", "leaderboard.csv")


def some(control=1.0):
    """Two models, three methods, two perturbations of different kinds, the control, another data set."""
    stability = {"none": 0.6, "plain": 0.65, "finest": 0.8}
    records = [
        record(method, value + 0.1 * (model == "NARM") + 0.01 * i, model=model, which=i, kind=kind)
        for model in ("SASRec", "NARM")
        for method, value in stability.items()
        for i, kind in enumerate(("deletion", "insertion"))
    ]
    records += [
        record("control", control, which=None),
        record("seed_control", 0.3, which=None),
        record("none", 0.123456789012345, dataset="b_c & d"),
        record("finest", 0.9, dataset="b_c & d"),
    ]
    return records


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    write_records(folder, some(), failed=[{"cell": "c0ffee", "error": f"UserError: {EVIL} a_b|c"}])
    assert write_leaderboard(folder) == folder / "leaderboard.md"
    return folder


def text_of(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def test_the_first_lines_say_what_was_run(folder):
    lines = text_of(folder, "leaderboard.md").splitlines()
    assert lines[0] == "# Leaderboard"
    run = lines[2]
    assert "2 models (SASRec, NARM) × 2 data sets (toy, b\\_c & d) × 3 methods" in run
    assert "14 trainings measured, 1 cell FAILED (listed below), 1 h 02 min of wall time" in run
    assert run.endswith("recbole 1.2.1, torch 2.13.0.")
    assert (
        lines[3]
        == "- Controls: all 1 trainings repeated without a perturbation gave identical lists."
    )


def test_how_to_read_it_says_what_limits_a_comparison(folder):
    (how,) = [
        line for line in text_of(folder, "leaderboard.md").splitlines() if "How to read" in line
    ]
    assert "plain, warm\\_start and adversarial with it" in how
    assert "finest\\_dropout: both gives all of them dropout" in how
    assert "share members (of size 3, seed s uses the bases of s, s + 1 and s + 2)" in how


def test_the_note_says_how_cost_is_computed(folder):
    for name in ("leaderboard.md", "leaderboard.html"):
        text = text_of(folder, name)
        assert "Training is one renewal" in text
        assert "the least seconds per epoch that any of it took" in text


def test_the_work_of_earlier_commands_counts(tmp_path):
    write_leaderboard(write_records(tmp_path, some(), seconds=3.2, cell_seconds=185.0))
    text = text_of(tmp_path, "leaderboard.md")
    assert "3 s of wall time for the last command, 3 min 05 s of work in all;" in text


def test_the_result_in_a_sentence(folder):
    text = text_of(folder, "leaderboard.md")
    # distances: none .40 .39 .30 .29 (mean .345), finest .20 .19 .10 .09 (mean .145): 58 % gone
    assert re.search(
        r"toy \(shuffle order stable, all models\), knowing the deployed model: base, retrained alone, has "
        r"Jaccard@10 0\.655; finest has 0\.855 and removes 58 % \[\d\d, \d\d\] of base's instability while",
        text,
    )
    assert "; keeping the deployed model removes all of it, at no cost; no baseline is more" in text
    assert re.search(
        r"toy \(shuffle order stable, all models\), retrained alone: base has Jaccard@10 0\.655; the best "
        r"baseline, plain \(chosen on these figures\), has 0\.705 and removes 14 % \[",  # .05 of .345
        text,
    )
    # one replicate: no interval, and so no effect
    assert "finest has 0.900 and shows no effect (89 % of base's instability, without an" in text
    assert "Two questions, never mixed: retrained alone, each side sees its own log only;" in text
    assert "Noise floor" in text and "Jaccard@10 0.300 (toy, stable)" in text
    # four replicates, and one method compared with base: plain
    assert "Too few replicates for significance: with 4," in text
    assert "asks for at least 6 replicates" in text


def test_a_control_that_is_not_exact_is_said_loudly(tmp_path):
    write_leaderboard(write_records(tmp_path, some(control=1 - 1e-9)))
    for name in ("leaderboard.md", "leaderboard.html"):
        assert "CONTROL FAILED" in text_of(tmp_path, name)
    assert "0.999999999 (SASRec, toy, seed 0, stable)" in text_of(tmp_path, "leaderboard.md")
    write_leaderboard(write_records(tmp_path, some()[:12]))
    assert "No control was run" in text_of(tmp_path, "leaderboard.md")


def test_csv_is_unrounded(folder):
    found = pd.read_csv(folder / "leaderboard.csv", float_precision="round_trip")
    found = found.set_index(["dataset", "shuffle_order", "model", "method"])
    assert found.loc[("b_c & d", "stable", "SASRec", "none"), "jaccard@10"] == 0.123456789012345
    finest = found.loc[("toy", "stable", "all models", "finest")]
    assert finest["removed"] == pytest.approx(1 - 0.145 / 0.345, abs=1e-12)
    assert finest["n"] == 4 and np.isnan(finest["against_best_n"])
    assert found.loc[("toy", "stable", "all models", "plain"), "against_none_n"] == 4
    assert set(found.groupby("question").groups) == {"alone", "anchored"}
    assert set(found.xs("finest", level="method")["question"]) == {"anchored"}
    assert finest["removed_low"] < finest["removed"] < finest["removed_high"]
    assert bool(found.loc[("toy", "stable", "all models", "plain"), "best"])
    assert (
        len(found) == 3 + 3 * 4 + 2 * 2
    )  # the other data set; all, two models, keep among them; controls of one and all


def test_cost_is_shown_in_seconds_and_against_base(tmp_path):
    records = []
    for model, seconds in (("SASRec", 80.0), ("NARM", 40.05)):
        for method, cost, scoring in (("none", 1.0, 0.0634), ("ensemble", 3.0, 0.2)):
            records.append(record(method, 0.6, model=model, cost=cost))
            records[-1] |= {"cost_seconds": seconds * cost, "inference_seconds": scoring}
            records[-1] |= {"inference_ratio": scoring / 0.0634}
    write_leaderboard(write_records(tmp_path, records))
    columns = ["training, s", "training cost", "inference, s", "inference cost"]
    wanted = {"none": ["60.0", "1.00 ×", "0.0634", "1.00 ×"]}
    wanted["ensemble"] = ["180", "3.00 ×", "0.200", "3.15 ×"]
    lines = [line for line in text_of(tmp_path, "leaderboard.md").splitlines() if line[:1] == "|"]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    shown = {row[1].partition(" (")[0]: row for row in table[2:] if row[0] == "all models"}
    for method, values in wanted.items():
        assert [shown[method][table[0].index(name)] for name in columns] == values
        for name in ("leaderboard.html", "leaderboard.tex"):
            text = text_of(tmp_path, name)
            assert all(value.removesuffix(" ×") in text for value in (*columns, *values))
    found = pd.read_csv(tmp_path / "leaderboard.csv").set_index(["model", "method"])
    ensemble = found.loc[("all models", "ensemble")]
    assert ensemble["cost_seconds"] == pytest.approx(3 * 60.025) and ensemble["cost"] == 3.0
    assert ensemble["inference_seconds"] == 0.2
    assert ensemble["inference"] == pytest.approx(0.2 / 0.0634)


def test_every_latex_row_has_the_columns_of_its_tabular(folder):
    text = text_of(folder, "leaderboard.tex")
    tables = re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert len(tables) >= 5
    for columns, body in tables:
        rows = [line for line in body.splitlines() if line.rstrip().endswith(r"\\")]
        assert rows
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1, row
    assert not re.search(r"(?<!\\)[#_]", re.sub(r"^%.*$", "", text, flags=re.MULTILINE))


class Reader(HTMLParser):
    """Collects what a browser would fetch, and the tables' sizes."""

    def __init__(self):
        super().__init__()
        self.addresses, self.rows = [], []

    def handle_starttag(self, tag, attrs):
        names = ("src", "srcset", "href", "data", "poster", "action", "xlink:href")
        self.addresses += [value for name, value in attrs if name in names]
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += int(dict(attrs).get("colspan", 1))


def test_the_page_names_no_outside_address(folder):
    page = text_of(folder, "leaderboard.html")
    own = page.replace(get_plotlyjs(), "")
    assert len(own) < len(page) and not re.findall(r"\w+://|url\(|@import", own)
    reader = Reader()
    reader.feed(own)
    assert reader.addresses and all(a.startswith(("#", "data:")) for a in reader.addresses)
    assert "default-src &#39;none&#39;" in own
    anchors = {a[1:] for a in reader.addresses if a.startswith("#")}
    assert anchors <= set(re.findall(r'id="([\w-]+)"', own))
    assert EVIL not in page and "&lt;script&gt;alert(1)" in page
    assert "<script" not in text_of(folder, "leaderboard.md")


def test_the_figures_have_their_points_intervals_and_front(folder):
    page = text_of(folder, "leaderboard.html").replace(get_plotlyjs(), "")
    plots = re.findall(r'Plotly\.newPlot\(\s*"(figure-[\w-]+)",\s*(\[.*?\]),\s*\{', page, re.DOTALL)
    assert [name for name, _ in plots] == [
        "figure-front-toy-stable-alone",
        "figure-front-toy-stable-anchored",
        "figure-front-b_c-d-stable-anchored",
    ]
    front, *points = json.loads(plots[0][1])
    assert front["name"] == "Pareto front" and front["y"] == [pytest.approx(100 * 0.05 / 0.345)]
    assert [point["name"] for point in points] == ["none", "plain"]
    front, *points = json.loads(plots[1][1])
    assert front["y"] == [100] and [point["name"] for point in points] == ["keep", "finest"]
    assert points[1]["y"] == [pytest.approx(100 * 0.2 / 0.345)]
    assert points[1]["error_y"]["array"][0] > 0 and points[1]["error_x"]["array"] == [0.0]


def test_failed_cells_and_kinds_are_listed(folder):
    text = text_of(folder, "leaderboard.md")
    assert "## Failed cells" in text and "| c0ffee | UserError: &lt;script>" in text
    assert r"a\_b\|c" in text
    kinds = text[text.index("### By kind of perturbation") :]
    assert re.search(
        r"\| none +\| 0\.6500 +\| 0\.6600 +\|", kinds
    )  # deletion .6 .7, insertion .61 .71


def test_the_same_records_give_the_same_bytes(folder):
    before = [(folder / name).read_bytes() for name in FILES]
    write_leaderboard(folder)
    assert [(folder / name).read_bytes() for name in FILES] == before
    assert not list(folder.glob("*.part"))


def test_the_worst_users_where_the_values_are_kept(tmp_path):
    records = [record("none", 0.6), record("finest", 0.8)]
    for entry, worst in zip(records, (0.2, 0.5)):
        path = tmp_path / entry["values"]
        path.parent.mkdir(parents=True)
        users = np.array([f"u{i}" for i in range(21)])
        np.savez(path, users=users, **{"jaccard@10": worst + np.arange(21) / 100})
    write_leaderboard(write_records(tmp_path, records))
    found = pd.read_csv(tmp_path / "leaderboard.csv").set_index("method")["worst"]
    assert found["none"] == pytest.approx(0.21) and found["finest"] == pytest.approx(0.51)
    assert "worst 5 % of users" in text_of(tmp_path, "leaderboard.md")
    (tmp_path / records[0]["values"]).write_bytes(b"PK\3\4 not a zip file")
    with pytest.raises(UserError, match="damaged"):
        write_leaderboard(tmp_path)


def test_main_table_is_short():
    lines = main_table(some()).splitlines()
    titles = [line for line in lines if line and not line.startswith("|")]
    assert titles == [
        "toy, shuffle order stable, all models: retrained alone",
        "toy, shuffle order stable, all models: knowing the deployed model",
        "b_c & d, shuffle order stable, SASRec: retrained alone",
        "b_c & d, shuffle order stable, SASRec: knowing the deployed model",
    ]
    # two methods and two controls, keep and finest; base, keep and finest; an empty line between
    assert len(lines) == (3 + 4) + 1 + (3 + 2) + 1 + (3 + 1) + 1 + (3 + 2)
    finest = next(line for line in lines if line.startswith("| finest "))
    assert "0.8550" in finest and "+58.0 [" in finest
    one = main_table([record("none", 0.6), record("plain", 0.7)]).splitlines()
    assert one[0] == "toy, shuffle order stable, SASRec" and len(one) == 3 + 2


def test_stability_that_is_bought_with_accuracy_is_marked(tmp_path):
    records = [
        record(method, value + 0.01 * i, ndcg, which=i)
        for method, value, ndcg in (
            ("none", 0.6, 0.1),
            ("plain", 0.7, 0.099),
            ("ensemble", 0.8, 0.0989),
        )
        for i in range(2)
    ]
    write_leaderboard(write_records(tmp_path, records))
    text = text_of(tmp_path, "leaderboard.md")
    assert "| ensemble (front) † " in text and "| plain (best baseline, front) " in text
    assert text.count("† NDCG@10 is more than 1 % below base's") == 1
    table = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    header = [cell.strip() for cell in table[0]]
    place = header.index("NDCG@10")  # beside stability, its change beside it
    assert header[place - 1 : place + 2] == [
        "instability removed, %",
        "NDCG@10",
        "NDCG@10 change, %",
    ]
    assert "†" in main_table(records) and "†" not in main_table(records[:4])
    assert main_table({"records": some()}) == main_table(some())


def test_when_everything_failed_there_is_a_page_that_says_so(tmp_path):
    write_leaderboard(write_records(tmp_path, [], failed=[{"cell": "a", "error": "b"}]))
    text = text_of(tmp_path, "leaderboard.md")
    assert "0 trainings measured, 1 cell FAILED" in text and "## Failed cells" in text
