"""Time the measures on many pairs of rank lists, and the package ``rbo`` on some of the same pairs.

    python benchmarks/streaming.py [--pairs 1000000] [--depth 100] [--items 3706] [--sample 2000]

The package asks for NumPy 1, which it does not need: ``pip install --no-deps rbo``. Without it, its columns
are left out.

Goals, on 2 cores: RBO, FRBO, Jaccard, AverageOverlap and Churn of a million pairs of depth 100 within
60 s and 4 GB, the lists themselves included, and at least 100 times as fast as the package ``rbo``.
Ratios are of CPU time, of all threads together, so that they hold on a machine that others use too.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
import time

import numpy as np
from tabulate import tabulate

from recbole_finest.evaluator.measures import measure_lists

try:
    from rbo import RankingSimilarity
except ModuleNotFoundError:
    RankingSimilarity = None

NAMES = ["RBO", "FRBO", "Jaccard", "AverageOverlap", "Churn"]
P = 0.9


def draw_lists(
    rng: np.random.Generator, n: int, depth: int, n_items: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw lists of distinct items, and disturbed copies that share about three items in four."""
    reference, other = (np.empty((n, depth), dtype=np.int32) for _ in range(2))
    longer = min(n_items, depth + depth // 3)
    for start in range(0, n, 20_000):
        rows = slice(start, min(n, start + 20_000))
        size = rows.stop - rows.start
        first = rng.integers(0, n_items, (size, 1))
        items = (first + rng.permutation(n_items)[None, :longer]) % n_items
        moved = np.argsort(
            np.arange(longer) + rng.normal(scale=depth / 5, size=items.shape), axis=1
        )
        reference[rows] = items[:, :depth]
        other[rows] = np.take_along_axis(items, moved, axis=1)[:, :depth]
    return reference, other


def seconds_of_package(
    reference: np.ndarray, other: np.ndarray
) -> tuple[list[float], float, float]:
    """RBO by the package for Python lists: values, CPU seconds of RBO alone, and of all it has."""
    pairs = list(zip(reference.tolist(), other.tolist()))
    start = time.process_time()
    values = [RankingSimilarity(a, b).rbo_ext(P) for a, b in pairs]
    alone = time.process_time() - start
    start = time.process_time()
    for a, b in pairs:
        both = RankingSimilarity(a, b)
        both.rbo(p=P)  # FRBO, but for the norm
        both.rbo(p=1.0)  # average overlap
    return values, alone, alone + time.process_time() - start


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--items", type=int, default=3706, help="size of the catalogue")
    parser.add_argument("--sample", type=int, default=2000, help="pairs for the package rbo")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    reference, other = draw_lists(rng, options.pairs, options.depth, options.items)
    sample = min(options.sample, options.pairs) if RankingSimilarity else 0
    values, alone, three = seconds_of_package(reference[:sample], other[:sample])
    rows = []
    for names, distinct in itertools.product((["RBO"], NAMES), (False, True)):
        start, start_cpu = time.perf_counter(), time.process_time()
        found = measure_lists(reference, other, names, [options.depth], P, distinct)
        seconds, work = time.perf_counter() - start, time.process_time() - start_cpu
        each = 1e6 * work / options.pairs
        what = "RBO" if names == ["RBO"] else "all five"
        rows.append([what, "known" if distinct else "checked", seconds, work, each])
        if sample:
            theirs = 1e6 * (alone if names == ["RBO"] else three) / sample
            rows[-1] += [theirs, theirs / each]
    headers = ["measures", "distinct items", "seconds", "CPU s", "CPU µs a pair"]
    headers += ["package rbo, µs", "ratio"] if sample else []
    print(f"{options.pairs:,} pairs, depth {options.depth}, {options.items:,} items")
    print(tabulate(rows, headers, tablefmt="github", floatfmt=".2f"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB")
    if not sample:
        print("compared with nothing: pip install --no-deps rbo", file=sys.stderr)
        return
    error = np.abs(np.array(values) - found[f"rbo@{options.depth}"][:sample]).max()
    print("All five are compared with the three the package has: RBO, finite RBO, average overlap.")
    print(f"largest difference from the package {error:.1e}")


if __name__ == "__main__":
    main()
