"""Turn a CSV or TSV file of interactions into a RecBole data set."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import category

from recbole_finest.data.convert.atomic_file import (
    HEADER,
    PathLike,
    format_time,
    format_token,
    write_atomic,
    writing,
)
from recbole_finest.data.convert.layout import Layout, find_layout, is_number, split
from recbole_finest.errors import UserError

__all__ = ["convert", "ConvertReport", "write_atomic"]

_KEPT = 20  # dropped rows that are named one by one
_PADDING = "[PAD]"  # RecBole's name of the id 0


@dataclass
class ConvertReport:
    """What was read and written.

    Attributes:
        path: the atomic file.
        rows, users, items: how many were written.
        layout: how the file was read.
        dropped: how many rows were left out.
        reasons: line number and reason of the first dropped rows, at most 20.
    """

    path: Path
    layout: Layout
    rows: int = 0
    users: int = 0
    items: int = 0
    dropped: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)

    def drop(self, line: int, reason: str) -> None:
        self.dropped += 1
        if len(self.reasons) < _KEPT:
            self.reasons.append((line, reason))

    def __str__(self) -> str:
        lines = [
            f"{self.path}: {self.rows} interactions, {self.users} users, {self.items} items",
            f"read as {self.layout}",
            f"{self.dropped} rows dropped" + (":" if self.dropped else ""),
            *(f"  line {line}: {reason}" for line, reason in self.reasons),
        ]
        if self.dropped > len(self.reasons):
            lines.append(f"  and {self.dropped - len(self.reasons)} more")
        return "\n".join(lines)


def convert(
    path: PathLike,
    columns: Sequence[str] = ("user", "item", "time"),
    *,
    output_dir: PathLike,
    dataset: str,
    header: bool | None = None,
    separator: str | None = None,
    overwrite: bool = False,
) -> ConvertReport:
    """Write ``<output_dir>/<dataset>/<dataset>.inter`` from a text file of interactions.

    Rows keep their order, duplicates included, and ids their text (``007`` stays ``007``, ``NA`` is a
    name; only surrounding blanks go). Rows without two ids and a finite time are dropped and reported.

    Args:
        path: a UTF-8 text file, one interaction a line.
        columns: names of the file's columns in order, among them ``user``, ``item`` and ``time``;
            the others are ignored. In a file with more columns, they name the last ones.
        output_dir: folder of data sets, made where it is missing.
        dataset: name of the data set.
        header: whether the first line holds names; None looks whether it holds any number.
        separator: what stands between columns; None finds out.
        overwrite: whether an existing file may be replaced.

    Raises:
        UserError: the file is missing, empty, or without a single usable row; the columns do not
            fit it; the name cannot be one of a folder; or the output exists.
    """
    source = Path(path)
    if dataset in ("", ".", "..") or Path(dataset).name != dataset:
        raise UserError(f"dataset='{dataset}' cannot be the name of a folder")
    target = Path(output_dir) / dataset / f"{dataset}.inter"
    layout = find_layout(_lines(source), source, columns, header, separator)
    report = ConvertReport(target, layout)
    users: set[str] = set()
    items: set[str] = set()
    with writing(target, overwrite) as file:
        file.write(HEADER)
        for user, item, time in _rows(source, report):
            users.add(user)
            items.add(item)
            report.rows += 1
            file.write(f"{format_token(user)}\t{format_token(item)}\t{format_time(time)}\n")
        if not report.rows:
            line, reason = report.reasons[0] if report.reasons else (1, "only a header")
            raise UserError(f"'{source}' has no usable row (line {line}: {reason})")
    report.users, report.items = len(users), len(items)
    return report


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank."""
    try:
        # Bytes that are not UTF-8 survive as surrogates, so that their line can be named.
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {os.strerror(error.errno or 0)}") from error


def _rows(path: Path, report: ConvertReport) -> Iterator[tuple[str, str, float]]:
    """User, item and time of each usable row; the others go into the report."""
    layout = report.layout
    first = True
    for number, line in _lines(path):
        if first and layout.header:
            first = False
            continue
        first = False
        try:
            cells = split(line, layout.separator)
        except csv.Error as error:
            report.drop(number, str(error))
            continue
        if len(cells) != layout.width:
            report.drop(number, f"{len(cells)} columns instead of {layout.width}")
            continue
        user, item, time = (cells[index] for index in layout.indices)
        reason = _fault("user", user) or _fault("item", item)
        if not reason and not (is_number(time) and math.isfinite(float(time))):
            reason = f"time '{time}' is not a finite number"
        if reason:
            report.drop(number, reason)
        else:
            yield user, item, float(time)


def _fault(what: str, token: str) -> str | None:
    """Why a token cannot be an id, if it cannot."""
    if not token:
        return f"no {what}"
    if token == _PADDING:
        return f"{what} '{token}' is the name of RecBole's padding"
    # Control characters, and surrogates: bytes that are not UTF-8.
    if not token.isprintable() and any(category(letter) in ("Cc", "Cs") for letter in token):
        return f"{what} {token!a} holds a character that cannot be written"
    return None
