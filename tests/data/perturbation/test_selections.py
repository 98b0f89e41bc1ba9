"""Selections, worked by hand."""

import numpy as np

from recbole_finest.data.perturbation import perturb
from tests.data.logs import make_log


def chosen(log, selection, **options):
    return perturb(log, "deletion", selection, rng=0, **options)[1].row.tolist()


def test_selections_by_hand():
    log = make_log("1233", "32", "4", roles="tttetvt")
    assert chosen(log, "popular", count=2) == [2, 4]  # item 3, twice in training
    assert chosen(log, "popular", count=3) == [0, 2, 4]  # then 1, 2 and 4 by id
    assert chosen(log, "unpopular", count=3) == [0, 1, 6]
    assert chosen(log, "earliest_random", count=3) == [0, 4, 6]
    assert chosen(log, "latest_random", count=3) == [2, 4, 6]
    assert chosen(log, "user", users=[3, 1]) == [0, 1, 2, 6]
    assert chosen(log, "user", count=3) == [0, 1, 2, 4, 6]
    assert chosen(log, "file", rows=[4, 0]) == [0, 4]
    # Row 0 reaches 0, 1, 2 and, through item 3, row 4; row 1 reaches 1, 2, 4; row 2 reaches 2, 4.
    assert chosen(log, "casper", count=3) == [0, 1, 2]
    assert chosen(log, "casper", count=1, max_seq_len=1) == [2]


def test_count_per_user_with_a_position():
    log = make_log("12345", "12", "1", roles="ttttetvt")
    assert chosen(log, "random", per_user=2, position="begin") == [0, 1, 5, 7]
    assert chosen(log, "random", per_user=2, position="middle") == [1, 2, 5, 7]
    assert chosen(log, "random", per_user=2, position="end") == [2, 3, 5, 7]
    rows = chosen(log, "random", per_user=2)
    assert len(rows) == 4 and rows[2:] == [5, 7]
    _, changes = perturb(log, "deletion", per_user=1, position="end", rng=0)
    assert changes.selection == "per_user_end"
    assert changes.emptied_users.tolist() == [2, 3]


def test_random_selection_is_uniform():
    log = make_log("12345", "678")
    counts = np.zeros(8)
    for seed in range(800):
        counts[perturb(log, "deletion", count=2, rng=seed)[1].row] += 1
    assert counts.sum() == 1600
    assert abs(counts - 200).max() < 5 * np.sqrt(800 * 0.25 * 0.75)
