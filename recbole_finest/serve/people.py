"""Who gets lists: everybody in the data set, those named in a file, or those whose histories are in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.serve.histories import Histories
from recbole_finest.serve.history_file import read_histories, read_users
from recbole_finest.serve.recommender import Recommender
from recbole_finest.serve.vocabulary import Vocabulary


class People:
    """The histories of those who are to get lists, some at a time, and a count of what was left out.

    Args:
        recommender: whose data set has the histories, where no file does.
        histories: a file of :func:`read_histories`, or None.
        users: a file of :func:`read_users`, or None for everybody.
        nobody: whether ``users`` may name nobody.

    Attributes:
        total: how many people there are; None where that shows only at the end of a file.

    Raises:
        UserError: a file cannot be read, or names only people whom the data set does not have.
    """

    def __init__(
        self,
        recommender: Recommender,
        histories: Path | None,
        users: Path | None,
        nobody: bool = False,
    ):
        self.recommender, self.histories, self.users = recommender, histories, users
        self.named = None if users is None else read_users(users, nobody)
        self.ids: np.ndarray | None = None
        self.total: int | None = None
        if histories is None:
            self._in_dataset()
        self.seen = self.empty = self.unknown = 0

    def _in_dataset(self) -> None:
        dataset = self.recommender.dataset
        self.total = dataset.user_num - 1
        if self.named is None:
            return
        ids = Vocabulary.of_dataset(dataset).user_ids(self.named)
        self.ids = ids[ids > 0]
        self.total = len(self.ids)
        if self.named and not self.total:
            raise UserError(
                f"users is '{self.users}', of whom nobody (first: {self.named[0]!r}) is in data set "
                f"'{dataset.dataset_name}'; give user tokens of its, or histories of others"
            )

    def __iter__(self) -> Iterator[Histories]:
        for part in self._parts():
            self.seen += len(part)
            self.empty += int((part.length == 0).sum())
            self.unknown += int(part.unknown.sum())
            yield part

    def _parts(self) -> Iterator[Histories]:
        if self.histories is None:
            return self.recommender.whole_histories(self.ids)
        wanted = None if self.named is None else frozenset(self.named)
        return read_histories(self.histories, self.recommender.vocabulary, wanted)

    def notes(self) -> list[str]:
        """What was left out, one sentence each; known once all have come."""
        notes = []
        if self.named is not None and self.seen < len(self.named):
            where = f"'{self.histories or self.recommender.dataset.dataset_name}'"
            notes.append(
                f"people in '{self.users}' who are not in {where}: {len(self.named) - self.seen}"
            )
        if self.empty:
            notes.append(f"people without an item that the model knows, left out: {self.empty}")
        if self.unknown:
            notes.append(f"interactions with items that the model does not know: {self.unknown}")
        return notes
