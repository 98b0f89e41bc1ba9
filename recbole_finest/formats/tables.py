"""Separated text and Parquet as tables of text, their sizes looked at before anything is read.

Every cell of text stays text, so that ``007`` and ``NA`` are kept and no number is parsed by pandas.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.errors import first_line
from recbole_finest.files import PathLike
from recbole_finest.formats.plain import MIB, check_name, check_unpacked, open_plain, size_of

COLUMNS = 1000
_THRIFT = 10_000  # parts of a list in a Parquet file's footer: row groups, columns
_CELL = 8  # bytes of a cell without its content


def read_separated(path: PathLike, **options: Any) -> pd.DataFrame:
    """Read separated text in UTF-8, all fields as text.

    Args:
        options: for :func:`pandas.read_csv`.

    Raises:
        OSError: it cannot be opened.
        ValueError: a binary file, lines with too many fields, text that is not UTF-8, a table that would
            be much larger than its file.
    """
    check_separated(path, options.get("sep", ","), options.get("names"))
    return _no_warnings(path, {"index_col": False, **options})


def separated_parts(path: PathLike, rows: int, **options: Any) -> Iterator[pd.DataFrame]:
    """The same, so many rows at a time."""
    check_separated(path, options.get("sep", ","), rows=rows)
    with _no_warnings(path, {"index_col": False, **options, "chunksize": rows}) as parts:
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", pd.errors.ParserWarning)
                    part = next(parts, None)
            except pd.errors.ParserWarning as error:
                raise ValueError(first_line(error)) from None
            if part is None:
                return
            yield part


def _no_warnings(path: PathLike, options: dict[str, Any]) -> Any:
    """``pandas.read_csv``, to which too many fields are only a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(path, dtype=str, keep_default_na=False, **options)
        except (ValueError, pd.errors.ParserWarning) as error:  # ParserError, UnicodeError too
            raise ValueError(first_line(error)) from None


def check_separated(
    path: PathLike, sep: str, names: Collection[str] | None = None, rows: int | None = None
) -> None:
    """Refuse what is no text, and a table of many more cells than the file has letters.

    Args:
        sep: as for pandas.
        names: of the columns; None where the first line names them.
        rows: those held at a time; None is all.
    """
    with open_plain(path) as file:
        if not file.seekable():
            return  # the shell's own pipe, which can be read but once
        head = file.readline(16 * MIB)
        width = head.count(sep.encode()) + 1 if names is None else len(names)
        if width > COLUMNS:
            raise ValueError(f"its first line names more than {COLUMNS} columns")
        file.seek(0)
        lines = 0
        while chunk := file.read(MIB):
            if b"\0" in chunk:
                raise ValueError("it is not the text file that its name says")
            lines += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
        check_unpacked(min(lines, rows or lines) * width * _CELL, size_of(file))


def read_parquet(path: PathLike, wanted: Collection[str]) -> pd.DataFrame:
    """Read columns of a Parquet file; ``attrs["names"]`` of the table holds the names of all.

    Text is kept once for each different one, as in the file.

    Raises:
        ImportError: pyarrow is missing.
        OSError: it cannot be opened.
        ValueError: it is no Parquet file, is damaged, or would unpack to too much.
    """
    import pyarrow.parquet as parquet

    limits = {"thrift_container_size_limit": _THRIFT}
    with open_plain(path) as file:
        try:
            names = list(parquet.ParquetFile(file, **limits).schema_arrow.names)
            chosen = [name for name in names if name in wanted]
            opened = parquet.ParquetFile(file, read_dictionary=chosen, **limits)
            _check_parquet(opened.metadata, set(chosen), size_of(file))
            table = opened.read(columns=chosen, use_threads=False)
            frame = pd.DataFrame({name: _series(table.column(name)) for name in chosen})
        except Exception as error:  # a damaged file may raise any of Arrow's
            raise ValueError(first_line(error)) from error
    frame.attrs["names"] = names
    return frame


def _check_parquet(about: Any, chosen: set[str], size: int) -> None:
    """Look at what the footer says of the chosen columns' sizes."""
    claimed = about.num_rows * _CELL * max(len(chosen), 1)
    for group in map(about.row_group, range(about.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.path_in_schema.partition(".")[0] in chosen:
                claimed += max(column.total_uncompressed_size, 0)
    check_unpacked(claimed, size)


def _series(column: Any) -> pd.Series:
    """A column that keeps its type: pandas 3 would pack text, each cell anew."""
    cells = _column(column)
    return pd.Series(cells, dtype=cells.dtype)


def _column(column: Any) -> np.ndarray:
    """A column of Arrow's: numbers as numbers, text as text, nothing as None."""
    import pyarrow as arrow

    if arrow.types.is_nested(column.type):
        raise ValueError(
            f"it has a column of the type {column.type}, which is neither text nor numbers"
        )
    if not arrow.types.is_dictionary(column.type):
        return column.to_pandas().to_numpy()
    parts = [np.empty(0, object)]
    for chunk in column.chunks:
        known = chunk.dictionary.to_pylist()
        known = [word.decode() if isinstance(word, bytes) else word for word in known]
        words = np.array([*known, None], dtype=object)
        parts.append(words[chunk.indices.fill_null(len(words) - 1).to_numpy()])
    return np.concatenate(parts)


def coded(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """A column without missing cells as text: each cell's number, ``[n]``, and the different texts.

    Text that is repeated takes no room, which in pandas 3 ``astype(str)`` of the whole column would.

    >>> coded(pd.Series([7, 5, 7]))
    (array([0, 1, 0]), array(['7', '5'], dtype=object))
    """
    code, different = pd.factorize(column)
    of_text, texts = pd.factorize(pd.Series(different).astype(str))
    return of_text[code], np.asarray(texts, dtype=object)


def as_tokens(values: Iterable[object]) -> np.ndarray:
    """Names as an array of text, ``[n]``, in which each takes as much room as the longest.

    Raises:
        ValueError: one is too long, much longer than the others, or holds a zero.
    """
    texts = [str(value) for value in values]
    longest = max(map(len, texts), default=0)
    check_name(longest)
    check_unpacked(4 * longest * len(texts), sum(map(len, texts)))
    if any("\0" in text for text in texts):
        raise ValueError("a name in it holds the character 0")
    return np.array(texts, dtype=str)
