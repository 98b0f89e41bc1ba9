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
    ("churn@10", 0.4, 0.1, (0.6, 0.9), "75 % [60, 90]"),
    ("rankshift@10", 8.0, 2.0, (0.6, 0.9), "75 % [60, 90]"),
    ("rbo@10", 0.6, 0.7, (-0.1, 0.6), "25 % [-10, 60] °"),
    ("churn@10", 0.2, 0.3, (-0.9, -0.1), "-50 % [-90, -10]"),
    ("rbo@10", 0.6, 0.7, (None, None), "25 % (no interval)"),
    ("rbo@10", 0.6, 1.0, (1.0, 1.0), "100 %"),
    ("churn@10", 0.0, 0.0, (None, None), None),
    ("rbo@10", 1.0, 1.0, (None, None), None),
]


@pytest.mark.parametrize(("measure", "base", "finest", "ends", "share"), REMOVED)
def test_instability_removed_is_a_share_of_the_distance_from_agreement(
    measure, base, finest, ends, share
):
    found = result({measure: base}, {measure: finest})
    found["removed"] = {"finest": {measure: dict(zip(("low", "high"), ends))}}
    assert last_column(found) == (f"instability removed ({measure})", [None, share])
    below = summary_table(found)
    assert ("no effect is shown" in below) == ("°" in (share or ""))


def test_what_stability_costs_in_accuracy_stands_beside_it_and_is_marked():
    found = result({"rbo@10": 0.6}, {"rbo@10": 0.7})
    found["accuracy"] = {
        "base": {"mrr@10": 0.1, "ndcg@10": 0.2},
        "base_perturbed": {"mrr@10": 0.1, "ndcg@10": 0.19},
        "finest": {"mrr@10": 0.1, "ndcg@10": 0.198},  # -1 %: just tolerated
        "finest_perturbed": {"mrr@10": 0.1, "ndcg@10": 0.1919},  # +1 %
        "plain": {"mrr@10": 0.1, "ndcg@10": 0.21},
        "plain_perturbed": {"mrr@10": 0.1, "ndcg@10": 0.18},  # -5.3 %
    }
    header, rows = summary_rows(found)
    assert header == ["model", "mrr@10", "ndcg@10", "ndcg@10 change, %", "rbo@10", header[-1]]
    assert [row[3] for row in rows] == [None, "-1.0 / +1.0", "+5.0 / -5.3 †"]
    below = summary_table(found).splitlines()
    assert "Change of ndcg@10: against base on the clean / on the perturbed log." in below
    assert any(line.startswith("† ndcg@10 is more than 1 % below base's") for line in below)
    del found["accuracy"]["plain"], found["accuracy"]["plain_perturbed"]
    assert "†" not in summary_table(found)


def test_jaccard_at_the_depth_shown_is_preferred():
    base = {"rbo@5": 0.5, "rbo@10": 0.5, "jaccard@5": 0.2, "jaccard@10": 0.6}
    finest = {"rbo@5": 0.5, "rbo@10": 0.5, "jaccard@5": 0.6, "jaccard@10": 0.8}
    at_10 = last_column(result(base, finest))
    assert at_10 == ("instability removed (jaccard@10)", [None, "50 % (no interval)"])
    without = last_column(result(base, finest, accuracy={"hit@5": 0.1}))
    assert without[0] == "instability removed (jaccard@5)"
    shallow = [{k: v for k, v in of.items() if k.endswith("@5")} for of in (base, finest)]
    shallow_column = last_column(result(*shallow))
    assert shallow_column == ("instability removed (jaccard@5)", [None, "50 % (no interval)"])


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


def test_what_is_taken_up_stands_beside_stability():
    found = result({"rbo@10": 0.6}, {"rbo@10": 0.7}, accuracy={"mrr@10": 0.1, "ndcg@10": 0.2})
    of_base = {
        "kept_news@10": 1.0,
        "kept_news_by_chance@10": 0.0,
        "lost@10": 0.01,
        "gained@10": 0.02,
    }
    of_finest = {
        "kept_news@10": 0.254,
        "kept_news_by_chance@10": 0.186,
        "lost@10": 0,
        "gained@10": 0,
    }
    found["plasticity"] = {"base": of_base, "finest": of_finest}
    header, rows = summary_rows(found)
    assert header[-3:-1] == ["kept news@10 (by chance), %", "lost / gained@10, %"]
    assert [row[-3:-1] for row in rows] == [["100 (0)", "1.00 / 2.00"], ["25 (19)", "0.00 / 0.00"]]
    assert "Kept news: of the items that base' newly lists" in summary_table(found)
    nothing_new = dict.fromkeys(("kept_news@10", "kept_news_by_chance@10"))
    found["plasticity"] = {"finest": {**of_finest, **nothing_new}}
    assert [row[-3:-1] for row in summary_rows(found)[1]] == [[None, None], [None, "0.00 / 0.00"]]
    del found["plasticity"]
    assert (
        "Kept news" not in summary_table(found) and len(summary_rows(found)[0]) == len(header) - 2
    )


def test_collapsed_lists_are_said_and_remove_nothing():
    one = result({"churn@10": 0.4}, {"churn@10": 0.0})
    assert last_column(one)[1] == [None, "100 % (no interval)"]
    one["collapsed"] = {"finest_perturbed": "9 of 9 test instances have one list"}
    assert last_column(one)[1] == [None, None]
    said = summary_table(one).splitlines()[-1]
    assert said.startswith(
        "finest' has collapsed: 9 of 9 test instances have one list. Its stability"
    )
