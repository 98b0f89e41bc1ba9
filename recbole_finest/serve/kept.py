"""Lists of an earlier night that are kept for everybody who gets no new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.readers import read_lists
from recbole_finest.serve.found import Found


class Kept:
    """The lists of a file, for people without a new one.

    Args:
        path: rank lists, as :func:`read_lists` reads them; one list a person.
        vocabulary: the model's item tokens by id, ``[n_items]``.
        k: length of the lists.

    Attributes:
        items: ``vocabulary`` and after it the tokens that only the file has.
        people: how many people kept their lists; known once all have come.

    Raises:
        UserError: no such file, a person twice, or lists shorter than k.
    """

    def __init__(self, path: Path, vocabulary: np.ndarray, k: int):
        lists = read_lists(path)
        if len(lists) and lists.occurrence.max() > 1:
            twice = lists.users[lists.occurrence > 1][0]
            raise UserError(
                f"others is '{path}', which has two lists for {str(twice)!r}; give one list a person"
            )
        if lists.codes.shape[1] < k:
            raise UserError(
                f"others is '{path}', whose lists have {lists.codes.shape[1]} items and not {k}; give a "
                "smaller --topk, or a file with longer lists"
            )
        known = {str(token): i for i, token in enumerate(vocabulary)}
        new = [token for token in lists.vocabulary.tolist() if token not in known]
        known |= {token: len(vocabulary) + i for i, token in enumerate(new)}
        self.items = np.append(vocabulary.astype(str), np.array(new, dtype=str))
        self.people, self._lists = 0, lists
        codes = np.array([*(known[token] for token in lists.vocabulary.tolist()), -1])
        self._ids = codes[lists.codes][:, :k].astype(np.int32)
        self._scores = _scores(lists)[:, :k]

    def after(self, found: Iterable[Found]) -> Iterator[Found]:
        """New lists as they come, then those of the file for everybody else."""
        anew: set[str] = set()
        for part in found:
            anew.update(part.users.astype(str).tolist())
            yield part
        rest = np.array([user not in anew for user in self._lists.users.tolist()], dtype=bool)
        self.people = int(rest.sum())
        if self.people:
            users, nobody = self._lists.users[rest], np.zeros(self.people, bool)
            yield Found(users, self._ids[rest], self._scores[rest], nobody)


def _scores(lists: RankLists) -> np.ndarray:
    """The file's scores; minus the rank where it has none."""
    if lists.scores is not None:
        return lists.scores
    return np.broadcast_to(
        -np.arange(1, lists.codes.shape[1] + 1, dtype=np.float32), lists.codes.shape
    )
