"""Slow, plain implementations of the measures, written from their definitions, on Python lists."""

from __future__ import annotations

import numpy as np
from scipy import stats


def tidy(row) -> list[int]:
    """Drop padding and later occurrences of an item."""
    return list(dict.fromkeys(int(item) for item in row if item >= 0))


def shared(a: list, b: list, d: int) -> int:
    return len(set(a[:d]) & set(b[:d]))


def rbo(a: list, b: list, k: int, p: float) -> float:
    """Webber, Moffat and Zobel 2010, equation (32), term by term."""
    a, b = a[:k], b[:k]
    if not a or not b:
        return float(not a and not b)
    s, length = sorted((len(a), len(b)))
    overlap = [shared(a, b, d) for d in range(length + 1)]
    seen = sum(overlap[d] / d * p**d for d in range(1, length + 1))
    beyond = sum(overlap[s] * (d - s) / (s * d) * p**d for d in range(s + 1, length + 1))
    last = ((overlap[length] - overlap[s]) / length + overlap[s] / s) * p**length
    return (1 - p) / p * (seen + beyond) + last


def frbo(a: list, b: list, k: int, p: float) -> float:
    a, b = a[:k], b[:k]
    depth = max(len(a), len(b))
    if not depth:
        return 1.0
    weights = [p ** (d - 1) for d in range(1, depth + 1)]
    return sum(w * shared(a, b, d) / d for d, w in enumerate(weights, 1)) / sum(weights)


def average_overlap(a: list, b: list, k: int) -> float:
    return frbo(a, b, k, 1.0)


def overlaps(a: list, b: list) -> np.ndarray:
    """Items in common at every depth of the longer list: a common item counts from its later rank on."""
    later = [max(a.index(item), b.index(item)) for item in set(a) & set(b)]
    return np.bincount(later, minlength=max(len(a), len(b))).cumsum()


def rbo_to_great_depth(a: list, b: list, p: float) -> float:
    """RBO of whole lists by its definition, equation (4) of Webber, Moffat and Zobel 2010, no closed form.

    Past its end the shorter list goes on to have as many items in common as it had (their section 4.4);
    past both, agreement stays what it was.
    """
    if not a or not b:
        return float(not a and not b)
    short, depth = min(len(a), len(b)), np.arange(1, max(len(a), len(b)) + 1)
    common = overlaps(a, b).astype(float)
    common += common[short - 1] / short * np.maximum(depth - short, 0)
    deep = int(np.log(1e-12) / np.log(p))
    agreement = np.pad(common / depth, (0, deep), mode="edge")
    return float((1 - p) * (agreement * p ** np.arange(len(agreement))).sum())


def mean_agreement(a: list, b: list, k: int) -> float:
    """The mean of the agreements at depths 1 to k, of two lists of at least k (Fagin et al. 2003)."""
    return float((overlaps(a, b)[:k] / np.arange(1, k + 1)).mean())


def jaccard(a: list, b: list, k: int) -> float:
    union = set(a[:k]) | set(b[:k])
    return len(set(a[:k]) & set(b[:k])) / len(union) if union else 1.0


def churn(a: list, b: list, k: int) -> float:
    depth = max(len(a[:k]), len(b[:k]))
    return 1 - shared(a, b, k) / depth if depth else 0.0


def top1(a: list, b: list) -> float:
    return float(a[:1] == b[:1])


def correlation(a: list, b: list, k: int, weighted: bool) -> float:
    a, b = a[:k], b[:k]
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    union = sorted(set(a) | set(b))
    left = [-a.index(item) if item in a else -len(a) for item in union]
    right = [-b.index(item) if item in b else -len(b) for item in union]
    function = stats.weightedtau if weighted else stats.kendalltau
    return function(np.array(left, float), np.array(right, float))[0]


def rank_shift(a: list, b: list, k: int) -> float:
    end = max(len(a), len(b)) + 1
    shifts = [
        abs((b.index(item) + 1 if item in b else end) - rank) for rank, item in enumerate(a[:k], 1)
    ]
    return sum(shifts) / len(shifts) if shifts else 0.0


def random_lists(
    rng: np.random.Generator, n: int, width: int, n_items: int, repeats: bool = False
) -> np.ndarray:
    """Draw lists of random length (empty ones too), padded with -1."""
    if repeats:
        lists = rng.integers(0, n_items, (n, width))
    else:
        lists = np.argsort(rng.random((n, n_items)), axis=1)[:, :width]
    kept = rng.integers(0, width + 1, n)
    kept[rng.random(n) < 0.4] = width
    return np.where(np.arange(width) < kept[:, None], lists, -1)
