"""What a value must be: rules, made of a few words, that also say where right values end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from recbole_finest.errors import UserError, nearest, shown

MOST = 2**31 - 1  # what fits a 32-bit integer: no size, count or number of steps is larger


@dataclass(frozen=True)
class Rule:
    """What a setting's value must be.

    Attributes:
        text: in words, after "must be".
        test: whether a value is right; what it raises counts as wrong.
        right: the smallest and the largest right values, or all there are.
        wrong: values just beyond.
        table: where a value names something, what there is by name.
        parts: of a mapping with names of its own, the rule of each.
        plain: whether it is a text, which is none the less if it looks like a number or a mapping.
    """

    text: str
    test: Callable[[Any], bool]
    right: tuple[Any, ...] = ()
    wrong: tuple[Any, ...] = ()
    table: Mapping[str, Any] | None = None
    parts: Mapping[str, Rule] | None = None
    plain: bool = False

    def allows(self, value: object) -> bool:
        try:
            return bool(self.test(value))
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError):
            return False

    def check(self, name: str, value: object) -> None:
        """Refuse a wrong value.

        Raises:
            UserError: naming the setting, the value and what it must be, or the nearest name.
        """
        if self.allows(value):
            return
        if self.table is not None and isinstance(value, str):
            hint = nearest(value, list(self.table))
            raise UserError(f"{name} is {shown(value)}, which does not exist; {hint}")
        if isinstance(value, dict):
            self._check_parts(name, value)
        raise UserError(f"{name} is {shown(value)}, but must be {self.text}")

    def _check_parts(self, name: str, value: Mapping[str, Any]) -> None:
        rules = self.parts or {}
        for part, given in value.items() if rules else ():
            if part not in rules:
                hint = nearest(part, list(rules))
                raise UserError(f"{name} names {shown(part)}, which does not exist; {hint}")
            rules[part].check(f"{name}: {part}", given)

    def or_null(self) -> Rule:
        return replace(
            self,
            text=f"{self.text}, or null",
            test=lambda v: v is None or self.test(v),
            right=(*self.right, None),
        )


def is_number(value: object) -> bool:
    """Whether a value is a finite number: no flag, NaN or infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) or math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def whole(low: int, high: int = MOST) -> Rule:
    """A whole number from ``low`` to ``high``."""
    most = "below 2^31" if high == MOST else f"at most {high}"
    return Rule(
        f"a whole number of at least {low} (and {most})",
        lambda v: _is_whole(v) and low <= v <= high,
        right=(low, high),
        wrong=(low - 1, high + 1, low + 0.5, float(high), True),
    )


def real(text: str, test: Callable[[float], bool], right: tuple = (), wrong: tuple = ()) -> Rule:
    """A finite number, whole ones included."""
    beyond = (*wrong, math.nan, math.inf, -math.inf, False)
    return Rule(text, lambda v: is_number(v) and test(v), right, beyond)


def least(low: float, high: float) -> Rule:
    """A number from ``low`` to ``high``, said so that the lower end comes first."""
    text = f"a number of at least {low} (and at most {high})"
    return real(text, lambda v: low <= v <= high, (low, high), (low - 1e-9, high * 1.001, 1e30))


def above(low: float, high: float) -> Rule:
    """A number above ``low``, at most ``high``."""
    text = f"a number above {low} (and at most {high})"
    return real(text, lambda v: low < v <= high, (1e-9, high), (low, high * 1.001, 1e30, -1))


def one_of(*names: str) -> Rule:
    """One of some words."""
    text = "one of " + ", ".join(name or "''" for name in names)
    good = lambda v: isinstance(v, str) and v in names  # noqa: E731
    return Rule(text, good, names, (f"{names[-1]}x", f" {names[-1]}", names[-1] + "\n"))


def word_of(*names: str) -> Rule:
    """One of some words, in any case of letters."""
    good = lambda v: isinstance(v, str) and v.lower() in names  # noqa: E731
    right = (names[0].upper(), *names)
    return Rule("one of " + ", ".join(names), good, right, (f"{names[0]}x",))


def named_in(table: Mapping[str, Any]) -> Rule:
    """A name in a table that may grow, such as the kinds of perturbation."""
    return Rule(
        "one of " + ", ".join(table),
        lambda v: isinstance(v, str) and v in table,
        tuple(table),
        (f"{next(iter(table))}x",),
        table,
    )


def list_of(
    text: str, one: Rule, length: int | None = None, empty: bool = False, distinct: bool = False
) -> Rule:
    """A list, each of whose entries passes ``one``.

    Args:
        text: in words.
        one: the rule of an entry.
        length: how many there must be; None is any number.
        empty: whether there may be none.
        distinct: whether no entry may come twice.
    """

    def good(value: object) -> bool:
        if not isinstance(value, list) or not all(map(one.allows, value)):
            return False
        fits = len(value) == length if length is not None else empty or len(value) > 0
        return fits and not (distinct and len(set(value)) < len(value))

    size = length or 1
    right = tuple([value] * size for value in one.right) + (([],) if empty else ())
    wrong = (*([value] * size for value in one.wrong), [[]] * size, [None] * size)
    wrong += () if empty else ([],)
    wrong += ([one.right[0]] * (size + 1),) if length is not None or distinct else ()
    return Rule(text, good, right, wrong)


def either(text: str, *rules: Rule) -> Rule:
    """What passes one of several rules."""
    good = lambda v: any(rule.allows(v) for rule in rules)  # noqa: E731
    right = tuple(value for rule in rules for value in rule.right)
    every = (value for rule in rules for value in rule.wrong)
    named = next((rule.parts for rule in rules if rule.parts), None)
    return Rule(text, good, right, tuple(v for v in every if not good(v)), parts=named)


def mapping(text: str, test: Callable[[dict], bool], right: tuple = (), wrong: tuple = ()) -> Rule:
    """A mapping of names to something."""
    good = lambda v: isinstance(v, dict) and all(isinstance(k, str) for k in v) and test(v)  # noqa: E731
    return Rule(text, good, right, (*wrong, {1: 2}, []))


def parts(text: str, needed: str = "", **rules: Rule) -> Rule:
    """A mapping with names of its own.

    Args:
        text: in words.
        needed: a name that has to be there.
        rules: the rule of each.
    """

    def good(value: dict) -> bool:
        known = all(name in rules and rules[name].allows(value[name]) for name in value)
        return known and (not needed or needed in value)

    first = {needed: rules[needed].right[0]} if needed else {}
    right = tuple({**first, n: v} for n, rule in rules.items() for v in rule.right)
    wrong = tuple({**first, n: v} for n, rule in rules.items() for v in rule.wrong)
    whole = mapping(text, good, right, (*wrong, {**first, "other": 1}))
    return replace(whole, parts=rules)


FLAG = Rule("True or False", lambda v: isinstance(v, bool), (True, False), ("yes", 1, 0))
TEXT = Rule("a string", lambda v: isinstance(v, str), ("x",), (0, True), plain=True)
NAME = replace(
    TEXT,
    text="a name",
    test=lambda v: isinstance(v, str) and v.strip() != "",
    wrong=("", " ", 0, True),
)
SHARE = real("a number from 0 to 1", lambda v: 0 <= v <= 1, (0, 1), (-0.001, 1.001))
AMOUNT = least(0, 10**6)
NAMES = list_of("a list of names", NAME, empty=True)
