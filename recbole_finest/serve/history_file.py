"""Histories and people from text files, read as they are needed."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.errors import UserError, first_line, printable
from recbole_finest.formats.numbers import as_numbers
from recbole_finest.formats.tables import separated_parts
from recbole_finest.serve.histories import Histories
from recbole_finest.serve.vocabulary import Vocabulary

AT_A_TIME = 1 << 18  # rows
NAMES = {"user": "user", "user_id": "user", "item": "item", "item_id": "item"}
NAMES |= {"time": "time", "timestamp": "time"}


def read_histories(
    path: Path, vocabulary: Vocabulary, wanted: Collection[str] | None = None
) -> Iterator[Histories]:
    """The histories of a file, some at a time: CSV, or with tabs where it is called .tsv or .inter.

    The first line names the columns: ``user``, ``item`` and, where there are times, ``time`` (or
    ``user_id``, ``item_id``, ``timestamp``, each also with RecBole's ``:type``); others are left alone.
    One row is one interaction. A person's rows stand together, oldest first where there are no times.

    Args:
        path: the file, in UTF-8.
        vocabulary: the model's.
        wanted: user tokens; None is everybody.

    Raises:
        UserError: it cannot be read, lacks a column or a value, or a person's rows do not stand together.
    """
    rest: pd.DataFrame | None = None
    seen: list[np.ndarray] = []  # a hash of each person, 8 bytes
    for table in _tables(path):
        table = table if rest is None else pd.concat([rest, table])
        others = np.flatnonzero(table["user"].to_numpy() != table["user"].iloc[-1])
        whole = others[-1] + 1 if len(others) else 0  # the last person may go on in the next rows
        rest = table.iloc[whole:]
        yield from _histories(table.iloc[:whole], vocabulary, wanted, seen)
    if rest is None:
        raise UserError(f"'{path}' holds no interaction below its first line; give histories")
    yield from _histories(rest, vocabulary, wanted, seen)
    _check_together(path, np.concatenate(seen))


def _histories(
    table: pd.DataFrame,
    vocabulary: Vocabulary,
    wanted: Collection[str] | None,
    seen: list[np.ndarray],
) -> Iterator[Histories]:
    """The histories of whole people; notes in ``seen`` whose they are."""
    if not len(table):
        return
    user = table["user"].to_numpy()
    head = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    users, length = user[head], np.diff(np.append(head, len(user)))
    seen.append(_hashes(users))
    if wanted is not None:
        kept = np.fromiter((one in wanted for one in users), bool, len(users))
        table, users, length = table[np.repeat(kept, length)], users[kept], length[kept]
    items = vocabulary.item_ids(table["item"].to_numpy())
    times = table["time"].to_numpy() if "time" in table else None
    yield Histories.sorted(users, np.append(0, np.cumsum(length)), items, times)


def _hashes(users: np.ndarray) -> np.ndarray:
    return pd.util.hash_array(users, categorize=False)


def _check_together(path: Path, seen: np.ndarray) -> None:
    order = np.sort(seen)
    twice = order[1:][order[1:] == order[:-1]]
    if not len(twice):
        return
    names = (table["user"].to_numpy() for table in _tables(path))
    user = next(
        part[there.argmax()] for part in names if (there := _hashes(part) == twice[0]).any()
    )
    raise UserError(
        f"the rows of user {user!r} in '{path}' do not stand together; sort the file by user, keeping the "
        "order of each person's rows"
    )


def _tables(path: Path) -> Iterator[pd.DataFrame]:
    """Parts of the file with the columns user, item and perhaps time, as text and numbers."""
    suffix = path.suffix.lower()
    quoting = csv.QUOTE_NONE if suffix == ".inter" else csv.QUOTE_MINIMAL
    options: dict[str, Any] = {
        "sep": "\t" if suffix in (".tsv", ".inter") else ",",
        "quoting": quoting,
    }
    try:
        parts = separated_parts(path, AT_A_TIME, **options)
        yield from filter(len, map(partial(_columns, path), parts))
    except FileNotFoundError:
        raise UserError(
            f"histories is '{path}', which does not exist; give a CSV or TSV file"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read: {first_line(error).rstrip('.')}") from None


def _columns(path: Path, part: pd.DataFrame) -> pd.DataFrame:
    found = {NAMES.get(str(name).partition(":")[0]): name for name in part}
    missing = [name for name in ("user", "item") if name not in found]
    if missing:
        line = printable(", ".join(map(str, part)))[:300]
        raise UserError(
            f"'{path}' has no column {' and no '.join(missing)} (its first line: {line}); name the "
            "columns user, item and, where there are times, time"
        )
    table = pd.DataFrame({name: part[old] for name, old in found.items() if name})
    for name in ("user", "item"):
        empty = ((table[name] == "") | table[name].isna()).to_numpy()
        if empty.any():
            row = part.index[empty.argmax()] + 2
            raise UserError(f"row {row} of '{path}' has no {name}; leave the row out")
    if "time" in table:
        times = as_numbers(table["time"])
        if not np.isfinite(times).all():
            at = int((~np.isfinite(times)).argmax())
            time = np.asarray(table["time"].iloc[at]).item()
            raise UserError(
                f"row {part.index[at] + 2} of '{path}' has the time {time!r}, which is "
                "no number; leave the row or the column out"
            )
        table["time"] = times
    return table


def read_users(path: Path, nobody: bool = False) -> list[str]:
    """User tokens, one a line; empty lines and repeated ones are left out.

    Args:
        path: the file.
        nobody: whether it may name nobody.

    Raises:
        UserError: it cannot be read, or names nobody and must not.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"users is '{path}', which cannot be read ({first_line(error)}); give a text file with a "
            "user token on each line"
        ) from None
    users = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not users and not nobody:
        raise UserError(f"users is '{path}', which names nobody; write a user token on each line")
    return users
