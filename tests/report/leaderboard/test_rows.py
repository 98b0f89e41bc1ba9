"""The rows of a leaderboard, their comparisons and ranks, worked by hand from made-up records."""

import math

import numpy as np
import pytest

from recbole_finest.report.leaderboard.baseline import is_finest
from recbole_finest.report.leaderboard.blocks import make_blocks
from recbole_finest.report.leaderboard.contents import make_board
from recbole_finest.report.leaderboard.measures import shown_keys
from recbole_finest.report.leaderboard.questions import with_keep
from recbole_finest.report.leaderboard.rank_table import rank_by_accuracy, rank_by_stability
from recbole_finest.report.leaderboard.records import from_contents
from tests.report.leaderboard.made_up import record

OWN = {"settings": {"reference_model": "own"}}  # finest and distillation are retrained alone, too


def _trainings(records, grid):
    return from_contents({"records": records, "grid": grid}).trainings


def blocks_of(records, settings=None, grid=OWN):
    rows = with_keep(_trainings(records, {**grid, "method_settings": settings or {}}))
    keys = shown_keys(rows)
    return list(make_blocks(rows, keys, settings or {}, np.random.default_rng(0)))


def test_what_is_shown_is_at_depth_ten_and_in_a_fixed_order():
    keys = shown_keys(from_contents({"records": [record("none", 0.5)]}).trainings)
    assert keys.accuracy == ("ndcg@10", "recall@10", "mrr@10")
    assert keys.stability == ("jaccard@10", "rbo@10")
    assert keys.every == ("rbo@10", "jaccard@10", "churn@10")


def test_means_and_what_was_removed():
    records = [
        record("none", 0.6, which=0),
        record("none", 0.8, which=1),
        record("finest", 0.8, ndcg=0.102, perturbed=0.097, which=0, cost=1.4),
        record("finest", 0.9, ndcg=0.102, perturbed=0.101, which=1, cost=1.6),
    ]
    (block,) = blocks_of(records)  # one model: no row for all models
    none, finest = block.rows
    assert (block.model, none.method, finest.method) == ("SASRec", "none", "finest")
    assert none.stability["jaccard@10"].mean == pytest.approx(0.7)
    assert finest.stability["jaccard@10"].mean == pytest.approx(0.85)
    # distances from 1: .4 and .2 before, .2 and .1 after: half of it, in whatever resample
    removed = finest.removed
    assert (removed.mean, removed.low, removed.high, removed.n) == pytest.approx((0.5, 0.5, 0.5, 2))
    # both perturbations share the model of the clean log: one training, no interval
    assert finest.change.mean == pytest.approx(0.02) and finest.change.n == 1
    assert math.isnan(finest.change.low)
    # (.097 + .101) / .2 - 1
    assert finest.change_perturbed.mean == pytest.approx(-0.01) and finest.change_perturbed.n == 2
    assert finest.accuracy_change is finest.change_perturbed
    assert finest.cost == pytest.approx(1.5) and none.removed.mean == none.change.mean == 0
    assert (finest.similarity, none.similarity) == (0.9, 1.0) and finest.coverage == 0.5


def test_a_measure_that_is_better_small():
    records = [record("none", 0.6), record("finest", 0.9)]
    for entry in records:
        entry["stability"] = {"churn@10": entry["stability"]["churn@10"]}
    (block,) = blocks_of(records)
    assert block.row("finest").removed.mean == pytest.approx(0.75)  # .4 to .1
    assert block.row("finest").against_none.gain == pytest.approx(0.3)


def test_collapsed_lists_do_not_count_as_stability():
    records = [
        record("none", 0.6, which=0),
        record("none", 0.8, which=1),
        record("finest", 1.0, which=0),
        record("finest", 0.9, which=1),
    ]
    records[2]["collapsed"] = {"perturbed": "9 of 9 test instances have one list"}
    finest = row_of(records, "finest")
    assert (finest.stability["jaccard@10"].mean, finest.stability["jaccard@10"].n) == (0.9, 1)
    assert finest.removed.mean == pytest.approx(0.5) and finest.removed.n == 1  # .2 to .1
    board = make_board(from_contents({"records": records}))
    assert any(
        said.startswith("finest of SASRec on toy has collapsed in 1 of its trainings")
        for said in board.sentences
    )
    records[3]["collapsed"] = {"clean": "…"}
    assert math.isnan(row_of(records, "finest").removed.mean)


def row_of(records, method):
    (found,) = [row for block in blocks_of(records) for row in block.rows if row.method == method]
    return found


def seven(method, jaccard, **more):
    """Seven replicates, each a little above the mean of the one before."""
    return [record(method, jaccard + 0.001 * i, which=i, **more) for i in range(7)]


