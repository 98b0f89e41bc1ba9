"""Accuracy with several true items: by hand, and RecBole's own metrics."""

from __future__ import annotations

import numpy as np
import pytest
from recbole.evaluator.metrics import MRR, NDCG, Recall

from recbole_finest.evaluator.lists.hits import values_at

IDEAL = 1 + 1 / np.log2(3)  # of two true items


def test_two_people_by_hand():
    """u likes a, c; v likes h, z. Reference: abcd, efgh. Other: bxac, hefg. The first three count."""
    instance = np.array([0, 0, 1, 1])
    reference, other = np.array([1, 3, 4, 0]), np.array([3, 4, 1, 0])
    values, hits = values_at(3, (reference, other), instance)
    half = 1 / np.log2(4)
    expected = {
        "ndcg@3": [half / IDEAL, 1 / IDEAL],
        "ndcg@3:reference": [(1 + half) / IDEAL, 0],
        "recall@3": [0.5, 0.5],
        "recall@3:reference": [1, 0],
        "mrr@3": [1 / 3, 1],
        "mrr@3:reference": [1, 0],
        "lost@3": [0.5, 0],  # c
        "gained@3": [0, 0.5],  # h
        "ndcg@3:difference": [-1 / IDEAL, 1 / IDEAL],
        "recall@3:difference": [-0.5, 0.5],
        "mrr@3:difference": [-2 / 3, 1],
    }
    assert values.keys() == expected.keys()
    for name, row in expected.items():
        np.testing.assert_allclose(values[name], row, atol=1e-12, err_msg=name)
    assert hits == {"reference": 2, "other": 2, "lost": 1, "gained": 1}


def test_the_ideal_list_of_more_true_items_than_places_is_full():
    values, _ = values_at(1, (np.array([1, 2, 3]), np.array([2, 1, 0])), np.zeros(3, dtype=int))
    assert values["ndcg@1"].tolist() == values["ndcg@1:reference"].tolist() == [1]
    assert values["recall@1"].tolist() == [1 / 3]
    assert values["lost@1"].tolist() == values["gained@1"].tolist() == [1 / 3]


@pytest.mark.parametrize("k", [1, 4, 10])
def test_values_are_recboles(k, monkeypatch):
    monkeypatch.setattr(np, "float", float, raising=False)  # which RecBole's NDCG still asks for
    rng = np.random.default_rng(k)
    n, depth = 50, 10
    number = rng.integers(1, 14, n)
    instance = np.repeat(np.arange(n), number)
    ranks = [
        np.concatenate([rng.permutation(20)[:size] for size in number]).astype(int)
        for _ in range(2)
    ]
    ranks = [np.where(rank > depth, 0, rank) for rank in ranks]  # distinct in a list; 0: not listed
    values, _ = values_at(k, tuple(ranks), instance)
    config = {"topk": [k], "metric_decimal_place": 12}
    for rank, suffix in zip(ranks, (":reference", "")):
        listed = np.zeros((n, depth), dtype=bool)
        listed[instance[rank > 0], rank[rank > 0] - 1] = True
        theirs = {
            "ndcg": NDCG(config).metric_info(listed, number),
            "recall": Recall(config).metric_info(listed, number),
            "mrr": MRR(config).metric_info(listed),
        }
        for name, table in theirs.items():
            np.testing.assert_allclose(values[f"{name}@{k}{suffix}"], table[:, k - 1], atol=1e-12)


def test_recall_changes_by_what_is_gained_less_what_is_lost():
    rng = np.random.default_rng(0)
    instance = np.repeat(np.arange(40), 3)
    values, hits = values_at(5, tuple(rng.integers(0, 9, (2, 120))), instance)
    np.testing.assert_allclose(
        values["recall@5:difference"], values["gained@5"] - values["lost@5"], atol=1e-12
    )
    assert hits["other"] - hits["reference"] == hits["gained"] - hits["lost"]
