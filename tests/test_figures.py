"""The figures of README and docs: from a committed record, or with the words on what measured them."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from recbole_finest.report.leaderboard import write_leaderboard
from tests.figures import differences, of_record, tables_of
from tests.report.leaderboard.made_up import record, write_records
from tests.unrecorded import UNRECORDED

ROOT = Path(__file__).parents[1]
PAGES = [Path("README.md"), *(Path("docs") / f.name for f in sorted((ROOT / "docs").glob("*.md")))]


def tables(page):
    return list(tables_of((ROOT / page).read_text(encoding="utf-8")))


def test_every_table_of_figures_has_a_record_or_words_that_say_what_measured_it():
    found = [(str(page), table) for page in PAGES for table in tables(page) if table.measured]
    left = [(page, t.heading, ", ".join(t.cells[0])) for page, t in found if t.record is None]
    for page, heading, columns, n, words in UNRECORDED:
        same = [x for x in left if x[:2] == (page, heading) and x[2].startswith(columns)]
        assert len(same) == n, (page, heading, columns)
        left = [x for x in left if x not in same]
        text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert words in text, (page, words)
    assert not left, "commit a record (tests/figures.py), or say in the page what measured these"


def test_tables_say_what_their_records_say():
    recorded = [table for page in PAGES for table in tables(page) if table.record is not None]
    assert [line for table in recorded for line in differences(ROOT, table)] == []


@pytest.fixture
def root(tmp_path):
    """A page's records: a leaderboard's, and a run's result."""
    rows = [record(m, j, which=i) for m, j in (("none", 0.6), ("finest", 0.8)) for i in range(2)]
    write_leaderboard(write_records(tmp_path / "board", rows))
    accuracy = {name: {"ndcg@10": 0.1} for name in ("base", "finest")}
    stability = {"base": {"jaccard@10": 0.6}, "finest": {"jaccard@10": 0.8}}
    answered = {"base": "alone", "finest": "anchored"}
    result = {"accuracy": accuracy, "stability": stability, "question": answered}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "result.json").write_text(json.dumps(result))
    return tmp_path


def test_a_record_gives_the_cells_and_a_changed_one_is_found(root):
    text = (root / "board" / "leaderboard.md").read_text(encoding="utf-8")
    page = text[text.index("### toy, shuffle order stable: knowing") :].partition("\n### ")[0]
    page = page.replace(
        "\n|", "\n<!-- record: board/records.json board-toy-stable-anchored -->\n|", 1
    )
    (table,) = tables_of(page)
    assert table.record == ("board/records.json", "board-toy-stable-anchored") and table.measured
    assert table.column("method") == ["keep (front)", "finest"]
    assert differences(root, table) == []
    (wrong,) = tables_of(page.replace("0.8000", "0.8001"))
    (said,) = differences(root, wrong)
    assert "'0.8001' where" in said and "has '0.8000'" in said
    (shorter,) = tables_of("\n".join(page.splitlines()[:-1]))
    assert "other rows or columns" in differences(root, shorter)[0]


def test_a_run_gives_a_table_for_each_question(root):
    alone, anchored = (of_record(root, ("run/result.json", q)) for q in ("alone", "anchored"))
    assert [row[0] for row in alone[1:]] == ["base"] and [row[0] for row in anchored[1:]] == [
        "finest"
    ]
    assert alone[0][-2:] == ["jaccard@10", "instability removed (jaccard@10)"]
    assert anchored[1][-2:] == ["0.8000", "50 % (no interval)"]


def test_what_a_figure_is():
    page = "# a\n\n| x | y |\n|---|---|\n| one | %s |\n"
    figures = ["0.5", "63 (0.0626)", "−1", "12 %", "0.847 ± 0.097", "87.1 s / 9 s", "< 0.001"]
    words = ["yes", "0 … 1", "`rank_*`", "–", "arXiv 2402.03481", "one pass"]
    assert [next(tables_of(page % cell)).measured for cell in figures] == [True] * len(figures)
    assert [next(tables_of(page % cell)).measured for cell in words] == [False] * len(words)
    assert list(tables_of(f"```\n{page}```\n")) == []


