"""The methods that no other one beats at once in accuracy and in stability."""

from __future__ import annotations

from collections.abc import Mapping

Point = tuple[float, float]


def pareto_front(points: Mapping[str, Point]) -> list[str]:
    """Names on the Pareto front, from the least to the most accurate.

    A point is on it when no other is at least as good in both coordinates and better in one. Points
    with an unknown coordinate are left out.

    Args:
        points: ``{name: (accuracy, stability)}``, larger being better in both.
    """
    known = {name: p for name, p in points.items() if p[0] == p[0] and p[1] == p[1]}
    front = [n for n, p in known.items() if not any(_beats(q, p) for q in known.values())]
    return sorted(front, key=lambda name: (known[name][0], -known[name][1]))


def _beats(one: Point, other: Point) -> bool:
    return one[0] >= other[0] and one[1] >= other[1] and one != other
