"""Rank lists as they leave the program: users, targets and items as the data set's own tokens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recbole_finest.errors import UserError
from recbole_finest.files import write_arrays
from recbole_finest.formats.arrays import read_arrays

FORMAT = "recbole_finest.ranklists.1"
# what is raised for files that cannot be opened, are no archive of arrays, or one of other arrays
UNREADABLE = (OSError, ValueError, KeyError)
# kinds of the types of a file's arrays, and their axes
_ARRAYS = {"users": ("U", 1), "targets": ("U", 1), "vocabulary": ("U", 1)}
_ARRAYS |= {"codes": ("iu", 2), "scores": ("f", 2)}
_KINDS = {"U": "text", "iu": "whole numbers", "f": "numbers"}


@dataclass(frozen=True)
class RankLists:
    """The rank lists of one model, one for each instance (a user's history at one moment).

    Attributes:
        users: user tokens, ``[n]``; a user comes once for each of its instances, in their order.
        targets: tokens of the items that did come next, ``[n]``; ``""`` where unknown.
        vocabulary: the distinct item tokens of the lists, ``[n_tokens]``.
        codes: indices into ``vocabulary``, best item first, ``[n, depth]``, int32, distinct in
            a list; -1 fills the end of short ones.
        scores: the model's scores of these items, ``[n, depth]``, float32, or None where unknown.
    """

    users: np.ndarray
    targets: np.ndarray
    vocabulary: np.ndarray
    codes: np.ndarray
    scores: np.ndarray | None = None

    def __post_init__(self) -> None:
        n, depth = len(self.users), self.codes.shape[-1]
        wanted = {"users": (n,), "targets": (n,), "codes": (n, depth), "scores": (n, depth)}
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise UserError(f"The lists' {name} have shape {array.shape} instead of {shape}.")
        low, high = self.codes.min(initial=-1), self.codes.max(initial=-1)
        if low < -1 or high >= len(self.vocabulary):
            raise UserError("The rank lists' codes are no indices of their vocabulary.")
        for start in range(0, n, 4096):
            codes = np.sort(self.codes[start : start + 4096], axis=1)
            if ((codes[:, 1:] == codes[:, :-1]) & (codes[:, 1:] >= 0)).any():
                raise UserError("A rank list holds an item twice.")

    @classmethod
    def from_ids(
        cls,
        users: np.ndarray,
        targets: np.ndarray,
        items: np.ndarray,
        scores: np.ndarray | None,
        tokens: np.ndarray,
    ) -> RankLists:
        """Make rank lists from internal item ids.

        Args:
            users: user tokens, ``[n]``.
            targets: item tokens, ``[n]``.
            items: internal item ids best first, ``[n, depth]``; below 1 fills short lists.
            scores: ``[n, depth]`` or None.
            tokens: the token of every internal id, ``[n_items]``, as RecBole's ``field2id_token``.
        """
        used = np.unique(items[items > 0])
        codes = np.where(items > 0, np.searchsorted(used, items), -1).astype(np.int32)
        return cls(
            _strings(users),
            _strings(targets),
            _strings(np.asarray(tokens)[used]),
            codes,
            None if scores is None else np.asarray(scores, dtype=np.float32),
        )

    @classmethod
    def from_tokens(
        cls,
        users: np.ndarray,
        targets: np.ndarray,
        items: np.ndarray,
        scores: np.ndarray | None = None,
    ) -> RankLists:
        """Make rank lists from item tokens ``[n, depth]``, best first; ``""`` fills short lists."""
        items = _strings(items)
        vocabulary, codes = np.unique(items, return_inverse=True)
        codes = codes.reshape(items.shape).astype(np.int32)
        if len(vocabulary) and vocabulary[0] == "":  # sorts first
            vocabulary, codes = vocabulary[1:], codes - 1
        return cls(
            _strings(users),
            _strings(targets),
            vocabulary,
            codes,
            None if scores is None else np.asarray(scores, dtype=np.float32),
        )

    @property
    def items(self) -> np.ndarray:
        """Item tokens best first, ``[n, depth]``; ``""`` at the end of short lists."""
        return np.append(self.vocabulary, "")[self.codes]

    @property
    def occurrence(self) -> np.ndarray:
        """Which of its user's instances each one is, from 1, ``[n]``."""
        _, user = np.unique(self.users, return_inverse=True)
        order = np.argsort(user, kind="stable")
        ordered = user[order]
        first = np.searchsorted(ordered, ordered)  # where this user begins
        number = np.empty(len(user), dtype=np.int64)
        number[order] = np.arange(len(user)) - first + 1
        return number

    def __len__(self) -> int:
        return len(self.users)

    def save(self, path: str | os.PathLike) -> None:
        """Write an ``.npz`` that loads without pickle; an old file is replaced only when all is well.

        Codes take the smallest integer type; compressing would save little and take long.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise UserError(f"Rank lists are saved as .npz, which {path} is not.")
        arrays = {
            "format": np.array(FORMAT),
            "users": self.users,
            "targets": self.targets,
            "vocabulary": self.vocabulary,
            "codes": self.codes.astype(np.min_scalar_type(-1 - len(self.vocabulary))),
        }
        if self.scores is not None:
            arrays["scores"] = self.scores
        write_arrays(path, arrays, compress=False)

    @classmethod
    def load(cls, path: str | os.PathLike) -> RankLists:
        """Read what :meth:`save` wrote; ``UserError`` for any other file, or a damaged one."""
        try:
            arrays = read_arrays(path)
            if str(arrays.pop("format", None)) != FORMAT:
                raise UserError(f"{path} is an .npz file, but not one of rank lists.")
            _check_arrays(arrays)
        except FileNotFoundError:
            raise UserError(f"There is no file {path}.") from None
        except UNREADABLE as error:
            raise UserError(f"{path} is not a file of rank lists (.npz): {error}.") from None
        arrays["codes"] = arrays["codes"].astype(np.int32)
        try:
            return cls(**arrays)
        except UserError as error:
            raise UserError(f"{path} is not a file of rank lists (.npz): {error}") from None


def _check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays that :meth:`RankLists.save` never writes, with a ValueError."""
    for name, (kinds, axes) in _ARRAYS.items():
        if name in arrays and (arrays[name].dtype.kind not in kinds or arrays[name].ndim != axes):
            found = f"{arrays[name].dtype} with {arrays[name].ndim} axes"
            raise ValueError(f"its {name} are {found}, but must be {_KINDS[kinds]} with {axes}")
        if name not in arrays and name != "scores":
            raise ValueError(f"it has no {name}")
    if other := sorted(set(arrays) - set(_ARRAYS)):
        raise ValueError(f"it has the array '{other[0]}', which rank lists do not have")
    codes, vocabulary = arrays["codes"], arrays["vocabulary"]
    if codes.size and (codes.min() < -1 or codes.max() >= len(vocabulary)):
        raise ValueError("its codes are no indices of its vocabulary")
    if len(np.unique(vocabulary)) < len(vocabulary) or "" in vocabulary:
        raise ValueError("its vocabulary holds an item twice, or one without a name")
    if "scores" in arrays and np.isnan(arrays["scores"]).any():
        raise ValueError("one of its scores is no number")


def _strings(tokens: np.ndarray) -> np.ndarray:
    return np.asarray(tokens).astype(str)
