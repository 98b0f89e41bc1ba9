"""How much of the change between two models' lists happened among items of nearly equal score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GAPS = (0.01, 0.1)  # logits


@dataclass(frozen=True)
class NearTies:
    """Changes of the top k, and how many of them the first model nearly scored as ties.

    Attributes:
        left: items that left the top k, over all instances.
        left_near: ``{gap: share of them}`` whose score in the first model was less than ``gap``
            above the best item outside its top k; NaN where lists end at k, or none left.
        pairs: neighbours in the first model's top k, over all instances.
        flipped: of these, pairs whose order the second model reverses.
        flipped_near: ``{gap: share of the flipped}`` whose scores differ by less than ``gap``.
        pairs_near: the same share of all neighbours, to compare with.
    """

    left: int
    left_near: dict[float, float]
    pairs: int
    flipped: int
    flipped_near: dict[float, float]
    pairs_near: dict[float, float]


def near_ties(
    codes: np.ndarray, scores: np.ndarray, ranks: np.ndarray, k: int, depth: int
) -> NearTies:
    """Count changes of the top k by the first model's score gaps.

    Args:
        codes: the first model's items best first, ``[n, depth]``; -1 is padding.
        scores: their logits, ``[n, depth]``.
        ranks: their ranks in the second model's list, ``[n, depth]``; 0 where not listed there.
        k: the depth that people see.
        depth: length of the second model's lists; an item that is not listed stands below it.
    """
    k = min(k, codes.shape[1])
    valid, rank = codes[:, :k] >= 0, np.where(ranks[:, :k] > 0, ranks[:, :k], depth + 1)
    left = valid & (rank > k)
    left_gaps = np.zeros(0)
    if codes.shape[1] > k:
        known = left & (codes[:, k] >= 0)[:, None]
        left_gaps = (scores[:, :k] - scores[:, k : k + 1])[known]
    both = valid[:, :-1] & valid[:, 1:]
    flipped = both & (rank[:, :-1] > rank[:, 1:])
    between = scores[:, : k - 1] - scores[:, 1:k]
    return NearTies(
        left=int(left.sum()),
        left_near=_shares(left_gaps),
        pairs=int(both.sum()),
        flipped=int(flipped.sum()),
        flipped_near=_shares(between[flipped]),
        pairs_near=_shares(between[both]),
    )


def _shares(gaps: np.ndarray) -> dict[float, float]:
    return {gap: float((gaps < gap).mean()) if len(gaps) else float("nan") for gap in GAPS}
