"""Tests between two models: values known from elsewhere, and their calibration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recbole_finest.errors import UserError
from recbole_finest.evaluator.statistics.paired import (
    compare_paired,
    holm,
    per_user,
    rank_biserial,
    wilcoxon_p,
)
from tests.evaluator.statistics.noise import noisy_jaccards


def test_p_values_are_uniform_where_nothing_differs():
    rng = np.random.default_rng(0)
    first, second = (noisy_jaccards(rng, 1000, 100) for _ in range(2))
    p_values = np.array([wilcoxon_p(row) for row in second - first])
    assert 0.03 <= (p_values < 0.05).mean() <= 0.07
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_holm_worked_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling
    p_values = np.array([0.04, 0.01, 0.03, 0.02])
    np.testing.assert_allclose(holm(p_values), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.5, 0.9])), [1.0, 1.0])


def test_rank_biserial_worked_by_hand():
    # |differences| 1, 2, 3 have the ranks 1, 2, 3; in favour 1 + 3, against 2, of 6
    assert rank_biserial(np.array([1.0, -2.0, 0.0, 3.0])) == pytest.approx(2 / 6)
    assert rank_biserial(np.zeros(3)) == 0
    assert rank_biserial(np.array([0.2, 0.1])) == 1


def test_paired_comparison():
    rng = np.random.default_rng(5)
    users = np.repeat(np.arange(50), 2).astype(str)
    base = {"jaccard@10": rng.random(100), "rbo@10": rng.random(100)}
    finest = {"jaccard@10": base["jaccard@10"] + 0.1, "rbo@10": base["rbo@10"]}
    finest["jaccard@10"] += rng.normal(scale=0.05, size=100)
    found = compare_paired(base, finest, users, rng)
    better, same = found["jaccard@10"], found["rbo@10"]
    assert better.n_users == 50
    difference = per_user(finest["jaccard@10"], users) - per_user(base["jaccard@10"], users)
    assert better.difference == pytest.approx(difference.mean())
    assert better.low < better.difference < better.high
    assert better.p_value == stats.wilcoxon(difference).pvalue
    assert better.p_holm == min(1, 2 * better.p_value)
    assert better.effect_size == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert (same.difference, same.p_holm, same.effect_size, same.rank_biserial) == (0, 1, 0, 0)
    assert "these two models" in better.sentence("jaccard@10")
    assert set(better.to_dict()) >= {"p_value", "p_holm", "low", "high"}


def test_measures_or_lengths_that_differ_are_refused():
    rng = np.random.default_rng(6)
    with pytest.raises(UserError, match="different measures"):
        compare_paired({"a": np.zeros(2)}, {"b": np.zeros(2)}, np.arange(2), rng)
    with pytest.raises(UserError, match="3 values for 2"):
        per_user(np.zeros(3), np.arange(2))
