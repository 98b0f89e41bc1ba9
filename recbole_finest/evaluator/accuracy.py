"""Next-item accuracy of single instances, from the place of the target in the list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

# With one target an instance, RecBole's recall is its hit; rank 0 means that it is not listed.
_VALUES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "recall": lambda rank: np.ones(len(rank)),
    "hit": lambda rank: np.ones(len(rank)),
    "mrr": lambda rank: 1 / rank,
    "ndcg": lambda rank: 1 / np.log2(rank + 1),
}


def instance_accuracy(
    target_rank: np.ndarray, names: Iterable[str], depth: int
) -> dict[str, np.ndarray]:
    """RecBole's ranking metrics of every instance.

    Args:
        target_rank: rank of the target in the list, from 1, ``[n]``; 0 where it is not listed.
        names: metrics as RecBole prints them, such as ``ndcg@10``.
        depth: length of the lists.

    Returns:
        ``{"ndcg@10": [n]}`` for recall, hit, mrr and ndcg at a k within the lists; their means are
        RecBole's values. Other metrics, and of recall and hit the second one, are left out.
    """
    values: dict[str, np.ndarray] = {}
    known: set[tuple[str, int]] = set()
    for name in names:
        kind, _, k = name.partition("@")
        if kind not in _VALUES or not k.isdigit() or int(k) > depth:
            continue
        same = ("hit" if kind == "recall" else kind, int(k))
        if same in known:
            continue
        known.add(same)
        listed = (target_rank > 0) & (target_rank <= int(k))
        values[name] = np.zeros(len(target_rank))
        values[name][listed] = _VALUES[kind](target_rank[listed].astype(float))
    return values


def interval_of(name: str, known: Mapping[str, Mapping[str, float]]) -> Mapping[str, float]:
    """The summary of a metric; that of recall is hit's too. Empty where there is none."""
    other = {"hit": "recall", "recall": "hit"}
    kind, at, k = name.partition("@")
    return known.get(name) or known.get(f"{other.get(kind, kind)}{at}{k}") or {}
