"""A model's ids by token, and a data set put under them where its own ids are others."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.log import smallest_int
from recbole_finest.data.requirements import FILES
from recbole_finest.errors import UserError
from recbole_finest.seeding import token_keys


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model's users and items by internal id, padding first.

    Attributes:
        users: ``[n_users]``, strings.
        items: ``[n_items]``, strings.
    """

    users: np.ndarray
    items: np.ndarray

    @classmethod
    def of_dataset(cls, dataset: LogDataset) -> Vocabulary:
        """Those of a loaded data set."""
        tokens = dataset.field2id_token
        return cls(_strings(tokens[dataset.uid_field]), _strings(tokens[dataset.iid_field]))

    @classmethod
    def of_checkpoint(cls, checkpoint: Mapping[str, Any]) -> Vocabulary | None:
        """Those that a checkpoint carries; None where it has none, as RecBole's.

        Raises:
            UserError: they are no lists of distinct tokens.
        """
        tokens = checkpoint.get("tokens")
        if tokens is None:
            return None
        try:
            found = cls(*(_strings(tokens[what]) for what in ("user", "item")))
            distinct = all(len(set(part)) == len(part) > 1 for part in (found.users, found.items))
        except (KeyError, TypeError) as error:
            raise UserError(f"the checkpoint's tokens are damaged: {error!r}") from error
        if not distinct:
            raise UserError("the checkpoint's tokens are damaged: one of them stands there twice")
        return found

    def same(self, other: Vocabulary) -> bool:
        """Whether both have the same tokens with the same ids."""
        pairs = (self.users, other.users), (self.items, other.items)
        return all(np.array_equal(one, two) for one, two in pairs)

    @cached_property
    def _indices(self) -> tuple[pd.Index, pd.Index]:
        return pd.Index(self.users), pd.Index(self.items)

    def user_ids(self, tokens: Iterable[str]) -> np.ndarray:
        """Ids of user tokens, ``[n]``, int64; 0 for those that the model does not know."""
        return _ids(self._indices[0], tokens)

    def item_ids(self, tokens: Iterable[str]) -> np.ndarray:
        """Ids of item tokens, ``[n]``, int64; 0 for those that the model does not know."""
        return _ids(self._indices[1], tokens)


def _strings(tokens: Iterable[object]) -> np.ndarray:
    return np.array([str(token) for token in tokens], dtype=object)


def _ids(index: pd.Index, tokens: Iterable[str]) -> np.ndarray:
    wanted = np.asarray(tokens, dtype=object)
    return np.maximum(index.get_indexer(wanted), 0).astype(np.int64)


def under(dataset: LogDataset, vocabulary: Vocabulary, file: object) -> LogDataset:
    """The data set with a model's ids instead of its own: what the model is made from.

    Interactions of users or items that the model does not know are left out.

    Args:
        dataset: a loaded data set, or a part of one.
        vocabulary: the model's.
        file: the model's, for the error.

    Returns:
        The data set itself where the ids are the same.

    Raises:
        UserError: the model reads columns or files whose ids the checkpoint does not say.
    """
    own = Vocabulary.of_dataset(dataset)
    if vocabulary.same(own):
        return dataset
    _check_no_features(dataset, file)
    uid, iid = dataset.uid_field, dataset.iid_field
    other = copy.copy(dataset)
    other.field2id_token = {**dataset.field2id_token, uid: vocabulary.users, iid: vocabulary.items}
    other.field2token_id = {
        **dataset.field2token_id,
        uid: {token: i for i, token in enumerate(vocabulary.users)},
        iid: {token: i for i, token in enumerate(vocabulary.items)},
    }
    log = dataset.log
    user = vocabulary.user_ids(own.users)[log.user]
    item = vocabulary.item_ids(own.items)[log.item]
    kept = np.flatnonzero((user > 0) & (item > 0))
    kept = kept[np.argsort(user[kept], kind="stable")]
    n_users, n_items = len(vocabulary.users), len(vocabulary.items)
    other.log = other.clean_log = replace(
        log,
        user=user[kept].astype(smallest_int(n_users)),
        item=item[kept].astype(smallest_int(n_items)),
        time=log.time[kept],
        row=log.row[kept],
        place=log.place[kept],
        role=log.role[kept],
        n_users=n_users,
        n_items=n_items,
        _cache={},
    ).with_keys(token_keys(vocabulary.users), token_keys(vocabulary.items))
    other.inter_feat = dataset.inter_feat.with_log(other.log, other.log.target_positions)
    return other


def _check_no_features(dataset: LogDataset, file: object) -> None:
    name = dataset.config["model"]
    if dataset.item_feat is None and dataset.user_feat is None and name not in FILES:
        return
    raise UserError(
        f"data set '{dataset.dataset_name}' has other users or items than the one that '{file}' was "
        f"trained on, and its model '{name}' reads features, whose ids would differ too; load it with "
        "the data set it was trained on, and give today's histories with --histories"
    )
