"""Next-item accuracy of two models where a person may have several true items, and their hits apart."""

from __future__ import annotations

import numpy as np

RANKING = ("ndcg", "recall", "mrr")
FLIPS = ("lost", "gained")


def values_at(
    k: int, ranks: tuple[np.ndarray, np.ndarray], instance: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Measure both models' lists of m instances at depth k, from where t true items stand in them.

    NDCG, recall and MRR are RecBole's (recbole/evaluator/metrics.py): recall is the share of the
    true items that is listed, NDCG's ideal has min(their number, k) of them first, MRR takes the
    best placed one. A lost hit is a true item among the reference's first k and not among the
    other's, what Yan et al. call a negative flip (Positive-Congruent Training, CVPR 2021,
    arXiv 2011.09161); a gained hit is the reverse. ``lost`` and ``gained`` are shares of an
    instance's true items, so that recall changes by gained - lost.

    Args:
        k: depth, 1 or more.
        ranks: rank of each true item in the reference's and in the other's list, from 1, ``[t]``
            each; 0 where it is not listed.
        instance: whose item it is, ``[t]``; all of 0 … m - 1 are there.

    Returns:
        Values ``[m]``: ``ndcg@10`` of the other, ``ndcg@10:reference``, ``ndcg@10:difference``
        (other - reference), alike recall and mrr, ``lost@10``, ``gained@10``; and how many true items
        are hits: ``{reference, other, lost, gained}``.
    """
    number = np.bincount(instance)
    hits = [(rank > 0) & (rank <= k) for rank in ranks]
    sides = [_ranking(k, rank, hit, instance, number) for rank, hit in zip(ranks, hits)]
    values: dict[str, np.ndarray] = {}
    for name in RANKING:
        reference, other = (side[name] for side in sides)
        values[f"{name}@{k}"] = other
        values[f"{name}@{k}:reference"] = reference
        values[f"{name}@{k}:difference"] = other - reference
    flips = {"lost": hits[0] & ~hits[1], "gained": hits[1] & ~hits[0]}
    for name, items in flips.items():
        values[f"{name}@{k}"] = np.bincount(instance, weights=items) / number
    counted = {"reference": hits[0], "other": hits[1], **flips}
    return values, {name: int(items.sum()) for name, items in counted.items()}


def _ranking(
    k: int, rank: np.ndarray, hit: np.ndarray, instance: np.ndarray, number: np.ndarray
) -> dict[str, np.ndarray]:
    """NDCG, recall and MRR ``[m]`` of one model, from ranks and hits ``[t]``."""
    gain = np.where(hit, 1 / np.log2(np.maximum(rank, 1) + 1), 0)
    ideal = np.cumsum(1 / np.log2(np.arange(2, min(k, int(number.max())) + 2)))
    first = np.full(len(number), np.inf)
    np.minimum.at(first, instance[hit], rank[hit])
    return {
        "ndcg": np.bincount(instance, weights=gain) / ideal[np.minimum(number, k) - 1],
        "recall": np.bincount(instance, weights=hit) / number,
        "mrr": 1 / first,
    }
