"""What values read from a file must look like, said as a value: before anything is computed from them.

A shape is a class; a tuple of words, one of which it must be; ``[shape]``, a list of such;
``{str: shape}``, a mapping of any names; ``{"name": shape, "other?": shape}``, one of these names, those
with a question mark perhaps missing, and any others; or a function that says whether a value will do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LARGEST = 1e15  # no figure of ours comes near
_DEPTH = 20


def number(value: object) -> bool:
    """A number that arithmetic can be done with, or NaN; no truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST or value != value


def whole(value: object) -> bool:
    """A whole number of at least 0."""
    return number(value) and isinstance(value, int) and value >= 0


def plain(value: object, depth: int = _DEPTH) -> bool:
    """What JSON can hold, with names that are text, and not nested without end."""
    if isinstance(value, dict | list):
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        names = value if isinstance(value, dict) else ()
        return (
            depth > 0
            and all(_text(name) for name in names)
            and all(plain(part, depth - 1) for part in parts)
        )
    return value is None or _text(value) or isinstance(value, bool | float) or number(value)


def _text(value: object) -> bool:
    """Text that can be written: without half a character."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value


def mapping(value: object) -> bool:
    """A mapping of plain values."""
    return isinstance(value, dict) and plain(value)


def maybe(shape: Any) -> Callable[[object], bool]:
    """None, or a value of this shape."""
    return lambda value: value is None or _fits(value, shape)


VALUES = {str: number}  # a figure by its name


def check(value: object, shape: Any, name: str) -> None:
    """Check a value.

    Args:
        value: as JSON or YAML gave it.
        shape: see above.
        name: what to call it.

    Raises:
        ValueError: it does not fit; the message says where.
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise ValueError(f"{name} is {_short(value)}, no mapping")
        if str in shape:
            for key, part in value.items():
                if not isinstance(key, str):
                    raise ValueError(f"{name} holds the name {_short(key)}, no text")
                check(
                    part,
                    shape[str],
                    f"{name}: {_short(key) if not key.isprintable() else key[:40]}",
                )
            return
        missing = sorted(key for key in shape if not key.endswith("?") and key not in value)
        if missing:
            raise ValueError(f"{name} lacks {', '.join(missing)}")
        for key, inner in shape.items():
            known = key.removesuffix("?")
            if known in value:
                check(value[known], inner, f"{name}: {known}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise ValueError(f"{name} is {_short(value)}, no list")
        for place, part in enumerate(value):
            check(part, shape[0], f"{name}: {place}")
    elif not _fits(value, shape):
        raise ValueError(f"{name} cannot be {_short(value)}")


def _fits(value: object, shape: Any) -> bool:
    if isinstance(shape, dict | list):
        try:
            check(value, shape, "")
        except ValueError:
            return False
        return True
    if isinstance(shape, type):
        return isinstance(value, shape)
    return value in shape if isinstance(shape, tuple) else bool(shape(value))


def _short(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}…"
