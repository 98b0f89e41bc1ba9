"""Exact cascading scores of all roots against breadth-first search in plain Python.

    python benchmarks/casper.py [--file ../shared/data/foursquare/foursquare.inter] [--repeats 5]

Prints the median times, their ratio, and the time for the scores of every interaction.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_finest.data.casper import cascading_scores
from recbole_finest.data.log import InteractionLog

DEFAULT = Path(__file__).parents[1].parent / "shared/data/foursquare/foursquare.inter"


def load(path: Path) -> InteractionLog:
    """Users, items and times of an atomic file; every interaction is for training."""
    frame = pd.read_csv(path, sep="\t")
    user, item = (pd.factorize(frame[name])[0] + 1 for name in ("user_id:token", "item_id:token"))
    return InteractionLog.from_columns(user, item, frame["timestamp:float"].to_numpy())


def search_roots(log: InteractionLog) -> np.ndarray:
    """Scores of the roots by one breadth-first search from each, ``[n]``; 0 for the others."""
    users, items = log.user.tolist(), log.item.tolist()
    edges: list[list[int]] = [[] for _ in users]
    has_edge = [False] * len(users)
    last_of_user: dict[int, int] = {}
    last_of_item: dict[int, int] = {}
    for position in np.argsort(log.time, kind="stable").tolist():
        for last, key in ((last_of_user, users[position]), (last_of_item, items[position])):
            if key in last:
                edges[last[key]].append(position)
                has_edge[position] = True
            last[key] = position
    scores = np.zeros(len(users), np.int64)
    for root in range(len(users)):
        if not has_edge[root]:
            scores[root] = _search(edges, root)
    return scores


def _search(edges: list[list[int]], root: int) -> int:
    seen = bytearray(len(edges))
    seen[root] = 1
    level, count = [root], 0
    while level:
        count += len(level)
        following = []
        for position in level:
            for target in edges[position]:
                if not seen[target]:
                    seen[target] = 1
                    following.append(target)
        level = following
    return count


def seconds(task: Callable[[], np.ndarray], repeats: int) -> tuple[float, np.ndarray]:
    """Median time of a task, and its result."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = task()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path, default=DEFAULT)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    log = load(options.file)
    ours, scores = seconds(lambda: cascading_scores(log, rows="roots"), options.repeats)
    plain, expected = seconds(lambda: search_roots(log), min(3, options.repeats))
    every, _ = seconds(lambda: cascading_scores(log), 1)
    assert (scores == expected).all()
    print(f"{len(log)} interactions, {int((scores > 0).sum())} roots")
    print(f"roots: {ours:.3f} s; plain breadth-first search: {plain:.1f} s")
    print(f"ratio of medians: {plain / ours:.0f}")
    print(f"every interaction: {every:.2f} s")


if __name__ == "__main__":
    main()
