"""What a night did: lists that people saw before and see now, and what they then chose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recbole_finest.evaluator.lists.hits import values_at
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.measures.overlap import churn
from recbole_finest.rolling.periods import Periods

Values = dict[str, float | None]


@dataclass(frozen=True)
class Night:
    """What a night is measured by.

    Attributes:
        periods: the log.
        number: of the night, from 1; its lists are made from periods 0 … ``number``.
        k: length of the lists.
    """

    periods: Periods
    number: int
    k: int

    def values(self, before: np.ndarray, now: np.ndarray, retrained: np.ndarray) -> Values:
        """All figures of one night.

        Args:
            before: the lists that people saw until then, items best first, ``[n_users, k]``; -1 fills
                short ones and those of people who had none.
            now: what they see after it.
            retrained: what a full retraining alone, in the stable order, shows.

        Returns:
            ``churn_without_news``, of people without an interaction in this period, and
            ``churn_with_news``, who have one: mean churn@k between ``before`` and ``now``. ``ndcg`` and
            ``recall`` at k over the people of the next period, whose different items there are the truth
            (as RecBole's metrics); ``ndcg_with_news`` of those with news. ``new_items``, the share of
            places that show an item first seen in this period. ``drift``, the mean churn@k between
            ``retrained`` and ``now``. None where there is nobody.
        """
        news, there = self.periods.active(self.number), now[:, 0] >= 0
        both = there & (before[:, 0] >= 0)
        moved = np.zeros(len(now))
        moved[both] = churn(before[both], now[both], self.k)
        compared = there & (retrained[:, 0] >= 0)
        shown = now[now >= 0]
        return {
            "churn_without_news": _mean(moved[both & ~news]),
            "churn_with_news": _mean(moved[both & news]),
            **self._accuracy(now, news),
            "new_items": _mean(self.periods.newcomers(self.number)[shown]),
            "drift": _mean(churn(retrained[compared], now[compared], self.k)),
        }

    def _accuracy(self, now: np.ndarray, news: np.ndarray) -> Values:
        user, item = self.periods.truth(self.number + 1)
        counts = now[user, 0] >= 0  # nobody has a list before the first interaction
        user, item = user[counts], item[counts]
        people, instance = np.unique(user, return_inverse=True)
        if not len(people):
            return {"ndcg": None, "ndcg_with_news": None, "recall": None, "people": 0}
        hit = now[user] == item[:, None]
        rank = np.where(hit.any(1), hit.argmax(1) + 1, 0)
        found, _ = values_at(self.k, (rank, rank), instance)
        ndcg, recall = found[f"ndcg@{self.k}"], found[f"recall@{self.k}"]
        return {
            "ndcg": _mean(ndcg),
            "ndcg_with_news": _mean(ndcg[news[people]]),
            "recall": _mean(recall),
            "people": len(people),
        }


def held(before: np.ndarray, now: np.ndarray, news: np.ndarray) -> np.ndarray:
    """Lists of people with news as they are now, everybody else's as they were, ``[n_users, k]``.

    Args:
        before, now: as for :meth:`Night.values`.
        news: whose lists are made anew, ``[n_users]``; so are those of people who had none.
    """
    return np.where((news | (before[:, 0] < 0))[:, None], now, before)


def read_lists(path: Path, periods: Periods, k: int) -> np.ndarray:
    """Lists of a file by the log's users and items, ``[n_users, k]``; -1 where there is none."""
    lists = RankLists.load(path)
    found = np.full((len(periods.users), k), -1)
    codes = np.append(np.searchsorted(periods.items, lists.vocabulary), -1)
    items = codes[lists.codes][:, :k]
    found[np.searchsorted(periods.users, lists.users), : items.shape[1]] = items
    return found


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