# Tables without a record hold at least together: shares follow from the measures beside them, and a table
# that repeats another has its figures.


def number(cell):
    return float(re.match(r"[+−-]?[\d.]+", cell)[0].replace("−", "-"))


def removed(base, other):
    return 100 * (1 - (1 - other) / (1 - base))


def shares(base, other, decimals, unit):
    """What a share may be, rounded to ``unit``, of measures that are rounded to ``decimals``."""
    reach = 100 * 0.5 * 10**-decimals * (1 + (1 - other) / (1 - base)) / (1 - base)
    return pytest.approx(removed(base, other), abs=unit / 2 + reach)


def test_readme_repeats_the_table_of_methods():
    (whole,) = [t for t in tables("docs/methods.md") if t.heading == "What the anchor does"]
    (short,) = [t for t in tables("README.md") if t.heading == "What was learnt"]
    rows = {row[0]: row[1:] for row in whole.cells[1:]}
    shown = {row[0]: row[1:] for row in short.cells[1:]}
    for name in (
        "each side its own base's lists",
        "the clean base's lists on both sides (default)",
    ):
        question, *cells = shown.pop(f"finest, {name}")
        wanted = rows[f"finest, {name}"]
        assert [question, *map(number, cells)] == [wanted[0], *map(number, wanted[1:])]
    ((name, (question, *cells)),) = shown.items()
    assert name.startswith("distillation, best here of the weights") and question == "anchored"
    tried = [row for key, (_, *row) in rows.items() if key.startswith("distillation, weight")]
    best = [max(number(c) for c in column if c != "–") for column in zip(*tried)]
    assert list(map(number, cells)) == best


def test_readme_repeats_the_table_of_models():
    whole = next(t for t in tables("docs/models.md") if t.cells[0][0] == "Model")
    (short,) = [t for t in tables("README.md") if t.heading == "Models"]
    assert short.cells == [row[: len(short.cells[0])] for row in whole.cells]


def test_shares_removed_follow_from_the_measures_beside_them():
    checked = Counter()
    for table in tables("docs/methods.md"):
        if table.heading == "Without an anchor":
            base = 0.0
            for jaccard, share in zip(table.column("Jaccard@10"), table.column("removed, %")):
                base = number(jaccard) if share == "–" else base
                if share != "–":
                    assert number(share) == shares(base, number(jaccard), 4, 1)
                    checked["methods"] += 1
    for table in tables("docs/experiment.md"):
        if table.heading == "Three seeds":
            for _, base, *others in table.cells[1:]:
                for mean, share in zip(others[:2], others[2:4]):
                    if mean:
                        in_brackets = number(share.partition("(")[2])
                        assert in_brackets == shares(number(base), number(mean), 3, 1)
                        checked["experiment"] += 1
    boards = {t.heading: t for t in tables("docs/leaderboard.md")}
    alone, anchored = boards["Retrained alone"], boards["Knowing the deployed model"]
    places = [alone.cells[0].index(c) for c in ("model", "method", "Jaccard@10")]
    base = {row[0]: number(row[places[2]]) for row in alone.cells[1:] if row[1].startswith("none")}
    for table in (alone, anchored):
        columns = (
            table.column(c) for c in ("model", "method", "Jaccard@10", "instability removed, %")
        )
        for model, method, jaccard, share in zip(*columns):
            if share != "–":
                wanted = shares(base[model], number(jaccard), 4, 0.1)
                assert number(share) == wanted, (model, method)
                checked["leaderboard"] += 1
    assert checked == {"methods": 9, "experiment": 14, "leaderboard": 30}


def test_the_demo_says_what_its_own_columns_say():
    alone, anchored = tables("README.md")[:2]
    base = number(alone.column("jaccard@10")[0])
    shares = [
        (number(jaccard), number(share))
        for table in (alone, anchored)
        for jaccard, share in zip(
            table.column("jaccard@10"), table.column("instability removed (jaccard@10)")
        )
        if share != "–"
    ]
    assert [share for _, share in shares] == [2, 37, -13, 100, 70, 53, 55]
    assert [round(removed(base, jaccard)) for jaccard, _ in shares] == [2, 37, -13, 100, 70, 53, 55]
