"""How much is changed, and what is refused."""

import pytest

from recbole_finest.data.perturbation import SELECTIONS, apply_changes, perturb
from recbole_finest.errors import UserError
from tests.data.logs import make_log


def number(ratio):
    return perturb(make_log("1" * 100), "deletion", ratio=ratio, rng=0)[1].count


def test_ratio_counts_in_decimals_and_includes_first_rows():
    assert number(0.29) == 29  # 28.999… in binary
    assert number(0.019) == 1
    assert number(1) == 100


def test_ratio_of_no_change_names_the_smallest_that_works():
    log = make_log("1" * 7)
    with pytest.raises(UserError, match=r"down to 0 changes.*is 0\.143$"):
        perturb(log, "deletion", ratio=0.1, rng=0)
    assert perturb(log, "deletion", ratio=0.143, rng=0)[1].count == 1


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
        ({"item_choice": "xyzzy", "count": 1}, "unknown item choice 'xyzzy'; use one of"),
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
        with pytest.raises(UserError, match=r"no |not a training"):
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
