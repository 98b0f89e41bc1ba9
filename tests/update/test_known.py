"""What the deployed model knew, and how far its lists hold: worked by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recbole_finest.method import Step
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.seeding import token_keys
from recbole_finest.serve.vocabulary import Vocabulary
from recbole_finest.train.checkpoint import training_rows
from recbole_finest.update.deployed import Deployed
from recbole_finest.update.known import (
    BY_ROWS,
    BY_TIME,
    BY_TOKEN,
    list_weights,
    nothing_new,
    people_with_news,
    what_is_known,
)

from ..data.logs import make_log

USERS, ITEMS = ["[PAD]", "ann", "bob", "cat"], ["[PAD]", *"12345"]


def with_tokens(log, users=USERS, items=ITEMS):
    return log.with_keys(token_keys(users), token_keys(items))


def deployed_on(log, users=USERS, items=ITEMS):
    """A model that was trained on this log."""
    tokens = Vocabulary(np.array(users, object), np.array(items, object))
    found = training_rows(log)
    rows, times = found["rows"].numpy(), tuple(found["times"])
    return Deployed(Path("d.pth"), {}, {}, False, tokens, rows, times, 4)


def settings(power=1.0, age=None, width=3):
    return {
        "MAX_ITEM_LIST_LENGTH": width,
        "update_news_power": power,
        "update_list_age": age,
    }


# today: ann 1 2 3 4 2 (times 0 … 4), bob 2 1 (5, 6), cat 3 5 (7, 8); yesterday without ann's last two,
# cat and her item 5
TODAY = with_tokens(make_log("12342", "21", "35"))
YESTERDAY = replace(make_log("123", "21"), time=np.array([0, 1, 2, 5, 6.0]), _cache={})
YESTERDAY = with_tokens(
    replace(YESTERDAY, n_users=3, n_items=5), ["[PAD]", "ann", "bob"], ITEMS[:5]
)
DEPLOYED = deployed_on(YESTERDAY, ["[PAD]", "ann", "bob"], ITEMS[:5])


def test_rows_are_known_by_their_keys():
    known = what_is_known(DEPLOYED, TODAY, None)
    assert known.rows.tolist() == [1, 1, 1, 0, 0, 1, 1, 0, 0]
    assert known.users.tolist() == [1, 1, 1, 0] and known.new_items.tolist() == [5]
    assert known.gone == 0 and known.how == BY_ROWS
    assert people_with_news(TODAY, known).tolist() == [0, 1, 0, 1]
    assert not nothing_new(TODAY, known)


def test_only_training_interactions_are_news():
    held_out = with_tokens(make_log("12342", "21", "35", roles="tttveteve"))
    known = what_is_known(DEPLOYED, held_out, None)
    assert people_with_news(held_out, known).tolist() == [0, 0, 0, 0]
    assert known.gone == 1  # bob's last one is no training interaction today


def test_a_weight_is_the_known_share_of_the_history_that_the_model_sees():
    known = what_is_known(DEPLOYED, TODAY, None)
    # instances of ann: 1|2, 12|3, 123|4, and with a window of 3: 234|2, of which 4 is new
    wanted = [0, 1, 1, 1, 2 / 3, 0, 1, 0, 0]
    assert list_weights(settings(), TODAY, known) == pytest.approx(np.array(wanted))
    squared = list_weights(settings(power=2.0), TODAY, known)
    assert squared == pytest.approx(np.array(wanted) ** 2)
    whole = list_weights(settings(width=9), TODAY, known)
    assert whole[4] == pytest.approx(3 / 4)
    alike = list_weights(settings(power=0.0), TODAY, known)
    assert alike.tolist() == [0, 1, 1, 1, 1, 0, 1, 0, 1]  # cat's history is all new, and held too


def test_a_weight_falls_with_the_age_of_the_list():
    known = what_is_known(DEPLOYED, TODAY, None)
    found = list_weights(settings(age=2.0), TODAY, known)
    # the newest interaction of each history is at 0, 1, 2, 3 and 5; the log ends at 8
    wanted = [0, np.exp(-4), np.exp(-3.5), np.exp(-3), 2 / 3 * np.exp(-2.5), 0, np.exp(-1.5), 0, 0]
    assert found == pytest.approx(np.array(wanted))


def test_without_rows_time_decides_or_else_users_and_items():
    older = replace(DEPLOYED, rows=None)
    known = what_is_known(older, TODAY, 2.0)
    assert known.rows.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert known.how == BY_TIME and known.gone is None
    known = what_is_known(older, TODAY, None)
    assert known.rows.tolist() == [1, 1, 1, 1, 1, 1, 1, 0, 0] and known.how == BY_TOKEN
    assert not nothing_new(YESTERDAY, what_is_known(older, YESTERDAY, None))  # nobody knows


def test_nothing_is_new_of_the_same_rows_with_other_ids():
    order = [4, 0, 3, 1, 2]
    turned = ["[PAD]", "bob", "ann"], ["[PAD]", *"4321"]
    log = YESTERDAY
    user, item = np.array([0, 2, 1])[log.user], np.array([0, 4, 3, 2, 1])[log.item]
    again = type(log).from_columns(user[order], item[order], log.time[order])
    known = what_is_known(DEPLOYED, with_tokens(again, *turned), None)
    assert known.rows.all() and nothing_new(again, known)


def test_a_row_that_has_gone_is_a_change():
    less = with_tokens(make_log("12"), USERS[:2], ITEMS[:3])
    known = what_is_known(DEPLOYED, less, None)
    assert known.rows.all() and known.gone == 3 and not nothing_new(less, known)


def test_weights_go_with_the_lists_and_into_a_mean_over_instances():
    items = np.array([[1, 2, 3, 4], [2, 1, 4, 3]])
    lists = ReferenceLists(items, np.array([-1, 1, -1, 0]))
    cpu = torch.device("cpu")
    assert lists.list_weights(np.array([0, 1]), cpu) is None
    weighted = lists.weighted(np.array([9, 0.25, 9, 1.0]))
    assert weighted.list_weights(np.array([0, 1, 1]), cpu).tolist() == [1.0, 0.25, 0.25]
    assert lists.weights is None
    step = Step(torch.tensor(0.0), lambda: None, lambda: None, 1)
    terms = torch.tensor([2.0, 4.0])
    assert step.mean(terms) == 3
    step.list_weights = torch.tensor([1.0, 0.25])
    assert step.mean(terms) == (2 + 1) / 2
