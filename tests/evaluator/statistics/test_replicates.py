"""Spreads, differences and intervals over seeds and perturbations, worked out by hand."""

import numpy as np
import pytest

from recbole_finest.evaluator.statistics.replicates import (
    crossed_interval,
    difference,
    removed,
    sizes,
    spread,
    spread_rows,
    spreads,
)

# Jaccard@2 of base and finest for two seeds (rows) and two perturbations
BASE = np.array([[0.5, 0.6], [0.4, 0.5]])
FINEST = np.array([[0.75, 0.6], [0.7, 0.9]])


def rows():
    return [
        {
            "seed": seed,
            "perturbation_seed": drawn,
            "stability": {
                "base": {"jaccard@2": BASE[seed, drawn], "churn@2": 1 - BASE[seed, drawn]},
                "finest": {"jaccard@2": FINEST[seed, drawn], "churn@2": 1 - FINEST[seed, drawn]},
            },
            "accuracy": {"base": {"ndcg@2": 0.1 + seed / 10}, "base_perturbed": {"ndcg@2": drawn}},
        }
        for seed in (0, 1)
        for drawn in (0, 1)
    ]


def test_stability_counts_every_pair_and_accuracy_every_seed():
    stable = spreads(rows(), "stability")["base"]["jaccard@2"]
    assert stable.n == 4 and stable.mean == pytest.approx(0.5, abs=1e-12)
    assert stable.sd == pytest.approx(np.sqrt(0.02 / 3), abs=1e-12)
    assert (stable.least, stable.most) == (0.4, 0.6)
    accuracy = spreads(rows(), "accuracy")
    assert list(accuracy) == ["base"]
    assert accuracy["base"]["ndcg@2"].n == 2
    assert accuracy["base"]["ndcg@2"].mean == pytest.approx(0.15, abs=1e-12)
    assert {row["kind"] for row in spread_rows(rows())} == {"accuracy", "stability"}


def test_difference_pair_by_pair():
    found = difference(rows(), "jaccard@2", "base", "finest")  # 0.25, 0, 0.3, 0.4
    assert (found.n, found.seeds, found.perturbations, found.better) == (4, 2, 2, 3)
    assert found.mean == pytest.approx(0.2375, abs=1e-12)
    assert found.sd == pytest.approx(np.std([0.25, 0, 0.3, 0.4], ddof=1), abs=1e-12)
    assert found.low < found.mean < found.high
    words = found.sentence("Jaccard@2", "base", "finest")
    assert "+0.2375" in words and "3 of 4" in words and "2 training seeds × 2 test" in words
    churn = difference(rows(), "churn@2", "base", "finest")  # a smaller one is better
    assert churn.mean == pytest.approx(-0.2375, abs=1e-12) and churn.better == 3


def test_one_seed_speaks_of_one_base():
    found = difference(rows()[:2], "jaccard@2", "base", "finest")
    assert "one trained base" in found.scope() and found.seeds == 1


def test_sizes_in_words():
    assert sizes(1, 3) == "1 training seed × 3 test perturbations"
    assert sizes(2, 0) == "2 training seeds"


def test_share_of_the_instability_removed():
    expected = [[0.5, 0], [0.5, 0.8]]
    np.testing.assert_allclose(removed(rows(), "jaccard@2", "finest"), expected, atol=1e-12)
    np.testing.assert_allclose(removed(rows(), "churn@2", "finest"), expected, atol=1e-12)


def test_interval_worked_by_hand():
    # seeds' means 1 and 3: variance 2 of 2; perturbations' means 2, 2: none. t(1) = 12.706
    low, high = crossed_interval(np.array([[1.0, 1.0], [3.0, 3.0]]))
    assert (low, high) == pytest.approx((2 - 12.7062047, 2 + 12.7062047), abs=1e-6)
    # one seed: the ordinary t interval over three perturbations; t(2) = 4.302653
    low, high = crossed_interval(np.array([[1.0, 2.0, 3.0]]))
    assert (low, high) == pytest.approx((2 - 4.3026527 / 3**0.5, 2 + 4.3026527 / 3**0.5), abs=1e-6)
    assert np.isnan(crossed_interval(np.array([[1.0]]))).all()


def test_the_interval_covers_the_mean_of_crossed_effects():
    rng = np.random.default_rng(0)
    draws, hits = 1000, 0
    for _ in range(draws):
        seeds, drawn = rng.normal(size=(4, 1)), rng.normal(size=(1, 4))
        low, high = crossed_interval(seeds + drawn + rng.normal(size=(4, 4)))
        hits += low <= 0 <= high
    assert hits / draws >= 0.94  # wide rather than narrow


def test_one_value_has_no_spread():
    assert np.isnan(spread(np.array([[0.5]])).sd)
