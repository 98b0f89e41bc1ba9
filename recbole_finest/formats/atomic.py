"""RecBole's atomic files, looked at before RecBole reads them with pandas' slower parser.

RecBole (recbole/data/dataset/dataset.py, ``_load_feat``) gives pandas whatever a file holds: numbers
that its parser cannot take (:mod:`recbole_finest.formats.numbers`), a first row with more fields than
names, which moves all columns, and rows that are padded to the longest field of any.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO

from recbole_finest.errors import printable
from recbole_finest.files import PathLike
from recbole_finest.formats.numbers import beyond_pandas
from recbole_finest.formats.plain import MIB, check_unpacked, open_plain, size_of

_SUSPECT = re.compile(rb"[eE][-+]?\d{3}")
_BYTES = 8  # of a cell, of a part of a sequence, of up to two letters of a token


def check_atomic(
    path: PathLike,
    encoding: str,
    separators: tuple[str, str],
    loaded: Callable[[str], bool],
) -> None:
    """Refuse an atomic file that pandas must not see.

    Args:
        encoding: of the file.
        separators: of columns and of the parts of a sequence.
        loaded: whether a column is read, by its name.

    Raises:
        OSError: it cannot be opened.
        ValueError: naming the line and what is wrong with it.
    """
    wide = encoding.startswith(("utf-16", "utf-32"))
    lines, longest, suspect, size = _scan(path, separators[0].encode(), wide)
    with open(path, encoding=encoding, newline="") as file:
        rows = _rows(file, separators[0])
        names = next(rows, (0, []))[1]
        start = [*islice(((n, row) for n, row in rows if row), 2), (0, []), (0, [])]
    (_, first), (_, second) = start[:2]
    # pandas takes one for names of an index, or the left of its fields for an index
    moved = len(first) > len(names) or len(second) == len(first) + len(names)
    if first and moved:
        number, row = start[len(first) <= len(names)]
        raise ValueError(
            f"line {number} has {len(row)} fields, but the first line names {len(names)}"
        )
    check_unpacked(lines * len(names) * _BYTES, size)
    try:
        check_unpacked(lines * longest * _BYTES, size)
    except ValueError:
        suspect = True
    if suspect:
        _check_columns(path, encoding, separators, loaded, size)


def _scan(path: PathLike, separator: bytes, wide: bool) -> tuple[int, int, bool, int]:
    """Lines, bytes of the longest, whether there may be a large exponent, bytes of the file.

    Where letters have several bytes each, there may always be one.
    """
    lines = longest = 0
    number = re.compile(rb"(?<![^\s\"%b])[-+]?[\d.]+%b" % (re.escape(separator), _SUSPECT.pattern))
    suspect = wide
    with open_plain(path) as file:
        while part := file.readlines(MIB):
            lines += len(part)
            longest = max(longest, max(map(len, part)))
            text = b"".join(part)
            if b"\0" in text and not wide:
                raise ValueError("it is no text file: it holds the character 0")
            lines += text.count(b"\r") - text.count(b"\r\n")
            if (b"e" in text or b"E" in text) and _SUSPECT.search(text):  # the quicker ones first
                suspect = suspect or number.search(text) is not None
        return lines, longest, suspect, size_of(file)


def _rows(file: IO[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of each line, as pandas takes them apart."""
    if len(separator) == 1:
        reader = csv.reader(file, delimiter=separator)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}") from error
    else:
        for number, line in enumerate(file, 1):
            yield number, re.split(separator, line.rstrip("\r\n"))


def _check_columns(
    path: PathLike,
    encoding: str,
    separators: tuple[str, str],
    loaded: Callable[[str], bool],
    size: int,
) -> None:
    """Look at each field of the columns that are read."""
    with open(path, encoding=encoding, newline="") as file:
        rows = _rows(file, separators[0])
        head = [name.partition(":") for name in next(rows)[1]]
        columns = [(i, name, kind) for i, (name, _, kind) in enumerate(head) if loaded(name)]
        longest, count = [0] * len(head), 0
        for number, row in rows:
            count += 1
            for i, name, kind in columns:
                if i >= len(row):
                    break
                if kind != "float":
                    parts = row[i].split(separators[1]) if kind.endswith("_seq") else [row[i]]
                    longest[i] = max(longest[i], len(parts) * _BYTES, 4 * max(map(len, parts)))
                elif beyond_pandas(row[i]):
                    shown = printable(row[i])[:50]
                    raise ValueError(
                        f"line {number}: '{shown}' in column '{name}' is no number of 64 bits"
                    )
    for i, name, _ in columns:
        try:
            check_unpacked(count * longest[i], size)
        except ValueError as error:
            raise ValueError(
                f"column '{name}': a field is much longer than the others ({error})"
            ) from None
