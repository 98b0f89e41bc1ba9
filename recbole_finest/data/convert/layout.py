"""How a text file of interactions is laid out: separator, header, columns."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from recbole_finest.errors import UserError

ROLES = ("user", "item", "time")
_SEPARATORS = ("\t", ",", ";", "|", "::", " ")
_SAMPLE = 50  # lines looked at
_USUAL = {  # names in a header that say plainly what a column is
    "user": {"user", "userid", "uid"},
    "item": {"item", "itemid", "iid"},
    "time": {"time", "timestamp", "ts"},
}


@dataclass(frozen=True)
class Layout:
    """Where things are: ``indices`` are the columns, from 0, of user, item and time."""

    separator: str
    width: int
    indices: tuple[int, int, int]
    header: bool

    def __str__(self) -> str:
        where = ", ".join(f"{role} in column {i + 1}" for role, i in zip(ROLES, self.indices))
        names = "with" if self.header else "without"
        return f"{self.width} columns separated by {self.separator!r}, {names} a header, {where}"


def split(line: str, separator: str) -> list[str]:
    """The cells of a line without surrounding blanks; quotes as in CSV files.

    Raises:
        csv.Error: the line cannot be taken apart.
    """
    if '"' in line and len(separator) == 1:
        return [
            cell.strip()
            for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        ]
    return [cell.strip() for cell in line.split(separator)]


def is_number(text: str) -> bool:
    """Whether a text is a number, finite or not, as data files write them."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text.isascii()


def find_layout(
    lines: Iterable[tuple[int, str]],
    source: Path,
    columns: Sequence[str],
    header: bool | None,
    separator: str | None,
) -> Layout:
    """Find the layout from the first lines; see ``convert`` for the arguments.

    Raises:
        UserError: no lines, or columns that do not fit them.
    """
    for role in ROLES:
        if list(columns).count(role) != 1:
            raise UserError(
                f"columns={','.join(columns)} must name each of user, item and time exactly once"
            )
    sample = [line for _, line in islice(lines, _SAMPLE)]
    if not sample:
        raise UserError(f"'{source}' is empty")
    if separator is None:
        separator = max(_SEPARATORS, key=lambda one: _fitting(sample, one, len(columns)))
    widths = Counter(len(_cells(line, separator)) for line in sample)
    width = max(widths, key=lambda one: (one >= len(columns), widths[one]))
    if width < len(columns):
        raise UserError(
            f"'{source}' has {width} columns separated by {separator!r}, fewer than "
            f"columns={','.join(columns)}: name its columns, or its separator"
        )
    offset = width - len(columns)
    user, item, time = (offset + list(columns).index(role) for role in ROLES)
    layout = Layout(separator, width, (user, item, time), bool(header))
    names = _cells(sample[0], separator)
    if header is None:
        named = len(names) == width and not any(is_number(names[i]) for i in layout.indices)
        layout = Layout(separator, width, (user, item, time), named)
    if layout.header:
        _check_names(names, layout, source)
    return layout


def _cells(line: str, separator: str) -> list[str]:
    try:
        return split(line, separator)
    except csv.Error:
        return []


def _fitting(sample: list[str], separator: str, least: int) -> int:
    """How many lines of the sample have the commonest number of columns that is large enough."""
    widths = Counter(len(_cells(line, separator)) for line in sample)
    return max((times for width, times in widths.items() if width >= least), default=0)


def _check_names(names: list[str], layout: Layout, source: Path) -> None:
    """Refuse a header that plainly names another column as user, item or time."""
    for index, name in enumerate(names):
        plain = "".join(letter for letter in name.lower().split(":")[0] if letter.isalnum())
        for role, expected in zip(ROLES, layout.indices):
            if plain in _USUAL[role] and index != expected:
                raise UserError(
                    f"'{source}' has '{name}' in column {index + 1}, but columns would read "
                    f"{role} from column {expected + 1}: name all its columns in order"
                )
