"""Kinds worked by hand, and what every perturbation keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_finest.data.log import TRAIN, InteractionLog
from recbole_finest.data.perturbation import (
    ITEM_CHOICES,
    KINDS,
    SELECTIONS,
    apply_changes,
    perturb,
)
from tests.data.logs import COLUMNS, assert_equal, logs, make_log


def test_deletion_takes_rows_out():
    log = make_log("1234", "56", roles="ttvett")
    perturbed, changes = perturb(log, "deletion", "file", rows=[1, 4], rng=0)
    assert perturbed.item.tolist() == [1, 3, 4, 6]
    assert perturbed.row.tolist() == perturbed.place.tolist() == [0, 2, 3, 5]
    assert perturbed.time.tolist() == [0, 2, 3, 5]
    assert changes.item_before.tolist() == [2, 5]
    assert changes.item_after.tolist() == [0, 0]
    assert changes.item_choice is None
    assert changes.emptied_users.tolist() == []


def test_deletion_says_which_users_it_emptied():
    log = make_log("12", "34", "5", roles="ttttv")
    assert perturb(log, "deletion", "file", rows=[0, 2, 3], rng=0)[1].emptied_users.tolist() == [2]
    # Validation and test rows do not count as training history.
    log = make_log("123", "45", roles="tvett")
    assert perturb(log, "deletion", "file", rows=[0], rng=0)[1].emptied_users.tolist() == [1]


def test_replacement_changes_only_the_item():
    log = make_log("1123", roles="tttv")
    perturbed, changes = perturb(log, "replacement", "file", "unpopular", rows=[0, 2], rng=0)
    assert perturbed.item.tolist() == [2, 1, 1, 3]  # 2 occurs once in training; 3 never
    for name in COLUMNS:
        if name != "item":
            assert getattr(perturbed, name) is getattr(log, name)
    assert changes.item_before.tolist() == [1, 2]
    assert log.item.tolist() == [1, 1, 2, 3]


def test_insertion_goes_just_before_the_chosen_one():
    log = make_log("123", "45", roles="ttvtt", n_items=10)
    perturbed, changes = perturb(log, "insertion", "file", "popular", rows=[1, 3], rng=0)
    assert perturbed.user.tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert perturbed.item.tolist() == [1, 1, 2, 3, 1, 4, 5]
    assert perturbed.time.tolist() == [0, 1, 1, 2, 3, 3, 4]
    assert perturbed.row.tolist() == [0, -1, 1, 2, -1, 3, 4]
    assert perturbed.place.tolist() == [0, 1, 1, 2, 3, 3, 4]
    assert perturbed.role.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert changes.item_before.tolist() == [0, 0]
    assert changes.row.tolist() == [1, 3]


def test_trend_puts_one_item_before_the_last_of_some_users():
    log = make_log("123", "45", "678", roles="ttvttttt", n_items=30)
    perturbed, changes = perturb(log, "trend", count=3, rng=4)
    hit = int(changes.item_after[0])
    assert changes.item_after.tolist() == [hit] * 3 and 1 <= hit < 30
    assert perturbed.item.tolist() == [1, hit, 2, 3, 4, hit, 5, 6, 7, hit, 8]
    assert perturbed.row.tolist() == [0, -1, 1, 2, 3, -1, 4, 5, 6, -1, 7]
    assert perturbed.time.tolist() == [0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7]
    assert (changes.selection, changes.kind) == ("latest_random", "trend")
    hits = {int(perturb(log, "trend", count=1, rng=seed)[1].item_after[0]) for seed in range(200)}
    assert hits == set(range(1, 30))  # any item of the vocabulary may become one


def test_trend_goes_where_another_selection_says():
    log = make_log("123", "45", n_items=10)
    perturbed, changes = perturb(log, "trend", "file", "popular", rows=[0, 3], rng=0)
    assert perturbed.item.tolist() == [1, 1, 2, 3, 1, 4, 5]
    assert changes.selection == "file"
    _, changes = perturb(log, "trend", per_user=1, position="begin", rng=0)
    assert changes.row.tolist() == [0, 3]


def test_perturbed_log_is_perturbed_again():
    log = make_log("123", "45")
    once, _ = perturb(log, "insertion", "file", "popular", rows=[1], rng=0)
    twice, changes = perturb(once, "deletion", count=6, rng=0)
    assert len(twice) == 0
    assert changes.row.tolist() == [0, 1, 1, 2, 3, 4]
    assert changes.inserted.tolist() == [False, True, False, False, False, False]
    thrice, changes = perturb(once, "insertion", "random", "popular", count=6, rng=0)
    assert thrice.place.tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4]
    assert_equal(apply_changes(once, changes), thrice)


@st.composite
def amounts(draw: st.DrawFn, log: InteractionLog, selection: str) -> tuple[dict, int]:
    """Valid options for a selection, and the number of changes that they promise."""
    train = log.train_positions
    users, counts = np.unique(log.user[train], return_counts=True)
    if selection == "file":
        rows = draw(st.lists(st.sampled_from(log.row[train].tolist()), min_size=1, unique=True))
        return {"rows": rows}, len(rows)
    if selection == "user":
        named = draw(st.lists(st.sampled_from(users.tolist()), min_size=1, unique=True))
        return {"users": named}, int(counts[np.isin(users, named)].sum())
    limit = len(users) if selection.endswith("est_random") else len(train)
    count = draw(st.integers(1, limit))
    if draw(st.booleans()):
        return {"count": count}, count
    return {"ratio": min(1.0, (count + 0.5) / len(train))}, count


def check_contract(log: InteractionLog, perturbed: InteractionLog, kind: str, rows: list) -> None:
    """What every perturbation of a clean log keeps."""
    kept = perturbed.row >= 0
    row = perturbed.row[kept]
    assert (np.diff(row) > 0).all()  # users in order, and interactions within them
    assert (np.diff(perturbed.user) >= 0).all()
    assert all(
        (np.diff(perturbed.time[perturbed.user == user]) >= 0).all() for user in perturbed.user
    )
    untouched = ~np.isin(row, rows)
    for name in ("user", "item", "time", "role"):
        old, new = getattr(log, name)[row], getattr(perturbed, name)[kept]
        same = old == new
        assert same[untouched].all() if name == "item" else same.all(), name
    np.testing.assert_array_equal(perturbed.place[kept], row)
    missing = np.setdiff1d(log.row, row)
    assert missing.tolist() == (rows if KINDS[kind].adds < 0 else [])
    new = np.flatnonzero(~kept)
    assert perturbed.place[new].tolist() == (rows if KINDS[kind].adds > 0 else [])
    assert (perturbed.role[new] == TRAIN).all()
    for name in ("user", "place", "time"):  # the chosen one follows at once
        np.testing.assert_array_equal(
            getattr(perturbed, name)[new], getattr(perturbed, name)[new + 1]
        )
    assert (perturbed.item >= 1).all() and (perturbed.item < log.n_items).all()
    assert perturbed.n_items == log.n_items and perturbed.n_users == log.n_users
    assert perturbed.n_clean == log.n_clean


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_perturbation_keeps_the_contract(kind, selection, data):
    log = data.draw(logs())
    choice = data.draw(st.sampled_from(sorted(ITEM_CHOICES)))
    drawn = KINDS[kind].selection or selection if selection == "random" else selection
    options, promised = data.draw(amounts(log, drawn))
    before = [getattr(log, name).copy() for name in COLUMNS]
    perturbed, changes = perturb(log, kind, selection, choice, rng=3, **options)
    for name, column in zip(COLUMNS, before):
        np.testing.assert_array_equal(getattr(log, name), column)
    assert changes.count == promised == len(changes.user) == len(changes.time)
    assert len(perturbed) - len(log) == KINDS[kind].adds * promised
    assert (log.role[changes.row] == TRAIN).all()
    np.testing.assert_array_equal(changes.user, log.user[changes.row])
    check_contract(log, perturbed, kind, changes.row.tolist())
    if kind == "replacement" and log.n_items > 2:
        assert (changes.item_after != changes.item_before).all()
    assert_equal(apply_changes(log, changes), perturbed)
    again, _ = perturb(log, kind, selection, choice, rng=np.random.default_rng(3), **options)
    assert_equal(again, perturbed)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(
    log=logs(), position=st.sampled_from(["begin", "middle", "end", None]), each=st.integers(1, 4)
)
def test_count_per_user_keeps_the_contract(kind, log, position, each):
    perturbed, changes = perturb(log, kind, per_user=each, position=position, rng=0)
    counts = np.bincount(log.user[log.train_positions])
    np.testing.assert_array_equal(
        np.bincount(changes.user, minlength=len(counts)), np.minimum(counts, each)
    )
    check_contract(log, perturbed, kind, changes.row.tolist())


def test_selection_hardly_depends_on_a_few_rows():
    rng = np.random.default_rng(0)
    log = InteractionLog.from_columns(
        rng.integers(1, 200, 5000), rng.integers(1, 300, 5000), rng.integers(0, 99, 5000)
    )
    smaller, _ = perturb(log, "deletion", count=5, rng=1)
    larger, _ = perturb(log, "insertion", count=5, rng=1)
    for other in (smaller, larger):
        _, one = perturb(log, "replacement", ratio=0.1, rng=2)
        _, two = perturb(other, "replacement", ratio=0.1, rng=2)
        same = np.intersect1d(one.row[~one.inserted], two.row[~two.inserted])
        assert len(same) >= 490
        drawn = [
            dict(zip(changes.row[old].tolist(), changes.item_after[old].tolist()))
            for changes in (one, two)
            for old in [~changes.inserted]
        ]
        assert all(drawn[0][row] == drawn[1][row] for row in same.tolist())


def test_generator_advances_equally_whatever_is_drawn():
    log = make_log("12345", "678")
    following = set()
    for kind in KINDS:
        for selection in ("random", "popular", "earliest_random"):
            rng = np.random.default_rng(7)
            perturb(log, kind, selection, count=1, rng=rng)
            following.add(rng.random())
    assert len(following) == 1
