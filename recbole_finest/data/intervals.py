"""Intervals of values, as RecBole's filters are given them."""

from __future__ import annotations

import re


def is_interval(value: object, several: bool = True) -> bool:
    """Whether a value says an interval as RecBole reads it, such as ``[5,inf)`` or ``[0,1];(3,5)``."""
    pattern = re.compile(r"\s*[\[(]([^,]+),([^,]+)[\])]\s*")
    parts = [pattern.fullmatch(part) for part in str(value).split(";")]
    try:
        ends = [(float(part[1]), float(part[2])) for part in parts if part]
    except ValueError:
        return False
    return (
        len(ends) == len(parts)
        and (several or len(parts) == 1)
        and all(low <= high for low, high in ends)
    )