def test_significance_after_holm():
    growing = [
        entry for i in range(7) for entry in [record("finest", 0.8 + 0.002 * i, ndcg=0.1, which=i)]
    ]
    plain = [record("plain", 0.61 + 0.003 * i, which=i) for i in range(7)]
    (block,) = blocks_of([*seven("none", 0.6), *plain, *growing])
    against = block.row("finest").against_none
    # all seven differences positive and different: 2 / 2^7, and twice that for two methods
    assert against.p == pytest.approx(2 / 128) and against.p_holm == pytest.approx(4 / 128)
    assert (against.n, against.compared) == (7, 2)
    assert against.gain == pytest.approx(0.2 + 0.003)
    assert block.row("plain").against_none.p_holm == pytest.approx(4 / 128)
    assert block.row("none").against_none is None
    # against plain, the only baseline beside none, finest alone is tested
    assert block.best.method == "plain" and block.row("plain").against_best is None
    best = block.row("finest").against_best
    assert (best.p, best.p_holm, best.compared) == pytest.approx((2 / 128, 2 / 128, 1))
    assert best.gain == pytest.approx(0.19 - 0.003)


def test_the_best_baseline_keeps_accuracy_on_both_sides():
    records = [
        record("none", 0.6),
        record("plain", 0.95, ndcg=0.098),  # -2 %
        record("adversarial", 0.94, perturbed=0.095),  # -5 % on the perturbed side
        record("finest_order_only", 0.93),  # a part of FINEST is no baseline
        record("mine", 0.92),  # nor is what the grid says is a variant
        record("distillation", 0.9, ndcg=0.099),  # -1 % is just tolerated
        record("ensemble", 0.9, cost=3.0),  # as stable, dearer
        record("finest", 0.91),
    ]
    (block,) = blocks_of(records, {"mine": {"method": "finest", "rank_weight": 3}})
    assert block.best.method == "distillation"
    front = {row.method for row in block.rows if row.front}
    # plain is the most stable; finest_order_only as accurate as none, which nobody beats in accuracy
    assert front == {"plain", "finest_order_only"}
    methods = [row.method for row in block.rows]
    assert methods[:3] == ["none", "plain", "adversarial"]  # by stability after none


def test_none_is_the_best_baseline_when_no_other_keeps_accuracy():
    (block,) = blocks_of([record("none", 0.6), record("plain", 0.9, ndcg=0.05)])
    assert block.best.method == "none"


def test_families():
    assert is_finest("finest(rank_weight=1)", {}) and is_finest("finest_no_simulation", {})
    assert not is_finest("plain", {}) and not is_finest("my.module:finest", {})
    assert not is_finest("finest_mine", {"finest_mine": {"method": "plain"}})


def test_all_models_come_first_and_are_compared_over_what_both_have():
    records = [
        record("none", 0.6, model="A"),
        record("none", 0.2, model="B"),
        record("finest", 0.8, model="A"),  # the cell of B failed
        record("control", 1.0, model="A", which=None),
        record("none", 0.5, model="A", order="recbole"),
    ]
    blocks = blocks_of(records)
    places = [(block.shuffle_order, block.model) for block in blocks]
    assert places == [
        ("stable", "all models"),
        ("stable", "A"),
        ("stable", "B"),
        ("recbole", "A"),
    ]
    finest = blocks[0].row("finest")
    assert finest.n == 1 and finest.removed.mean == pytest.approx(0.5)
    assert blocks[0].row("none").stability["jaccard@10"].mean == pytest.approx(0.4)
    assert [row.method for row in blocks[0].controls] == ["control"]


def test_without_none_there_are_means_and_no_comparison():
    (block,) = blocks_of([record("plain", 0.7), record("finest", 0.8)])
    finest = block.row("finest")
    assert finest.stability["jaccard@10"].mean == 0.8 and block.best is None
    assert finest.against_none is None and math.isnan(finest.removed.mean) and not finest.front


def test_average_ranks():
    records = [
        # stability 3, 2, 1; accuracy 1, 2.5, 2.5
        record("none", 0.6, ndcg=0.2, which=0),
        record("plain", 0.7, ndcg=0.1, which=0),
        record("finest", 0.8, ndcg=0.1, which=0),
        # stability 2.5, 2.5, 1; accuracy 3, 2, 1
        record("none", 0.6, ndcg=0.1, which=1),
        record("plain", 0.6, ndcg=0.2, which=1),
        record("finest", 0.8, ndcg=0.3, which=1),
        record("none", 0.6, which=2),  # a block that is not complete
        record("control", 1.0, which=None),
    ]
    rows = from_contents({"records": records}).trainings
    keys = shown_keys(rows)
    stability, accuracy = rank_by_stability(rows, keys), rank_by_accuracy(rows, keys)
    assert stability.ranks == {"none": 2.75, "plain": 2.25, "finest": 1.0}
    assert accuracy.ranks == {"none": 2.0, "plain": 2.25, "finest": 1.75}
    assert (stability.blocks, stability.left_out) == (2, 1)
    # rank sums 5.5, 4.5, 2: 12 / 24 · 54.5 - 24 = 3.25, over 1 - 6 / (2 · 24) for the tie
    assert stability.statistic == pytest.approx(3.25 / 0.875)
