"""Which methods of a run are compared with each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping

KEEP = "keep"  # identical lists by its nature: nothing to compare


def pairs_of(names: Collection[str], question: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of a run's methods, each after what it is held against.

    Every method against base; finest against the others of its own question.

    Args:
        names: base and methods.
        question: the question of each.

    >>> asked = {"base": "alone", "plain": "alone", "warm_start": "anchored", "finest": "anchored"}
    >>> pairs_of(asked, asked)
    [('base', 'plain'), ('base', 'warm_start'), ('base', 'finest'), ('warm_start', 'finest')]
    """
    tuned = [name for name in names if name not in ("base", KEEP)]
    found = [("base", name) for name in tuned if "base" in names]
    others = [n for n in tuned if n != "finest" and "finest" in tuned]
    return found + [(n, "finest") for n in others if question[n] == question["finest"]]
