"""A finished run's folder, read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from recbole_finest.errors import UserError, first_line
from recbole_finest.evaluator.lists.instances import Instances
from recbole_finest.evaluator.lists.ranklists import UNREADABLE, RankLists
from recbole_finest.formats.arrays import read_arrays
from recbole_finest.formats.json_file import BYTES, read_json
from recbole_finest.formats.yaml_file import read_yaml
from recbole_finest.names import CHANGES, CURVES, INSTANCES, LISTS, MARK, RESULT, UNSEEN, compared
from recbole_finest.report.run import shapes
from recbole_finest.report.run.run_files import RunFiles

MOST_CHANGES = 16 * BYTES


@dataclass(frozen=True)
class Lists:
    """One model's rank lists in codes that all models of the run share.

    Attributes:
        codes: indices into the run's item tokens, best first, ``[n, depth]``; -1 fills short lists.
        scores: their logits, ``[n, depth]``, or None.
    """

    codes: np.ndarray
    scores: np.ndarray | None


class RunFolder:
    """The files of a run; rank lists are read when they are asked for, and not kept.

    Args:
        path: the run's output folder.

    Raises:
        UserError: the folder holds no finished run, or files that are not those of the run.
    """

    def __init__(self, path: Path):
        self.path = path
        self._files = RunFiles(path)
        if self._files.verified(RESULT) is None:
            raise UserError(f"'{path}' holds no finished run: it has no result.json")
        self.result: dict[str, Any] = self._read(RESULT, shapes.check_result)
        self.curves: dict[str, list[dict[str, float]]] = self._read(CURVES, shapes.check_curves)
        self.settings: dict[str, Any] = self._read(MARK, shapes.check_settings, read_yaml)
        known = self._files.verified(INSTANCES)
        self.instances = None if known is None else Instances.load(known)

    @cached_property
    def first(self) -> RankLists:
        """Base's rank lists: every other model's are of the same instances."""
        return self._load(LISTS, "base")

    @cached_property
    def user_codes(self) -> np.ndarray:
        """The user of each instance as a number, ``[n]``: much faster to group by than a token."""
        return np.unique(self.first.users, return_inverse=True)[1]

    @cached_property
    def tokens(self) -> np.ndarray:
        """The distinct item tokens of all models' lists, sorted."""
        files = [*self._files.within(LISTS), *self._files.within(UNSEEN)]
        return np.unique(np.concatenate([_vocabulary(file) for file in files]))

    def touched_users(self) -> np.ndarray:
        """Tokens of the users who have an interaction that the test perturbation changed."""
        read = partial(read_json, most=MOST_CHANGES)
        changes = self._read(CHANGES, shapes.check_changes, read).get("changes", [])
        return np.unique(np.array([change["user"] for change in changes], dtype=str))

    def has(self, name: str, folder: str = LISTS) -> bool:
        """Whether a model's rank lists are in a folder of the run."""
        return self._files.verified(f"{folder}/{name}.npz") is not None

    def lists(self, name: str, folder: str = LISTS) -> Lists:
        """A model's rank lists.

        Raises:
            UserError: they are missing, damaged, or of other instances than base's.
        """
        found = self.first if (name, folder) == ("base", LISTS) else self._load(folder, name)
        if not np.array_equal(found.users, self.first.users):
            raise UserError(
                f"the rank lists '{name}' in '{self.path}' are of other instances than base's; "
                "run again with --overwrite=True"
            )
        code = np.searchsorted(self.tokens, found.vocabulary).astype(np.int32)
        return Lists(np.append(code, np.int32(-1))[found.codes], found.scores)

    @cached_property
    def target_codes(self) -> np.ndarray:
        """The code of each instance's target, ``[n]``; -2 for one that is in nobody's lists."""
        place = np.searchsorted(self.tokens, self.first.targets)
        place = np.minimum(place, len(self.tokens) - 1)
        return np.where(self.tokens[place] == self.first.targets, place, -2)

    def _load(self, folder: str, name: str) -> RankLists:
        path = self._files.verified(f"{folder}/{name}.npz")
        return RankLists.load(path or self.path / folder / f"{name}.npz")

    def _read(
        self, name: str, check: Callable[[Any], None], parse: Callable[[Path], Any] = read_json
    ) -> Any:
        """What a file holds, once it has been checked; nothing where there is no such file."""
        path = self._files.verified(name)
        if path is None:
            return {}
        try:
            found = parse(path)
            check(found)
        except (OSError, ValueError) as error:
            raise UserError(
                f"'{path}' cannot be read: {first_line(error)}; run again with --overwrite=True"
            ) from error
        return found


def _vocabulary(path: Path) -> np.ndarray:
    """The item tokens of one file of rank lists; nothing else of it is read."""
    try:
        return read_arrays(path, ["vocabulary"])["vocabulary"]
    except UNREADABLE as error:
        raise UserError(f"'{path}' is not a file of rank lists (.npz): {error}") from error


def sides(result: dict[str, Any], names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Which two models each stability compares: a method's two sides, or base and a control."""
    return {name: compared(name) for name in names if name in result["stability"]}
