"""Wrong settings, made from the table of rules and from values that hurt other programs."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.config.values import Rule, read_text, rules_of
from recbole_finest.errors import shown
from recbole_finest.model.find import model_names

Case = tuple[str, str, Any]  # model, setting, value

HOSTILE: list[Any] = [
    None,
    True,
    math.nan,
    math.inf,
    -math.inf,
    -1,
    1.5,
    1e30,
    2**64,
    -(10**30),
    10**400,
    10**5000,
    "bogus",
    "two\nlines",
    "naïve ✓ 🦊",
    "9" * 5000,
    "2001-02-31",
    "[" * 50,
    "__import__('os').system('true')",
    "../../etc/passwd\0",
    [],
    [[]],
    [None],
    [1, 1, "1"],
    [[[[[[5]]]]]],
    {},
    {"a": {"b": [1]}},
    {1: 2},
    (1, 2),
    {3, 4},
    b"bytes",
    1 + 2j,
    object,
]
# what a sentence says about how to put it right
REMEDY = re.compile(
    r"must (be|divide|not exceed)|did you mean|use one of|fits|smallest"
    r"|\b(give|leave|choose|name|add|set|check|put|ask)\b"
)


def as_given(name: str, value: Any) -> Any:
    """What Config makes of a value of its dict before anything is checked."""
    return _read(name, value) if isinstance(value, str) and value else value


_read = lru_cache(maxsize=None)(read_text)


def wrong_values(name: str, rule: Rule) -> Iterator[Any]:
    """Values that a rule does not allow: those just beyond its ends, then the hostile ones."""
    for value in [*rule.wrong, *HOSTILE]:
        if not rule.allows(as_given(name, value)):
            yield value


def every_case() -> tuple[list[Case], list[Case]]:
    """The first wrong value of every setting of every model, and all others."""
    first, rest, seen = [], [], set()
    for model in ["SASRec", *model_names()]:
        rules = rules_of(model)
        for name in Config(model, "toy").final_config_dict:
            if name not in rules or (name, id(rules[name])) in seen:
                continue
            seen.add((name, id(rules[name])))
            one, *others = ((model, name, value) for value in wrong_values(name, rules[name]))
            first.append(one)
            rest += others
    return first, rest


def chosen(n: int, seed: int = 0) -> list[Case]:
    """``n`` of all cases, each setting's first among them."""
    first, rest = every_case()
    return first + random.Random(seed).sample(rest, n - len(first))


def _parts(value: Any) -> list[Any]:
    """What a list or mapping holds, and what that holds."""
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    return [x for v in inner for x in (v, *_parts(v))] if isinstance(inner, list) else []


def says_enough(message: str, name: str, value: Any) -> bool:
    """Whether a sentence is one line that names the setting, the value (or its part) and a remedy."""
    parts = [shown(as_given(name, value)), *map(shown, _parts(value))]
    parts += [value] if isinstance(value, str) and value.isalpha() else []
    named = name in message and any(part in message for part in parts)
    return named and "\n" not in message and len(message) < 600 and bool(REMEDY.search(message))
