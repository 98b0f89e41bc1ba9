"""``stability`` of two models on RecBole's test loader, against the lists themselves."""

from __future__ import annotations

import pytest
import torch

from recbole_finest import stability
from recbole_finest.errors import UserError
from tests.bridge.script import script
from tests.conftest import write_toy

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's


def pair(toy, monkeypatch, **settings):
    """A script's objects, and its model with other weights."""
    one = script(monkeypatch, toy["data_path"], **settings)
    other = script(monkeypatch, toy["data_path"], seed=9, **settings).model
    return one, other


def best(model, test, k):
    model.eval()
    lists = []
    for batch, *_ in test:
        with torch.no_grad():
            scores = model.full_sort_predict(batch)
        scores[:, 0] = -torch.inf
        lists += scores.topk(k).indices.tolist()
    return lists


def test_jaccard_by_hand(toy, monkeypatch):
    given, other = pair(toy, monkeypatch, topk=[5], metrics=["NDCG"], valid_metric="NDCG@5")
    lists = zip(best(given.model, given.test, 5), best(other, given.test, 5))
    wanted = [len(set(a) & set(b)) / len(set(a) | set(b)) for a, b in lists]
    found = stability(given.model, other, given.test)
    assert set(found) == {"rbo@5", "frbo@5", "jaccard@5", "averageoverlap@5"}
    assert found["jaccard@5"] == pytest.approx(sum(wanted) / len(wanted), abs=1e-12)
    assert 0 < found["jaccard@5"] < 1
    assert stability(given.model, given.model, given.test) == pytest.approx(
        dict.fromkeys(found, 1.0)
    )


def test_measures_and_depths_of_the_call(toy, monkeypatch):
    given, other = pair(toy, monkeypatch)
    found = stability(given.model, other, given.test, metrics=["Churn"], topk=[3, 400])
    overlap = [
        len(set(a) & set(b)) / 3
        for a, b in zip(best(given.model, given.test, 3), best(other, given.test, 3))
    ]
    assert found == pytest.approx({"churn@3": 1 - sum(overlap) / len(overlap)})
    with pytest.raises(UserError, match="Jaccard"):
        stability(given.model, other, given.test, metrics=["Jacard"])


def test_what_cannot_be_compared(toy, monkeypatch, tmp_path):
    given, other = pair(toy, monkeypatch)
    for arguments, words in (
        ((given.model, other, given.dataset), "test_data is of type SequentialDataset"),
        ((given.model, torch.nn.Linear(1, 1), given.test), "model_b is of type Linear"),
        ((given.model, other, given.train), "does not rank all items"),
    ):
        with pytest.raises(UserError, match=words):
            stability(*arguments)
    sampled = script(monkeypatch, toy["data_path"], eval_args={"mode": "uni10", **SPLIT})
    with pytest.raises(UserError, match="mode: full"):
        stability(given.model, other, sampled.test)
    fewer = script(monkeypatch, str(write_toy(tmp_path / "fewer", items=30))).model
    with pytest.raises(UserError, match="model_b has 30 items, but test_data has 40"):
        stability(given.model, fewer, given.test)


SPLIT = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user"}
