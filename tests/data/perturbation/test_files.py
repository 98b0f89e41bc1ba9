"""``perturbation.json``: round trip, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_finest.data.perturbation import (
    ITEM_CHOICES,
    KINDS,
    apply_changes,
    load_changes,
    perturb,
    save_changes,
)
from recbole_finest.data.summary import summarise
from recbole_finest.errors import UserError
from tests.data.logs import assert_equal, logs, make_log

USERS = np.array(["[PAD]", "007", "ü", "c", "d", "e", "f"])
ITEMS = np.array(["[PAD]", *(f"i{k}" for k in range(1, 10))])


def saved(path, log, kind="replacement", **options):
    perturbed, changes = perturb(log, kind, rng=5, **{"count": 2, **options})
    save_changes(path, changes, USERS, ITEMS, "toy")
    return perturbed, changes


@settings(max_examples=60, deadline=None)
@given(
    log=logs(),
    kind=st.sampled_from([k for k in KINDS if KINDS[k].selection is None]),
    choice=st.sampled_from(list(ITEM_CHOICES)),
)
def test_replay_gives_the_same_log(tmp_path_factory, log, kind, choice):
    path = tmp_path_factory.mktemp("changes") / "perturbation.json"
    perturbed, changes = saved(path, log, kind, item_choice=choice, count=1)
    loaded = load_changes(path, log, USERS, ITEMS, "toy")
    assert_equal(apply_changes(log, loaded), perturbed)
    for name, value in vars(changes).items():
        np.testing.assert_array_equal(getattr(loaded, name), value, name)


def test_content_is_as_documented(tmp_path):
    path = tmp_path / "new" / "perturbation.json"
    log = make_log("12", "34", roles="tttv")
    saved(path, log, "insertion", item_choice="popular", count=None, ratio=0.4)
    content = json.loads(path.read_text(encoding="utf-8"))
    (change,) = content.pop("changes")
    assert content == {
        "dataset": "toy",
        "kind": "insertion",
        "selection": "random",
        "item_choice": "popular",
        "ratio": 0.4,
        "count": 1,
        "seed": 5,
        "n_interactions": 3,
        "fingerprint": log.fingerprint(),
    }
    row = change["row"]
    assert change == {
        "row": row,
        "user": USERS[log.user[row]],
        "item_before": None,
        "item_after": "i1",
        "time": log.time[row],
    }
    saved(path, log, "deletion")
    after = [change["item_after"] for change in json.loads(path.read_text())["changes"]]
    assert after == [None, None]
    assert [file.name for file in path.parent.iterdir()] == ["perturbation.json"]


@pytest.mark.parametrize(
    "edit, words",
    [
        ({"dataset": "other"}, "data set 'other', not of 'toy'"),
        ({"fingerprint": "0"}, "another fingerprint"),
        ({"kind": "swap"}, "unknown kind 'swap'"),
        ({"kind": "deletion"}, "item_after must be null for a deletion"),
        ({"kind": "insertion"}, "item_before must be null for an insertion"),
        ({"count": 3}, "count is not the number"),
        ({"changes": None}, "count is not the number"),
        ({"row": 99}, "not a training interaction"),
        ({"row": 3}, "not a training interaction"),
        ({"row": "0"}, "no valid changes file"),
        ({"user": "c"}, "another user or time"),
        ({"time": 0.5}, "another user or time"),
        ({"item_before": "i9"}, "item_before is not that"),
        ({"item_after": "new"}, "item 'new' is not in the data set"),
        ({"item_after": "[PAD]"}, "not in the data set"),
        ({"item_after": ["i1"]}, "not in the data set"),
    ],
)
def test_edited_files_are_refused(tmp_path, edit, words):
    path = tmp_path / "changes.json"
    log = make_log("12", "34", roles="tttv")
    saved(path, log)
    content = json.loads(path.read_text())
    for key, value in edit.items():
        (content if key in content else content["changes"][0])[key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=words):
        load_changes(path, log, USERS, ITEMS, "toy")


@pytest.mark.parametrize("key", ["dataset", "kind", "fingerprint", "changes", "count", "seed"])
def test_missing_keys_are_named(tmp_path, key):
    path = tmp_path / "changes.json"
    log = make_log("12", "34")
    saved(path, log)
    content = json.loads(path.read_text())
    del content[key]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"lacks '{key}'"):
        load_changes(path, log, USERS, ITEMS, "toy")


def test_other_files_are_refused(tmp_path):
    path, log = tmp_path / "changes.json", make_log("12", "34")
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load_changes(path, log, USERS, ITEMS, "toy")
    for text in ("", "{", "[1]", "null", '{"dataset": "toy"'):
        path.write_text(text)
        with pytest.raises(UserError, match="no valid changes file"):
            load_changes(path, log, USERS, ITEMS, "toy")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="no valid changes file"):
        load_changes(path, log, USERS, ITEMS, "toy")
    saved(path, log)
    with pytest.raises(UserError, match="another fingerprint"):  # another split
        load_changes(path, log.with_roles([0, 0, 0, 2]), USERS, ITEMS, "toy")


def test_changes_of_a_perturbed_log_are_not_saved(tmp_path):
    once, _ = perturb(make_log("12", "34"), "insertion", count=1, rng=0)
    with pytest.raises(UserError, match="only changes of a clean log"):
        saved(tmp_path / "changes.json", once, count=5)
    assert not list(tmp_path.iterdir())


def test_summary_counts_by_user_item_and_position():
    log = make_log("1122", "3", "13", roles="ttttttv")
    _, changes = perturb(log, "replacement", "file", "popular", rows=[0, 3, 4], rng=0)
    summary = summarise(changes, log, USERS, ITEMS)
    assert summary.by_user == {"007": 2, "ü": 1}
    assert summary.items_taken == {"i1": 1, "i2": 1, "i3": 1}
    assert summary.items_put == {"i1": 2, "i2": 1}  # 1 is the most popular; itself becomes 2
    assert summary.by_tenth == [2, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    assert (summary.first, summary.last) == (2, 2)
    assert summary.emptied_users == []
    assert "replacement of 3 of 6 training interactions" in str(summary)
    _, changes = perturb(log, "deletion", "user", users=[2], rng=0)
    summary = summarise(changes, log)
    assert summary.emptied_users == ["2"] and summary.items_put == {}
    assert json.loads(json.dumps(summary.as_dict()))["by_user"] == {"2": 1}
    assert "1 users are left without training interactions: 2" in str(summary)
