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
from recbole_finest.errors import UserError
from tests.data.logs import logs, make_log

COLUMNS = ("user", "item", "time", "row", "place", "role")


def assert_equal(one: InteractionLog, other: InteractionLog) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    assert (one.n_users, one.n_items, one.n_clean) == (other.n_users, other.n_items, other.n_clean)


def chosen(log, selection, **options):
    return perturb(log, "deletion", selection, rng=0, **options)[1].row.tolist()


def items(log, rows, choice, kind="replacement", rng=0):
    return perturb(log, kind, "file", choice, rows=rows, rng=rng)[1].item_after.tolist()


# --- kinds, worked by hand -------------------------------------------------------------------------


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


# --- selections, worked by hand --------------------------------------------------------------------


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


# --- item choices, worked by hand ------------------------------------------------------------------


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


# --- properties ------------------------------------------------------------------------------------


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
    return {"ratio": (count + 0.5) / len(train)}, min(count, limit) if count < len(train) else -1


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
    assert missing.tolist() == (rows if kind == "deletion" else [])
    new = np.flatnonzero(~kept)
    assert perturbed.place[new].tolist() == (rows if kind == "insertion" else [])
    assert (perturbed.role[new] == TRAIN).all()
    for name in ("user", "place", "time"):  # the chosen one follows at once
        np.testing.assert_array_equal(getattr(perturbed, name)[new], getattr(perturbed, name)[new + 1])
    assert (perturbed.item >= 1).all() and (perturbed.item < log.n_items).all()
    assert perturbed.n_items == log.n_items and perturbed.n_users == log.n_users
    assert perturbed.n_clean == log.n_clean


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_perturbation_keeps_the_contract(kind, selection, data):
    log = data.draw(logs())
    choice = data.draw(st.sampled_from(sorted(ITEM_CHOICES)))
    options, promised = data.draw(amounts(log, selection))
    if promised < 0:  # a ratio above 1
        with pytest.raises(UserError, match="up to 1"):
            perturb(log, kind, selection, choice, rng=0, **options)
        return
    before = [getattr(log, name).copy() for name in COLUMNS]
    perturbed, changes = perturb(log, kind, selection, choice, rng=3, **options)
    for name, column in zip(COLUMNS, before):
        np.testing.assert_array_equal(getattr(log, name), column)
    assert changes.count == promised == len(changes.user) == len(changes.time)
    assert len(perturbed) - len(log) == {"deletion": -1, "insertion": 1}.get(kind, 0) * promised
    assert (log.role[changes.row] == TRAIN).all()
    np.testing.assert_array_equal(changes.user, log.user[changes.row])
    check_contract(log, perturbed, kind, changes.row.tolist())
    if kind == "replacement" and log.n_items > 2:
        assert (changes.item_after != changes.item_before).all()
    assert_equal(apply_changes(log, changes), perturbed)
    again, _ = perturb(log, kind, selection, choice, rng=np.random.default_rng(3), **options)
    assert_equal(again, perturbed)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(log=logs(), position=st.sampled_from(["begin", "middle", "end", None]), each=st.integers(1, 4))
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
    smaller, lost = perturb(log, "deletion", count=5, rng=1)
    larger, _ = perturb(log, "insertion", count=5, rng=1)
    for other in (smaller, larger):
        _, one = perturb(log, "replacement", ratio=0.1, rng=2)
        _, two = perturb(other, "replacement", ratio=0.1, rng=2)
        same = np.intersect1d(one.row[~one.inserted], two.row[~two.inserted])
        assert len(same) >= 490
        drawn = [
            dict(zip(changes.row[~changes.inserted].tolist(), changes.item_after.tolist()))
            for changes in (one, two)
        ]
        if other is smaller:  # inserted rows shift the pairs of the dictionary otherwise
            assert all(drawn[0][row] == drawn[1][row] for row in same.tolist())
    assert lost.count == 5


def test_generator_advances_equally_whatever_is_drawn():
    log = make_log("12345", "678")
    following = set()
    for kind in KINDS:
        for selection in ("random", "popular", "earliest_random"):
            rng = np.random.default_rng(7)
            perturb(log, kind, selection, count=1, rng=rng)
            following.add(rng.random())
    assert len(following) == 1


# --- amounts and bad input -------------------------------------------------------------------------


