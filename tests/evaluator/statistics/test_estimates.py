"""Means, shares and intervals over replicates, worked by hand."""

import numpy as np
import pytest

from recbole_finest.evaluator.statistics.estimates import (
    NONE,
    change_of,
    mean_of,
    means_of,
    paired_p,
    replicates_needed,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_two_replicates_have_the_interval_of_their_four_resamples(rng):
    # means .2 (one in four), .3 (one in two), .4 (one in four): the tails are the values themselves
    found = mean_of(np.array([0.2, 0.4]), rng)
    assert found.mean == pytest.approx(0.3)
    assert (found.low, found.high, found.n) == pytest.approx((0.2, 0.4, 2))


def test_one_replicate_has_no_interval_and_equal_ones_have_one_without_width(rng):
    one = mean_of(np.array([0.7, np.nan]), rng)
    assert (one.mean, one.n) == (0.7, 1) and np.isnan(one.low) and np.isnan(one.high)
    equal = mean_of(np.full(5, 0.7), rng)
    assert (equal.mean, equal.low, equal.high, equal.n) == (0.7, 0.7, 0.7, 5)
    assert mean_of(np.array([np.nan]), rng) is NONE


def test_several_measures_at_once(rng):
    values = {"a": [0.2, 0.4], "b": [0.5, 0.5], "c": [0.1, np.nan], "d": [0.9, 0.1]}
    found = means_of({key: np.array(row) for key, row in values.items()}, rng)
    assert list(found) == ["a", "b", "c", "d"]
    assert [(e.low, e.high, e.n) for e in found.values() if e.n == 2] == [
        (pytest.approx(0.2), pytest.approx(0.4), 2),
        (0.5, 0.5, 2),
        (pytest.approx(0.1), pytest.approx(0.9), 2),
    ]
    assert found["c"].mean == 0.1 and found["d"].mean == pytest.approx(0.5)
    one = means_of({"a": np.array([0.3])}, rng)["a"]
    assert (one.mean, one.n) == (0.3, 1) and np.isnan(one.low)


def test_a_change_is_the_ratio_of_the_means_and_is_resampled_in_pairs(rng):
    # (1 + 3) / (1 + 1) - 1 = 1; resamples give 0, 1 or 2
    found = change_of(np.array([1.0, 3.0]), np.array([1.0, 1.0]), rng)
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((1, 0, 2, 2))
    # ten per cent more in each pair: however the pairs are drawn
    found = change_of(np.array([0.11, 0.33]), np.array([0.1, 0.3]), rng)
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.filterwarnings("error")
def test_a_resample_without_instability_leaves_no_interval(rng):
    found = change_of(np.array([0.1, 0.2]), np.array([0.0, 0.2]), rng)
    assert found.mean == pytest.approx(0.5) and np.isnan(found.low) and np.isnan(found.high)


def test_degenerate_changes(rng):
    assert change_of(np.array([0.1]), np.array([0.0]), rng) is NONE
    assert change_of(np.array([]), np.array([]), rng) is NONE
    same = np.array([0.1, 0.2])
    assert change_of(same, same, rng).mean == change_of(same, same, rng).high == 0
    one = change_of(np.array([0.2, 0.5]), np.array([0.1, np.nan]), rng)
    assert (one.mean, one.n) == (1.0, 1) and np.isnan(one.low)


def test_the_smallest_p_value_of_n_pairs():
    gains = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    assert paired_p(gains[:5]) == pytest.approx(2 / 32)
    assert paired_p(gains) == pytest.approx(2 / 64)
    assert paired_p(np.zeros(4)) == 1.0 and np.isnan(paired_p(np.array([])))


@pytest.mark.parametrize(("compared", "needed"), [(0, 6), (1, 6), (2, 7), (11, 9)])
def test_replicates_needed_for_significance(compared, needed):
    # m · 2 / 2^n < 0.05
    assert replicates_needed(compared) == needed
