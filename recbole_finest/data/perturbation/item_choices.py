"""Item choices: which item a replacement or an insertion puts in.

To add one, write a class with ``ItemChoice``'s method and register it under its name.
Popularity and neighbours are those of the training interactions of the log that is perturbed.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation.keys import interaction_keys
from recbole_finest.data.perturbation.registry import Registry


class ItemChoice:
    """One way to choose items.

    ``random`` says whether the generator decides anything, but for items that have no such choice.
    """

    random = True

    def draw(
        self,
        log: InteractionLog,
        position: np.ndarray,
        avoid: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """An item id for each chosen interaction, ``[c]``, int64, never 0.

        Args:
            log: the log that is perturbed; it has at least one item beside padding.
            position: positions of the chosen interactions, ``[c]``.
            avoid: item ids that the new ones must differ from, ``[c]``; 0 where any will do. With a
                vocabulary of one item there is no other, and it is given.
            rng: source of randomness.
        """
        raise NotImplementedError


ITEM_CHOICES: Registry[ItemChoice] = Registry("item choice")


@ITEM_CHOICES.register("random")
class RandomItem(ItemChoice):
    """Uniform over the vocabulary, less the item to avoid."""

    def draw(
        self,
        log: InteractionLog,
        position: np.ndarray,
        avoid: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        avoided = (avoid > 0) & (log.n_items > 2)
        choices = log.n_items - 1 - avoided
        item = 1 + (interaction_keys(log, rng, position) * choices).astype(np.int64)
        return item + (avoided & (item >= avoid))  # step over the avoided one


class _Ranked(ItemChoice):
    """The first item of a ranking; its second where the first is to be avoided."""

    sign, random = 1, False

    def draw(
        self,
        log: InteractionLog,
        position: np.ndarray,
        avoid: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        counts = log.item_counts()
        seen = np.flatnonzero(counts)
        ranking = seen[np.argsort(self.sign * counts[seen], kind="stable")[:2]]
        item = np.full(len(position), ranking[0], dtype=np.int64)
        if len(ranking) > 1:
            item[avoid == ranking[0]] = ranking[1]
            return item
        return _or_random(item, item == avoid, log, position, avoid, rng)


@ITEM_CHOICES.register("popular")
class PopularItem(_Ranked):
    """The item with the most training interactions, ties by smallest id."""

    sign = -1


@ITEM_CHOICES.register("unpopular", "least_popular")
class UnpopularItem(_Ranked):
    """The item with the fewest training interactions, but at least one; ties by smallest id."""


@ITEM_CHOICES.register("similar")
class SimilarItem(ItemChoice):
    """The other item most often next to the chosen one's in training histories; ties by id.

    An item that never stands next to another one has no similar item: it gets a random one.
    """

    random = False

    def draw(
        self,
        log: InteractionLog,
        position: np.ndarray,
        avoid: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        if "neighbour" not in log._cache:
            log._cache["neighbour"] = most_frequent_neighbour(log)
        item = log._cache["neighbour"][log.item[position]]
        return _or_random(item, item == 0, log, position, avoid, rng)


def most_frequent_neighbour(log: InteractionLog) -> np.ndarray:
    """The item most often just before or after each item in a user's training history.

    Returns:
        ``[n_items]``, int64: another item id, the smallest among equals; 0 for an item without one.
    """
    train = log.train_positions
    user, item = log.user[train], log.item[train]
    pair = np.flatnonzero((user[1:] == user[:-1]) & (item[1:] != item[:-1]))
    shape = (log.n_items, log.n_items)
    ones = np.ones(len(pair), np.int64)
    after = sparse.coo_matrix((ones, (item[pair], item[pair + 1])), shape=shape).tocsr()
    counts = (after + after.T).tocsr()
    counts.sort_indices()
    found = np.zeros(log.n_items, np.int64)
    filled = np.flatnonzero(np.diff(counts.indptr))
    if len(filled):
        start = counts.indptr[filled]
        most = np.maximum.reduceat(counts.data, start)
        best = np.flatnonzero(counts.data == np.repeat(most, np.diff(counts.indptr)[filled]))
        found[filled] = counts.indices[best[np.searchsorted(best, start)]]
    return found


def _or_random(
    item: np.ndarray,
    wrong: np.ndarray,
    log: InteractionLog,
    position: np.ndarray,
    avoid: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """``item`` with those marked ``wrong`` drawn at random instead."""
    if not wrong.any():
        return item
    return np.where(wrong, RandomItem().draw(log, position, avoid, rng), item)
