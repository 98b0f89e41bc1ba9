"""Tokens of two files that should be the same: named in a sentence, and ``1`` against ``1.0`` found."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

FEW = 3
LONGEST = 40  # characters of a token in a sentence


def named(tokens: Sequence[str] | np.ndarray) -> str:
    """The first few tokens, for a sentence.

    >>> named(["a", "b", "c", "d"])
    'a, b, c, …'
    """
    few = [str(token) for token in tokens[:FEW]]
    few = [token if len(token) <= LONGEST else f"{token[: LONGEST - 1]}…" for token in few]
    return ", ".join([*few, "…"] if len(tokens) > FEW else few)


def spelled_apart(first: np.ndarray, second: np.ndarray) -> list[tuple[str, str]]:
    """Whole numbers that one side writes as integers and the other as decimals, as ``(first's, second's)``.

    A column of whole numbers with a gap in it becomes decimals in pandas and in Parquet.

    Args:
        first, second: distinct tokens, any number each.

    >>> spelled_apart(np.array(["1", "7", "8.0"]), np.array(["7.0", "8.0", "x"]))
    [('7', '7.0')]
    """
    left, right = first.tolist(), second.tolist()
    return [
        *((whole, token) for whole, token in _decimals(right, left)),
        *((token, whole) for whole, token in _decimals(left, right)),
    ]


def _decimals(tokens: list[str], others: list[str]) -> list[tuple[str, str]]:
    """``("7", "7.0")`` for each decimal token that the others hold as an integer alone."""
    matches = (re.fullmatch(r"(-?\d+)\.0+", token) for token in tokens if "." in token)
    decimals = [(match[1], match[0]) for match in matches if match]
    if not decimals:
        return []
    here, there = set(tokens), set(others)
    return [
        (whole, token)
        for whole, token in decimals
        if whole in there and whole not in here and token not in there
    ]


def no_common_token(
    kind: str, names: tuple[str, str], first: np.ndarray, second: np.ndarray
) -> str:
    """A sentence's end that shows tokens of both sides that share none, with the remedy."""
    first, second = (np.array(list(dict.fromkeys(side.tolist()))) for side in (first, second))
    apart = spelled_apart(first, second)
    if apart:
        first, second = (np.array(side) for side in zip(*apart))
    remedy = "write whole numbers alike in both" if apart else f"both must use the same {kind}s"
    return f"{names[0]} has {named(first)}, {names[1]} has {named(second)}; {remedy}"


def spelled(kind: str, pairs: list[tuple[str, str]], names: tuple[str, str]) -> str:
    """Part of a sentence about the pairs that :func:`spelled_apart` found."""
    return (
        f"{len(pairs)} {kind}s are written like {pairs[0][0]} in {names[0]} and like {pairs[0][1]} "
        f"in {names[1]} and count as different ones"
    )
