"""Small rank lists of two systems."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from recbole_finest.evaluator.lists.ranklists import RankLists


def runs(n_users: int = 40, depth: int = 15) -> list[dict[str, list[str]]]:
    """Two systems' lists, made in plain Python: the second shuffles a little and drops some."""
    draw = random.Random(0)
    first, second = {}, {}
    for user in range(n_users):
        items = [f"i{number}" for number in draw.sample(range(60), depth)]
        first[f"u{user}"] = items
        moved = sorted(range(depth), key=lambda place: place + draw.uniform(0, 6))
        second[f"u{user}"] = [items[place] for place in moved if draw.random() < 0.9]
    return [first, second]


def write_run(path: Path, lists: dict[str, list[str]]) -> str:
    with open(path, "w") as file:
        for user, items in lists.items():
            for rank, item in enumerate(items, 1):
                file.write(f"{user} Q0 {item} {rank} {100 - rank} plain\n")
    return str(path)


def write_runs(folder: Path) -> list[str]:
    """The files ``a.trec`` and ``b.trec`` of the two systems."""
    return [write_run(folder / f"{name}.trec", run) for name, run in zip("ab", runs())]


def lists(users: str, targets: str, rows: list[list[str]]) -> RankLists:
    return RankLists.from_tokens(np.array([*users]), np.array([*targets]), np.array(rows))
