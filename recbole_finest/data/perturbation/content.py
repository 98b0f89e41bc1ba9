"""What a file of changes holds, each entry of the type that it must have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recbole_finest.errors import UserError
from recbole_finest.formats.json_file import read_json
from recbole_finest.formats.plain import MIB

# what a file may hold: so many bytes, and so many more for each interaction of the log
BYTES, BYTES_A_ROW = MIB, 1024
_NULL = type(None)
_WORDS = {str: "text", float: "a number", int: "a whole number", _NULL: "null", object: "a list"}
Types = Mapping[str, tuple[type, ...]]
FILE: Types = {
    "dataset": (str,),
    "kind": (str,),
    "selection": (str,),
    "item_choice": (str, _NULL),
    "ratio": (float, int, _NULL),
    "count": (int,),
    "seed": (int, _NULL),
    "n_interactions": (int,),
    "fingerprint": (str,),
    "changes": (object,),  # a list as long as count says
}
CHANGE: Types = {  # its items are looked up among the data set's, whatever they are
    "row": (int,),
    "user": (str,),
    "time": (float, int),
}


def read_content(path: Path, rows: int) -> dict[str, Any]:
    """Read a file of changes; only types are checked.

    Args:
        rows: of the log that it is for.

    Raises:
        UserError: it cannot be opened, is too large, or an entry is missing or of another type.
    """
    try:
        content: dict[str, Any] = read_json(path, dict, BYTES + BYTES_A_ROW * rows)
        _check("", content, FILE)
        changes = content["changes"]
        if not isinstance(changes, list) or content["count"] != len(changes):
            raise ValueError("count is not the number of changes listed")
        for change in changes:
            if not isinstance(change, dict):
                raise ValueError(f"a change is {_shown(change)}, but must be an object")
            for name in {"item_before", "item_after"} - set(change):
                raise ValueError(f"a change lacks '{name}'")
            _check(" of a change", change, CHANGE)
    except OSError as error:
        raise UserError(f"changes file '{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"'{path}' is no valid changes file: {error}") from error
    return content


def _check(of: str, content: dict[str, Any], types: Types) -> None:
    """Refuse values of other types; True and False are no numbers, and numbers are finite."""
    for name, kinds in types.items():
        if name not in content:
            raise ValueError(f"{'a change' if of else 'it'} lacks '{name}'")
        value = content[name]
        wrong = isinstance(value, bool) or not isinstance(value, kinds)
        if wrong or (isinstance(value, float) and not math.isfinite(value)):
            words = " or ".join(_WORDS[kind] for kind in kinds)
            raise ValueError(f"{name}{of} is {_shown(value)}, but must be {words}")


def _shown(value: object) -> str:
    return repr(value)[:50]
