"""YAML read safely: a bound on bytes, depth and values, aliases counted as often as they are used."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from recbole_finest.errors import printable
from recbole_finest.files import PathLike
from recbole_finest.formats.plain import MIB, read_text

BYTES = 2 * MIB
VALUES = 100_000
DEPTH = 64
Loader = type[yaml.SafeLoader]


class _Bounded:
    """Counts the values of a document while they are read, and how deep they stand."""

    _values = _depth = 0

    def compose_node(self, parent: Node | None, index: object) -> Node | None:
        self._values += 1
        self._depth += 1
        if self._values > VALUES:
            raise ValueError(_TOO_MANY)
        if self._depth > DEPTH:
            raise ValueError(f"it is nested more than {DEPTH} deep")
        found: Node | None = super().compose_node(parent, index)  # type: ignore[misc]
        self._depth -= 1
        return found


_TOO_MANY = f"it stands for more than {VALUES:,} values"


def read_yaml(path: PathLike, loader: Loader = yaml.SafeLoader) -> Any:
    """Read a YAML file with one document.

    Args:
        loader: a safe loader.

    Raises:
        OSError: it cannot be opened.
        ValueError: as :func:`load_yaml`, or it is too large.
    """
    return load_yaml(read_text(path, BYTES), loader)


def load_yaml(text: str, loader: Loader = yaml.SafeLoader) -> Any:
    """Read a YAML document; None where there is none.

    Raises:
        ValueError: it is no YAML, names a key twice, is nested too deeply, contains itself, or its
            aliases stand for more values than are read.
    """
    try:
        made = type("Bounded", (_Bounded, loader), {})(text)
        try:
            node = made.get_single_node()
            _count(node, {})
            return None if node is None else made.construct_document(node)
        finally:
            made.dispose()
    except Exception as error:  # a value that its tag does not fit may raise anything
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _count(node: Node | None, known: dict[int, int | None]) -> int:
    """How many values a node stands for; ``known`` holds those counted, None while they are."""
    if node is None or isinstance(node, ScalarNode):
        return 1
    if id(node) in known:
        found = known[id(node)]
        if found is None:
            raise ValueError("an alias in it stands for what it is part of")
        return found
    known[id(node)] = None
    parts = node.value
    if isinstance(node, MappingNode):
        _check_keys(node)
        parts = [part for pair in node.value for part in pair]
    total = 1 + sum(_count(part, known) for part in parts)
    if total > VALUES:
        raise ValueError(_TOO_MANY)
    known[id(node)] = total
    return total


def _check_keys(node: MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if isinstance(key, ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            if (key.tag, key.value) in seen:
                name, line = printable(key.value)[:100], key.start_mark.line + 1
                raise ValueError(f"'{name}' is given twice (line {line})")
            seen.add((key.tag, key.value))
