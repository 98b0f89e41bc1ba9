"""What items are called, where the data set says so."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

NAMED = ("title", "name")


def item_names(settings: Mapping[str, Any], tokens: Iterable[str]) -> dict[str, str]:
    """Look up items in the data set's ``.item`` file.

    The first column whose name holds ``title`` or ``name`` is used, such as ml-100k's
    ``movie_title:token_seq``.

    Args:
        settings: the run's settings; reads ``data_path``, ``dataset``, ``field_separator`` and
            ``ITEM_ID_FIELD``.
        tokens: the items wanted.

    Returns:
        ``{token: name}``; without the items that have no name, and empty where there is no file.
    """
    wanted = set(tokens)
    dataset = str(settings.get("dataset"))
    path = Path(str(settings.get("data_path"))) / dataset / f"{dataset}.item"
    names: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.reader(file, delimiter=str(settings.get("field_separator") or "\t"))
            fields = [cell.split(":")[0] for cell in next(rows, [])]
            columns = _columns(fields, str(settings.get("ITEM_ID_FIELD") or "item_id"))
            if columns is None:
                return {}
            item, name = columns
            for row in rows:
                if len(row) > max(columns) and row[item] in wanted and row[name].strip():
                    names.setdefault(row[item], row[name].strip())
    except (OSError, UnicodeDecodeError, csv.Error, TypeError):
        return names  # names are a convenience: the tokens say the same
    return names


def _columns(fields: list[str], item_field: str) -> tuple[int, int] | None:
    """Where the item's id and its name stand in a row."""
    named = [
        i
        for i, field in enumerate(fields)
        if field != item_field and any(word in field.lower() for word in NAMED)
    ]
    if item_field not in fields or not named:
        return None
    return fields.index(item_field), named[0]
