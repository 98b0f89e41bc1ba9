"""Intervals and summaries: their calibration, and slices."""

from __future__ import annotations

import numpy as np

from recbole_finest.evaluator.statistics import summary
from recbole_finest.evaluator.statistics.summary import (
    bands,
    by_slice,
    change_interval,
    mean_interval,
    summarise,
)
from tests.evaluator.statistics.noise import noisy_jaccards


def test_the_bootstrap_interval_covers_the_true_mean():
    rng = np.random.default_rng(1)
    truth = noisy_jaccards(rng, 1, 400_000).mean()
    low, high = mean_interval(noisy_jaccards(rng, 1000, 100), None, rng)
    assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.97


def test_the_paired_interval_covers_no_difference():
    rng = np.random.default_rng(2)
    first, second = (noisy_jaccards(rng, 1000, 100) for _ in range(2))
    low, high = mean_interval(second - first, None, rng)
    assert 0.93 <= ((low <= 0) & (high >= 0)).mean() <= 0.97


def test_users_and_not_instances_are_resampled(monkeypatch):
    """Instances of one user are alike: the interval must be as wide as that of the users' means."""
    rng = np.random.default_rng(3)
    effect = rng.normal(size=(500, 40))
    users = np.repeat(np.arange(40), 10)
    values = np.repeat(effect, 10, axis=1) + 0.1 * rng.normal(size=(500, 400))
    low, high = mean_interval(values, users, rng)
    assert 0.91 <= ((low <= 0) & (high >= 0)).mean() <= 0.97
    low, high = mean_interval(values, None, rng)
    assert ((low <= 0) & (high >= 0)).mean() < 0.6  # what resampling instances would claim
    monkeypatch.setattr(summary, "MANY_USERS", 2)  # the normal interval, for very many users
    low, high = mean_interval(values, users, rng)
    assert 0.91 <= ((low <= 0) & (high >= 0)).mean() <= 0.97


def test_the_interval_of_many_users_is_that_of_the_bootstrap(monkeypatch):
    rng = np.random.default_rng(4)
    values, users = rng.random((1, 6000)), np.repeat(np.arange(3000), 2)
    boot = np.array(mean_interval(values, users, rng))
    monkeypatch.setattr(summary, "MANY_USERS", 3000)
    np.testing.assert_allclose(mean_interval(values, users, rng), boot, atol=0.0008)


def test_the_relative_change_by_hand_and_what_has_none():
    rng = np.random.default_rng(5)
    first, second = np.array([1.0, 0, 1, 0]), np.array([1.0, 0.5, 0, 0])
    found = change_interval(first, second, None, rng)
    assert found["mean"] == 1.5 / 2 - 1
    assert np.isnan(found["low"]) and np.isnan(found["high"])  # resamples without any first hit
    assert all(np.isnan(x) for x in change_interval(0 * first, second, None, rng).values())
    one = change_interval(first, second, np.array([*"uuuu"]), rng)
    assert one["mean"] == -0.25 and np.isnan(one["low"])  # one user alone
    same = change_interval(first + 1, first + 1, None, rng)
    assert same == {"mean": 0, "low": 0, "high": 0}


def test_the_interval_of_the_change_covers_it_in_pairs(monkeypatch):
    """Both values of a person go up and down together; unpaired, the interval would be far wider."""
    rng = np.random.default_rng(6)
    covered, width = [], []
    for many in (50_000, 2):  # the bootstrap, and the normal interval of very many users
        monkeypatch.setattr(summary, "MANY_USERS", many)
        for _ in range(150):
            person = rng.gamma(1, size=200)
            first, second = (person * rng.uniform(0.8, 1.2, 200) for _ in range(2))
            found = change_interval(first, 0.9 * second, None, rng)
            covered.append(found["low"] <= -0.1 <= found["high"])
            width.append(found["high"] - found["low"])
    assert 0.91 <= np.mean(covered) <= 0.98
    assert np.mean(width) < 0.1  # 0.36 for two groups of 200


def test_slices():
    values = {"rbo@10": np.array([0.0, 0.5, 1.0, 1.0])}
    labels = bands(np.array([1, 9, 9, 50]), ("few", "many"))
    assert labels.tolist() == ["few", "few", "few", "many"]  # equal values stay together
    found = by_slice(values, labels, np.array(["u", "v", "w", "u"]), np.random.default_rng(7))
    assert [(name, row["n"]) for name, row in found.items()] == [("few", 3), ("many", 1)]
    assert found["few"]["metrics"]["rbo@10"]["mean"] == 0.5
    assert found["many"]["metrics"]["rbo@10"]["median"] == 1.0


def test_summary_of_equal_values():
    row = summarise({"x": np.ones(5)}, None, np.random.default_rng(8))["x"]
    assert row == {"mean": 1, "median": 1, "p5": 1, "low": 1, "high": 1}