def test_ratio_counts_in_decimals_and_includes_first_rows():
    log = make_log("1" * 100)
    assert len(chosen(log, "random", ratio=0.29)) == 29  # 28.999… in binary
    assert len(chosen(log, "random", ratio=0.019)) == 1
    assert len(chosen(log, "random", ratio=1)) == 100


def test_ratio_of_no_change_names_the_smallest_that_works():
    log = make_log("1" * 7)
    with pytest.raises(UserError, match=r"down to 0 changes.*is 0\.143$"):
        perturb(log, "deletion", ratio=0.1, rng=0)
    assert len(chosen(log, "random", ratio=0.143)) == 1


@pytest.mark.parametrize(
    "options, words",
    [
        ({}, "exactly one amount"),
        ({"ratio": 0.5, "count": 1}, "exactly one amount"),
        ({"ratio": 0.5, "per_user": 1}, "exactly one amount"),
        ({"ratio": 0}, "ratio=0 "),
        ({"ratio": -0.5}, "ratio=-0.5"),
        ({"ratio": 1.5}, "up to 1"),
        ({"ratio": float("nan")}, "ratio=nan"),
        ({"ratio": float("inf")}, "ratio=inf"),
        ({"count": 0}, "count=0 is not a whole number"),
        ({"count": 2.5}, "count=2.5"),
        ({"count": True}, "count=True"),
        ({"count": 4}, "4 changes but there are only 3 training interactions"),
        ({"selection": "earliest_random", "count": 3}, "only 2 users"),
        ({"selection": "user", "count": 3}, "only 2 users"),
        ({"selection": "user", "ratio": 0.4}, "of 2 users rounds down to 0"),
        ({"selection": "user", "users": [1], "count": 1}, "count=1 means nothing"),
        ({"selection": "user", "users": [7]}, "user with id 7"),
        ({"selection": "user", "users": [1, 1]}, "twice"),
        ({"selection": "file"}, "name a changes file"),
        ({"selection": "file", "rows": [2]}, "row 2 is not a training interaction"),
        ({"selection": "file", "rows": [-1]}, "row -1"),
        ({"selection": "file", "rows": []}, "at least one"),
        ({"selection": "file", "rows": [0], "ratio": 0.1}, "ratio=0.1 means nothing"),
        ({"rows": [0], "count": 1}, "rows=.* means nothing"),
        ({"per_user": 0}, "per_user=0"),
        ({"per_user": 1, "position": "start"}, "position=start"),
        ({"count": 1, "position": "begin"}, "needs a count per user"),
        ({"selection": "popular", "per_user": 1}, "not for popular"),
        ({"selection": "casper", "count": 1, "max_seq_len": 0}, "max_seq_len=0"),
        ({"selection": "ramdom", "count": 1}, "unknown perturbation selection .*mean 'random'"),
        ({"kind": "delete", "count": 1}, "unknown perturbation kind 'delete'.*mean 'deletion'"),
        ({"item_choice": "xyzzy", "count": 1}, "unknown item choice 'xyzzy': choose one of least"),
    ],
)
def test_bad_input_is_refused_in_words(options, words):
    log = make_log("123", "4", roles="ttet")
    with pytest.raises(UserError, match=words):
        perturb(log, **{"kind": "deletion", "rng": 0, **options})


@pytest.mark.parametrize("selection", SELECTIONS)
def test_empty_log_is_refused(selection):
    options = {"rows": [0]} if selection == "file" else {"count": 1}
    for log in (make_log(), make_log("12", roles="ve")):
        with pytest.raises(UserError, match="no |not a training"):
            perturb(log, "deletion", selection, rng=0, **options)


def test_one_user_with_one_interaction():
    log = make_log("1", n_items=3)
    perturbed, changes = perturb(log, "deletion", ratio=1, rng=0)
    assert len(perturbed) == 0 and changes.emptied_users.tolist() == [1]
    assert perturb(log, "replacement", count=1, rng=0)[0].item.tolist() == [2]
    assert len(perturb(log, "insertion", count=1, rng=0)[0]) == 2


def test_changes_of_another_log_are_refused():
    log = make_log("123", "45")
    _, changes = perturb(log, "deletion", count=2, rng=0)
    for other in (make_log("123", "4"), make_log("12", "345"), make_log("543", "21"), make_log()):
        with pytest.raises(UserError, match="another log"):
            apply_changes(other, changes)
