"""The one exception that a user is meant to read, and the words for it: a first line, the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class UserError(Exception):
    """Something that the user can put right: a setting, a file, a combination.

    The message is one sentence that names the setting, its value and the remedy. The command
    line prints it without a traceback and ends with exit code 2.
    """


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the name of its class where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def nearest(
    name: object, known: Iterable[str], otherwise: str | None = None, cutoff: float = 0.6
) -> str:
    """What to do about an unknown name, for the end of a sentence.

    Args:
        name: what was given.
        known: names that there are; of a mapping the keys are compared, whatever the case of letters,
            and the values are what is suggested.
        otherwise: said where none is near; all names, when missing.
        cutoff: how near a name must be, from 0 (any) to 1 (equal).

    >>> nearest("Jacard", ["rbo", "jaccard"])
    "did you mean 'jaccard'?"
    >>> nearest("x", ["rbo", "jaccard"])
    'use one of rbo, jaccard'
    """
    table = known if isinstance(known, Mapping) else {str(one): str(one) for one in known}
    keys = {str(key).lower(): str(value) for key, value in table.items()}
    near = difflib.get_close_matches(str(name).lower(), keys, n=1, cutoff=cutoff)
    if near:
        return f"did you mean '{keys[near[0]]}'?"
    return otherwise or f"use one of {', '.join(map(str, table.values()))}"
