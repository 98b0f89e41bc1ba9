"""The items that people did choose next, from a file: what lists are held against."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError, printable
from recbole_finest.evaluator.lists.frames import read_frame, renamed
from recbole_finest.formats.tables import as_tokens, coded


@dataclass(frozen=True)
class Truth:
    """True next items: each user may have several, and counts with all of them.

    Attributes:
        queries: whose item each one is, ``[t]``: a user token, or ``user#2`` for its second instance.
        items: item tokens, ``[t]``; no (query, item) is there twice.
        name: what the file is called in messages.
        repeated: how many rows said the same again.
    """

    queries: np.ndarray
    items: np.ndarray
    name: str = "truth"
    repeated: int = 0

    @classmethod
    def from_table(cls, table: pd.DataFrame, name: str = "truth") -> Truth:
        """Take rows with the columns ``user`` and ``item``.

        Raises:
            UserError: a column is missing, a row has no user or item, no row at all.
        """
        table = renamed(table, name)
        missing = [column for column in ("user", "item") if column not in table]
        if missing:
            found = printable(", ".join(map(str, table.columns)))[:300]
            raise UserError(
                f"{name} has no column {' and no '.join(missing)}; its columns: {found}."
            )
        if not len(table):
            raise UserError(f"{name} holds no true item.")
        for column in ("user", "item"):
            if (table[column].isna() | (table[column] == "")).any():
                raise UserError(f"{name}: a row has no {column}.")
        (user, users), (item, items) = (coded(table[column]) for column in ("user", "item"))
        rows = pd.DataFrame({"user": user, "item": item})
        kept = rows.drop_duplicates()
        try:
            users, items = as_tokens(users[kept["user"]]), as_tokens(items[kept["item"]])
        except ValueError as error:
            raise UserError(f"{name} cannot be read: {error}.") from None
        return cls(users, items, name, len(rows) - len(kept))

    def __len__(self) -> int:
        return len(self.items)


def read_truth(path: str | os.PathLike) -> Truth:
    """Read a table of true next items: .csv, .tsv or .parquet with the columns user and item.

    Raises:
        UserError: no such file, another suffix, content that is not what the suffix says, and all
            that :meth:`Truth.from_table` raises.
    """
    path = Path(path)
    return Truth.from_table(read_frame(path, "true items"), str(path))
