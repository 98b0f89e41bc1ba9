"""Which accuracy metrics and stability measures the leaderboard shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

ACCURACY = ("ndcg", "recall", "mrr")
STABILITY = ("jaccard", "rbo")


@dataclass(frozen=True)
class Keys:
    """The columns that are shown; the first of each kind is the one that comparisons use.

    Attributes:
        accuracy: metric keys, ``("ndcg@10", "recall@10", "mrr@10")``.
        stability: measure keys, ``("jaccard@10", "rbo@10")``.
        every: all stability measures there are.
    """

    accuracy: tuple[str, ...]
    stability: tuple[str, ...]
    every: tuple[str, ...]


def shown_keys(trainings: pd.DataFrame) -> Keys:
    """Choose what is shown: at depth 10 where that was measured, otherwise at the first depth."""
    accuracy = _keys(trainings, "accuracy")
    stability = _keys(trainings, "stability")
    return Keys(_preferred(accuracy, ACCURACY), _preferred(stability, STABILITY), tuple(stability))


def _keys(trainings: pd.DataFrame, part: str) -> list[str]:
    return [c.partition("/")[2] for c in trainings.columns if c.startswith(part + "/")]


def _preferred(keys: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    found = []
    for name in names:
        same = [key for key in keys if key.partition("@")[0] == name]
        found += [f"{name}@10"] if f"{name}@10" in same else same[:1]
    return tuple(found or keys[:1])
