"""Tables as they stand in a file: separated text, all fields as text, and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError, first_line
from recbole_finest.formats.tables import read_parquet, read_separated

ALIASES = {"user_id": "user", "item_id": "item", "target_id": "target"}
COLUMNS = ("user", "item", "target", "rank", "score", *ALIASES)


def read_frame(path: Path, what: str) -> pd.DataFrame:
    """Read a table by its suffix: .csv, .tsv or .parquet.

    Args:
        what: what the table holds, for messages.

    Raises:
        UserError: no such file, another suffix, content that is not what the suffix says.
    """
    reader = FRAMES.get(path.suffix.lower())
    if reader is None:
        raise UserError(f"{path}: {what} are read from {', '.join(FRAMES)} files.")
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    return reader(path)


def separated_frame(path: Path) -> pd.DataFrame:
    """Read CSV (.tsv: tabs) with a line of names; ``UserError`` for anything else."""
    sep = "\t" if path.suffix.lower() == ".tsv" else ","
    return text_frame(path, sep=sep, quoting=csv.QUOTE_MINIMAL)


def parquet_frame(path: Path) -> pd.DataFrame:
    """Read Parquet; needs pyarrow. ``UserError`` without it, and for a file of another kind."""
    try:
        return read_parquet(path, COLUMNS)
    except ImportError as error:
        raise UserError(
            f"{path}: reading Parquet needs pyarrow, 14 to 25 beside NumPy {np.__version__} "
            f"(pip install 'pyarrow>=14,<26'): {_reason(error)}."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a Parquet file: {_reason(error)}.") from None


FRAMES: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": separated_frame,
    ".tsv": separated_frame,
    ".parquet": parquet_frame,
}


def renamed(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """The table with the names that :data:`ALIASES` stand for; ``UserError`` where both are there."""
    for name, other in ALIASES.items():
        if name in table and other in table:
            raise UserError(
                f"{path} has the columns {other} and {name}, of which only one may be there."
            )
    return table.rename(columns=ALIASES)


def text_frame(path: Path, **options: Any) -> pd.DataFrame:
    """Read all fields as text: a token such as ``007`` or ``NA`` must stay as it is.

    Args:
        options: for :func:`pandas.read_csv`.

    Raises:
        UserError: a binary file, lines with too many fields, text that is not UTF-8.
    """
    try:
        return read_separated(path, **{"quoting": csv.QUOTE_NONE, **options})
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    return first_line(error).rstrip(".")
