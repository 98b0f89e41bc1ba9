"""Columns of atomic files as they stand there, where RecBole's reader changes or loses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole_finest.config.config import Config


def encoding_with_mark(encoding: str | None) -> str:
    """The encoding that also takes a byte order mark, which spreadsheets write, for what it is."""
    plain = (encoding or "utf-8").lower().replace("_", "-")
    return "utf-8-sig" if plain in ("utf-8", "utf8") else plain


def ids_as_written(
    table: pd.DataFrame, path: Path, ids: Sequence[str], config: Config
) -> dict[str, list[str]]:
    """Put back the ids that pandas takes for missing values (``NA``, ``null``, …); changes the table.

    RecBole (data/dataset/dataset.py, ``_load_feat``) reads with pandas' list of such words, and rows
    without an id are then left out. Only an empty cell is one without.

    Args:
        table: the file's loaded columns, by name.
        path: the file.
        ids: its columns with ids as text.
        config: with the settings that the file was read with.

    Returns:
        The words that were put back, by column.
    """
    lost = [name for name in ids if name in table and table[name].isna().any()]
    if not lost:
        return {}
    written = pd.read_csv(
        path,
        delimiter=config["field_separator"],
        usecols=lambda name: name.partition(":")[0] in lost,
        dtype=str,
        keep_default_na=False,
        encoding=encoding_with_mark(config["encoding"]),
        engine="python",
    ).rename(columns=lambda name: name.partition(":")[0])
    found = {}
    for name in lost:
        missing = table[name].isna()
        words = written[name].where(written[name] != "")
        found[name] = sorted(words[missing].dropna().unique())
        table[name] = words
    return {name: words for name, words in found.items() if words}


def without_ids(table: pd.DataFrame, ids: Sequence[str]) -> np.ndarray:
    """Rows of a table that lack an id, ``[m]``."""
    return np.flatnonzero(table[list(ids)].isna().any(axis=1).to_numpy())


def check_length_column(tables: Mapping[str, Any], length: str, folder: str | Path) -> None:
    """Refuse a feature of items or users that would stand where a history's length stands.

    RecBole joins features last, so that the model would read the feature. A column of ``.inter`` gives
    way to the length, there as here.

    Args:
        tables: loaded columns by the file's path, or None.
        length: ``ITEM_LIST_LENGTH_FIELD``.
        folder: of the files.

    Raises:
        UserError: there is one.
    """
    for name, table in tables.items():
        if table is not None and length in table:
            raise UserError(
                f"'{Path(folder) / name}' has the column '{length}', as the length of a history is called; "
                "set ITEM_LIST_LENGTH_FIELD to another name, or leave the column out of load_col"
            )
