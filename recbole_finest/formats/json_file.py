"""JSON of a bounded size and depth, whose outermost value is of the expected type."""

from __future__ import annotations

import json
import re
from typing import Any

from recbole_finest.files import PathLike
from recbole_finest.formats.plain import MIB, read_text

BYTES = 64 * MIB
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: PathLike, kind: type[dict] | type[list] = dict, most: int = BYTES) -> Any:
    """Read a JSON file.

    Args:
        kind: what it must hold, ``dict`` or ``list``.
        most: bytes that it may have.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is too large, too deep, no JSON, or holds something else.
    """
    text = read_text(path, most)
    try:
        found = json.loads(text)
        if _SURROGATE.search(text):  # half a character could not be written anywhere
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half a character (a lone surrogate)") from None
    if not isinstance(found, kind):
        raise ValueError(f"it holds no {'object' if kind is dict else 'list'}")
    return found
