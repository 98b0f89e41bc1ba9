"""Lists that have collapsed, worked by hand, and lists that only look so."""

import numpy as np
import pytest
import torch

from recbole_finest.config.config import Config
from recbole_finest.data.instances import Fields, InstanceView
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import prepare
from recbole_finest.evaluator.collapse import collapse, counts, history_keys, sentence
from recbole_finest.evaluator.evaluation import evaluate
from recbole_finest.model.build import build_model
from recbole_finest.scoring.scorer import Scorer
from tests.evaluator.own_popularity import Popularity, Random

LIST = [3, 1, 2]
FALLING = [0.9, 0.5, 0.1]


def how(lists, scores=None, histories=None, **more):
    scores = [FALLING] * len(lists) if scores is None else scores
    keys = range(len(lists)) if histories is None else histories
    return collapse(np.array(lists), np.array(scores), lambda: np.array(keys), **more)


def test_one_list_for_two_histories_and_more():
    said = "{} of {} test instances, with {} different histories, have one list"
    assert how([LIST] * 2) == said.format(2, 2, 2)
    assert how([LIST] * 3, histories=[7, 7, 8]) == said.format(3, 3, 2)
    assert how([LIST] * 3, histories=[7, 7, 7]) is None  # one history, one list
    assert how([LIST]) is None  # of one instance nothing can be said
    assert how([LIST, [3, 2, 1]]) is None  # the order counts
    assert how([LIST] * 2, reads_history=lambda: False) is None  # it counts items, by design


def test_nearly_all_is_99_of_100_instances_and_histories():
    other = [1, 2, 3]
    assert how([LIST] * 99 + [other]).startswith("99 of 100 test instances")
    assert how([LIST] * 98 + [other] * 2) is None
    # 990 instances of 9 histories, and 1 of a tenth: nearly all instances, but not nearly all histories
    keys = [i % 9 for i in range(990)] + [9]
    assert how([LIST] * 990 + [other], histories=keys) is None


def test_only_the_first_ten_entries_count():
    first = list(range(1, 11))
    scores = [np.arange(11, 0, -1.0)] * 2
    assert how([[*first, 11], [*first, 12]], scores).startswith("2 of 2")
    assert how([[*first, 11], [*first[1:], 12, 1]], scores) is None


def test_equal_scores():
    varied = [[3, 1, 2], [1, 2, 3]]
    said = "all 3 scores of the list are equal in 2 of 2 test instances"
    assert how(varied, [[0.5] * 3, [7.0] * 3]) == said
    assert how(varied, [[0.5] * 3, [7.0, 7.0, 6.0]]) is None
    assert (
        how([[3, 1, -1], [1, 2, -1]], [[5, 5, -np.inf], [4, 4, -np.inf]]) == said
    )  # two items each
    assert how([[3], [1]], [[0.5], [0.5]]) is None  # a single score equals itself
    assert how([LIST], [[0.5] * 3]) == "all 3 scores of the list are equal in 1 of 1 test instances"


def test_scores_that_are_no_numbers():
    varied = [[3, 1, 2], [1, 2, 3]]
    said = "1 of 2 test instances have scores that are no finite numbers"
    assert how(varied, [[np.inf, 2, 1], FALLING]) == said
    assert how([[3, 1, -1], [1, 2, 3]], [[2, 1, -np.inf], FALLING]) is None  # nothing stands there
    assert how(np.zeros((0, 3), int), np.zeros((0, 3))) is None


def test_equal_histories_have_equal_keys_and_others_do_not():
    user, item = np.array([1, 1, 1, 2, 2, 2, 3, 3, 3]), np.array([1, 2, 3, 1, 2, 4, 2, 1, 3])
    log = InteractionLog.from_columns(user, item, np.arange(9))
    fields = Fields("user", "item", "time", "length", "items", 5, {}, {})
    keys = history_keys(InstanceView(log, np.array([2, 5, 8, 1]), fields))
    assert keys[0] == keys[1]  # 1 2, of users 1 and 2
    assert len(set(keys.tolist())) == 3  # 2 1 of user 3 is in another order, 1 is shorter


def test_whose_stability_counts():
    assert counts({}, "finest") and counts({"collapsed": {}}, "finest")
    gone = {"collapsed": {"plain_perturbed": "…"}}
    assert counts(gone, "finest") and not counts(gone, "plain")
    base = {"collapsed": {"base": "…"}}
    assert not counts(base, "finest") and not counts(base, "base")


def test_the_sentence_names_the_model_and_the_learning_rate_that_is_meant():
    said = sentence("finest'", "finest_perturbed", "all 3 scores are equal")
    assert said.startswith("finest' has collapsed: all 3 scores are equal. Its stability does not")
    assert said.endswith("lower finest_learning_rate.")
    for name in ("base_perturbed", "control", "base_recbole_order"):
        assert sentence(name, name, "…").endswith("lower learning_rate.")
    for name in ("none", "keep", "recipe", "recipe_perturbed", "ensemble"):  # nothing is fine-tuned
        assert sentence(name, name, "…").endswith("lower learning_rate.")
    for name in ("plain", "warm_start_perturbed", "finest_ensemble", "mine:Mine"):
        assert sentence(name, name, "…").endswith("lower finest_learning_rate.")


@pytest.mark.parametrize(
    ("model", "weight", "collapsed"),
    [
        ("SASRec", None, False),
        ("SASRec", 0.0, True),  # all scores are 0
        ("SASRec", 1.0, True),
        (Popularity, None, False),  # one list for everybody, by design
        (Random, None, False),
    ],
)
def test_models(toy, model, weight, collapsed):
    """Fresh, with all weights alike, or of a kind that counts: what one pass over the test set says."""
    settings = {**toy, "loss_type": "CE", "hidden_size": 8, "filter_seen": False}
    config = Config(model, "toy", None, settings)
    data = prepare(config)
    made = build_model(config, data.train)
    if weight is not None:
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.fill_(weight)
    found = evaluate(config, Scorer(made, data.train), data.test_loader(), data.train_loader("x"))
    assert (found.collapsed is not None) == collapsed
    if model is Popularity:
        assert (found.items == found.items[0]).all()
