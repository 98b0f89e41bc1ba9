"""The table that a run prints."""

import pytest

from recbole_finest.report.run.summary_table import summary_rows, summary_table


def result(base, finest, **more):
    """A run with these stability measures of base and of finest."""
    accuracy = more.pop("accuracy", {"mrr@10": 0.1})
    return {
        "accuracy": {"base": accuracy, "base_perturbed": accuracy, "finest": accuracy},
        "stability": {"base": base, "finest": finest, **more},
    }


def last_column(found):
    header, rows = summary_rows(found)
    return header[-1], [row[-1] for row in rows]


REMOVED = [
    ("churn@10", 0.4, 0.1, "75 %"),
    ("rankshift@10", 8.0, 2.0, "75 %"),
    ("rbo@10", 0.6, 0.7, "25 %"),
    ("churn@10", 0.2, 0.3, "-50 %"),
    ("churn@10", 0.0, 0.0, None),
    ("rbo@10", 1.0, 1.0, None),
]


@pytest.mark.parametrize(("measure", "base", "finest", "share"), REMOVED)
def test_instability_removed_is_a_share_of_the_distance_from_agreement(
    measure, base, finest, share
):
    found = last_column(result({measure: base}, {measure: finest}))
    assert found == (f"instability removed ({measure})", [None, share])


def test_jaccard_at_the_depth_shown_is_preferred():
    base = {"rbo@5": 0.5, "rbo@10": 0.5, "jaccard@5": 0.2, "jaccard@10": 0.6}
    finest = {"rbo@5": 0.5, "rbo@10": 0.5, "jaccard@5": 0.6, "jaccard@10": 0.8}
    at_10 = last_column(result(base, finest))
    assert at_10 == ("instability removed (jaccard@10)", [None, "50 %"])
    without = last_column(result(base, finest, accuracy={"hit@5": 0.1}))
    assert without[0] == "instability removed (jaccard@5)"
    shallow = [{k: v for k, v in of.items() if k.endswith("@5")} for of in (base, finest)]
    assert last_column(result(*shallow)) == ("instability removed (jaccard@5)", [None, "50 %"])


def test_the_two_questions_are_never_in_one_block():
    one = result({"churn@10": 0.4}, {"churn@10": 0.1}, control={"churn@10": 0.0})
    one["accuracy"]["control"] = one["accuracy"]["base"]
    one["question"] = {"base": "alone", "finest": "anchored"}
    alone, anchored = summary_table(one).split("\n\n")
    assert alone.startswith("Retrained alone") and anchored.startswith("Knowing the deployed model")
    names = [
        [line.split("|")[1].strip() for line in block.splitlines()[3:]]
        for block in (alone, anchored)
    ]
    assert names == [["base", "control (same seed)"], ["finest"]]
    one["question"]["finest"] = "alone"  # own lists: a single table needs no title
    assert summary_table(one).startswith("| model")


def test_a_failed_control_is_said_below():
    good = result({"churn@10": 0.4}, {"churn@10": 0.1}, control={"churn@10": 0.0})
    assert "Control failed" not in summary_table(good)
    bad = result({"churn@10": 0.4}, {"churn@10": 0.1}, control={"churn@10": 1e-9})
    assert summary_table(bad).splitlines()[-1].startswith("Control failed")
