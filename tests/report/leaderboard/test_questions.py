"""Two questions are never mixed: blocks, the deployed model kept, ranks, and what a record answers."""

import pytest

from recbole_finest.report.leaderboard.measures import shown_keys
from recbole_finest.report.leaderboard.questions import question_of, with_keep
from recbole_finest.report.leaderboard.rank_table import rank_tables
from recbole_finest.report.leaderboard.records import from_contents
from tests.report.leaderboard.made_up import record
from tests.report.leaderboard.test_rows import blocks_of, seven


def two_questions():
    """Base, a recipe, and three that know the deployed model, over seven perturbations each."""
    return [
        *seven("none", 0.6, perturbed=0.08),
        *seven("plain", 0.7),
        *seven("finest", 0.9),
        *seven("distillation", 0.8, ndcg=0.099),  # -1 % of base on the clean side: kept
        *seven("warm_start", 0.85, ndcg=0.0989),  # -1.1 %
        record("control", 1.0, which=None),
    ]


def test_methods_of_two_questions_are_never_compared():
    alone, anchored = blocks_of(two_questions(), grid={})
    assert (alone.question, anchored.question, alone.both) == ("alone", "anchored", True)
    assert [row.method for row in alone.rows] == ["none", "plain"]
    assert [row.method for row in anchored.rows] == ["keep", "finest", "warm_start", "distillation"]
    assert [row.method for row in alone.controls] == ["control"] and anchored.controls == []
    # what is removed is of base's instability in both; base is a row of the first alone
    assert anchored.reference is alone.row("none") and anchored.row("none") is None
    # distances: base .397, finest .097
    assert anchored.row("finest").removed.mean == pytest.approx(1 - 0.097 / 0.397)
    # in its own block each has its best baseline, its front and its tests
    assert (alone.best.method, anchored.best.method) == ("plain", "distillation")
    assert all(row.against_none is None for row in anchored.rows)
    assert alone.row("plain").against_none.compared == 1
    gains = {row.method: row.against_best for row in anchored.rows}
    assert gains["finest"].gain == pytest.approx(0.1) and gains["finest"].compared == 2
    assert gains["keep"] is None and gains["distillation"] is None
    # plain is the best alone, though finest beats it; keep beats all that are no more accurate
    assert [row.method for row in alone.rows if row.front] == ["plain"]
    assert [row.method for row in anchored.rows if row.front] == ["keep"]


def test_the_row_of_keeping_the_deployed_model_is_worked_out_from_base():
    _, anchored = blocks_of(two_questions(), grid={})
    keep = anchored.row("keep")
    assert keep.stability["jaccard@10"].mean == 1 and keep.stability["churn@10"].mean == 0
    assert (keep.removed.mean, keep.change.mean, keep.cost, keep.cost_seconds) == (1, 0, 0, 0)
    assert keep.inference == 1 and keep.n == 7
    # base has .1 on the clean and .08 on the perturbed log: the old model has .1 there
    assert keep.change_perturbed.mean == pytest.approx(0.1 / 0.08 - 1)
    run = [*two_questions(), *seven("keep", 0.5)]
    _, anchored = blocks_of(run, grid={})
    assert anchored.row("keep").stability["jaccard@10"].mean == pytest.approx(0.503)  # what was run
    (alone,) = blocks_of([record("none", 0.6), record("plain", 0.7)], grid={})
    assert alone.row("keep") is None and not alone.both


def test_ranks_are_within_a_question():
    rows = with_keep(from_contents({"records": two_questions(), "grid": {}}).trainings)
    alone, anchored = rank_tables(rows, "stable", shown_keys(rows))
    assert alone.title == "Average ranks, shuffle order stable: retrained alone"
    column = "rank by Jaccard@10"
    assert dict(zip(alone.frame["method"], alone.frame[column])) == {"plain": 1, "none": 2}
    ranks = {"keep": 1, "finest": 2, "warm_start": 3, "distillation": 4}
    assert dict(zip(anchored.frame["method"], anchored.frame[column])) == ranks
    lonely = rows[rows["method"].isin(["none", "finest", "keep"])]  # base alone has no rank
    assert [t.name for t in rank_tables(lonely, "stable", shown_keys(rows))] == [
        "ranks-stable-anchored"
    ]


def test_the_question_of_a_record():
    grid = {
        "settings": {"epochs": 3},
        "model_settings": {"NARM": {"reference_model": "own"}},
        "method_settings": {"mine": {"method": "finest", "reference_model": "own"}},
    }
    cases = {
        ("finest", "SASRec"): "anchored",
        ("finest", "NARM"): "alone",
        ("finest(rank_weight=1)", "SASRec"): "anchored",
        ("mine", "SASRec"): "alone",
        ("keep", "NARM"): "anchored",
        ("ensemble", "SASRec"): "alone",
        ("control", "SASRec"): "alone",
        ("my.module:Class", "SASRec"): "unknown",
    }
    for (method, model), asked in cases.items():
        assert question_of(record(method, 0.5, model=model), grid) == asked, method
        said = {**record(method, 0.5, model=model), "question": "alone"}
        assert question_of(said, grid) == "alone"
    own = {**record("finest(reference_model=own)", 0.5), "settings": {"reference_model": "own"}}
    assert question_of(own, grid) == "alone"
    odd = {"settings": [1], "model_settings": {"SASRec": 3}, "method_settings": {"finest": None}}
    for said in (3, [], {"a": 1}, "no question"):  # a file may hold anything
        assert question_of({**record("finest", 0.5), "question": said}, odd) == "anchored"
