"""Numbers in text, read by Python: pandas' parser reads outside its table of powers of ten.

pandas/_libs/src/parser/tokenizer.c, ``precise_xstrtod``, divides by ``e[-308 - exponent]`` without
looking how long ``e`` is: an exponent below -616, or one that overflows 32 bits, ends the process or
gives an accidental number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

# exponents that pandas' parser is given; a 64-bit float has none beyond
EXPONENT = 400
_EXPONENT = re.compile(r"\s*[-+]?[\d.]*[eE]([-+]?\d+)")


def as_numbers(values: Iterable[object]) -> np.ndarray:
    """Numbers as data files write them, ``[n]``, float64; NaN where a value is none.

    >>> as_numbers(["1.5", "1e-3", "0.071e4008866899", "1_000", "x", ""])
    array([1.5e+00, 1.0e-03,     inf,     nan,     nan,     nan])
    """
    given = np.asarray(values)
    if given.dtype.kind in "iuf":
        return given.astype(np.float64)
    if given.dtype.kind in "mM":  # dates
        return np.full(len(given), np.nan)
    given = given.astype(object)
    try:
        text = "".join(given)
        if text.isascii() and "_" not in text:
            return given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass  # some are no text or no numbers
    return np.fromiter(map(_number, given), np.float64, len(given))


def _number(value: object) -> float:
    if isinstance(value, bool) or (
        isinstance(value, str) and ("_" in value or not value.isascii())
    ):
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return np.nan


def beyond_pandas(text: str) -> bool:
    """Whether a text begins with a number whose exponent pandas' parser must not see, whatever follows."""
    match = _EXPONENT.match(text)
    return match is not None and (len(match[1]) > 5 or abs(int(match[1])) > EXPONENT)
