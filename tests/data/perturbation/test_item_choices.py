"""Item choices, worked by hand."""

import numpy as np

from recbole_finest.data.perturbation import ITEM_CHOICES, perturb
from tests.data.logs import make_log


def items(log, rows, choice, kind="replacement", rng=0):
    return perturb(log, kind, "file", choice, rows=rows, rng=rng)[1].item_after.tolist()


def test_item_choices_by_hand():
    log = make_log("1213", "214", "14", roles="tttettett")
    # Training: 1 2 1, 2 1, 1 4: counts 1: 4, 2: 2, 4: 1; neighbours 1-2 three times, 1-4 once.
    assert items(log, [0, 1], "popular") == [2, 1]
    assert items(log, [0, 8], "unpopular") == [4, 2]
    assert items(log, [0, 8], "least_popular") == [4, 2]
    assert items(log, [0, 8], "unpopular", "insertion") == [4, 4]
    assert items(log, [0, 1, 8], "similar") == [2, 1, 1]


def test_similar_breaks_ties_by_id_and_ignores_the_item_itself():
    log = make_log("3321", "5")
    assert items(log, [0, 2], "similar") == [2, 1]
    assert items(log, [4], "similar")[0] in (1, 2, 3, 4)  # no neighbour: random, but another


def test_random_item_is_uniform_over_the_others():
    log = make_log("2222", n_items=5)
    drawn = [item for seed in range(300) for item in items(log, [0, 1, 2, 3], "random", rng=seed)]
    counts = np.bincount(drawn, minlength=5)
    assert counts[0] == counts[2] == 0
    assert abs(counts[[1, 3, 4]] - 400).max() < 5 * np.sqrt(1200 * 2 / 9)


def test_the_only_item_replaces_itself():
    for choice in ITEM_CHOICES:
        assert items(make_log("11"), [0], choice) == [1]
        assert items(make_log("11", n_items=3), [0], choice) == [2]
