"""The one exception that a user is meant to read, and the words for it: a first line, the nearest name."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PathLike = str | os.PathLike[str]


class UserError(Exception):
    """Something that the user can put right: a setting, a file, a combination.

    The message is one sentence that names the setting, its value and the remedy. The command
    line prints it without a traceback and ends with exit code 2.
    """


def how_to_install(error: ModuleNotFoundError) -> str:
    """What to do where RecBole is missing, which Python 3.12 and later do not install with this package.

    Raises:
        ModuleNotFoundError: ``error`` itself, of any other module.
    """
    if error.name != "recbole":
        raise error
    return (
        "RecBole is not installed; install it with 'pip install --no-deps recbole==1.2.1' (it asks for a "
        "Ray that Python 3.12 and later do not have, and that nothing here needs)"
    )


def first_line(error: BaseException) -> str:
    """The first line of an error's message; the name of its class where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def printable(text: object) -> str:
    """A text for one line of a terminal: what would steer it, or hide letters, is written as its escape.

    >>> printable("user '\x1b[2J' of Zoë")
    "user '\\\\x1b[2J' of Zoë"
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(text)
    )


def shown(value: object, most: int = 120) -> str:
    """A value as a sentence can hold it: what Python prints for it, in one line, shortened in the middle.

    >>> shown("a\\nb"), shown([1, 2]), shown("x" * 200, 9)
    ("'a\\\\nb'", '[1, 2]', "'xx…xxx'")
    """
    try:
        text = repr(value)
    except (
        ValueError,
        RecursionError,
    ):  # of a number of more than 4,300 digits, and of what holds one
        text = f"a value of type {type(value).__name__} that is too long to be shown"
    half = most // 2
    text = " ".join(text.split("\n"))
    return text if len(text) <= most else f"{text[: half - 1]}…{text[len(text) - half :]}"


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


# What cannot be written --------------------------------------------------------------------------

AGAIN = "give the command again"
CONTINUES = "give the same command, which continues"
ROOM = "make room"
RIGHTS = "make it writable, or choose another place"
GONE = "leave its folder where it is while the command is at work"
REMOVE = "remove it, or choose another place"
REMEDIES = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EROFS: RIGHTS,
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ENOENT: GONE,
    errno.ESTALE: GONE,
    errno.ENOTDIR: REMOVE,
    errno.EISDIR: REMOVE,
    errno.EEXIST: REMOVE,
    errno.ELOOP: REMOVE,
    errno.EIO: "look after the disk",
}  # what of the system is the user's to mend; any other error is a mistake of ours
WORDS = {
    errno.ELOOP: "a link stands there, which is not followed",
    errno.EEXIST: "a file stands there",
}  # where the system's own words say too little


class Unwritten(UserError, OSError):
    """A file or folder that could not be written, as one sentence.

    Attributes:
        setting, place: what the user called the place that it belongs to, and that place; see :func:`kept`.
        advice: how to go on once the cause is gone.
    """

    setting, place, advice = "", "", AGAIN

    def __str__(self) -> str:
        path = os.fspath(self.filename)
        inner = os.path.relpath(path, self.place) if self.setting else "."
        shown = f"{self.setting} '{self.place}'" if self.setting else f"'{path}'"
        which = "" if inner == "." else f" ('{inner}')"
        remedy = REMEDIES[self.errno or errno.EIO]
        return f"{shown} cannot be written: {self.strerror}{which}; {remedy}, then {self.advice}"


@contextmanager
def writes(path: PathLike, own: bool = False) -> Iterator[None]:
    """Turn the errors of writing into :class:`Unwritten`; nothing that is read belongs into the block.

    Args:
        path: what is written.
        own: whether an error that names a file itself knows better.
    """
    try:
        yield
    except Unwritten:
        raise
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        named = error.filename if own and error.filename else path
        why = WORDS.get(error.errno, os.strerror(error.errno))
        raise Unwritten(error.errno, why, os.fspath(named)) from error


@contextmanager
def kept(setting: str, place: PathLike, advice: str | Callable[[], str] = AGAIN) -> Iterator[None]:
    """Let what cannot be written below ``place`` be told by the name of a setting; the outermost wins.

    Args:
        setting: such as ``output_dir``.
        place: its value.
        advice: how to go on once the cause is gone, or what says so then.
    """
    try:
        yield
    except Unwritten as error:
        file, root = (Path(os.path.abspath(path)) for path in (error.filename, place))
        if root in (file, *file.parents):
            error.setting, error.place = setting, os.fspath(place)
            error.advice = advice() if callable(advice) else advice
        raise
