"""One night on Foursquare: the newest training interactions are news to yesterday's model.

python benchmarks/nights.py foursquare [--data_path=../shared/data] [--news=0.01]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from logs import ITEM, TIME, USER, Folder, Row, read, table, training_rows, write

from recbole_finest import compare
from recbole_finest.evaluator.lists.ranklists import RankLists

SETTINGS: dict[str, Any] = {
    "epochs": 12,
    "eval_step": 12,
    "finest_epochs": 3,
    "finest_learning_rate": 3e-4,
    "train_batch_size": 1024,
    "hidden_size": 64,
    "embedding_size": 64,
    "reference_k": 100,
}
TUNED = {"finest_epochs": 3, "simulation_ratio": 0.01}  # yesterday has neither
K = 10
ALONE, OTHER = "stable retraining", "retraining in RecBole's order"
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    OTHER: ("retrain", {"shuffle_order": "recbole"}),
    ALONE: ("retrain", {}),
    "stable retraining, another seed": ("retrain", {"seed": 7}),
    "warm start": ("warm_start", {}),
    "warm start, 1 epoch": ("warm_start", {"finest_epochs": 1}),
    "warm start, 1 epoch, rate 1e-4": (
        "warm_start",
        {"finest_epochs": 1, "finest_learning_rate": 1e-4},
    ),
    "distillation, weight 1": ("distillation", {"distillation_weight": 1}),
    "distillation, weight 10": ("distillation", {"distillation_weight": 10}),
    "distillation, weight 30": ("distillation", {"distillation_weight": 30}),
    "distillation, weight 10, all lists alike": (
        "distillation",
        {"distillation_weight": 10, "update_news_power": 0},
    ),
    "finest, weight 1": ("finest", {"rank_weight": 1, "rank_margin": 0.1}),
    "finest, weight 10": ("finest", {"rank_weight": 10, "rank_margin": 0.1}),
    "finest, weight 10, all lists alike": (
        "finest",
        {"rank_weight": 10, "rank_margin": 0.1, "update_news_power": 0},
    ),
}
ONLY_NEWS = (ALONE, "warm start", "distillation, weight 1")  # lists of people with news only
HEADERS = [
    "",
    "Jaccard@10, people without news",
    "with news",
    "moved from what they were shown",
    "NDCG@10",
    "with news",
    "retraining's new items",
    "of RecBole's order",
    "cost (CPU)",
]


def yesterday_of(log: pd.DataFrame, news: float) -> pd.DataFrame:
    """The log less the newest share of its training interactions."""
    train = log.loc[training_rows(log)].sort_values(TIME, kind="stable")
    return log.drop(train.index[len(train) - int(news * len(train)) :])


def people_with_news(log: pd.DataFrame, before: pd.DataFrame) -> list[str]:
    """Users with a training interaction that the other log does not have."""
    columns = [USER, ITEM, TIME]
    then = pd.MultiIndex.from_frame(before[columns])
    train = log.loc[training_rows(log), columns]
    return train.loc[~pd.MultiIndex.from_frame(train).isin(then), USER].unique().tolist()


def brought(was: np.ndarray, retrained: np.ndarray, tonight: np.ndarray) -> float:
    """Share of what a retraining newly brings into top tens that another model brings, too.

    Args:
        was, retrained, tonight: item tokens best first, ``[n, depth]``.
    """
    new = both = 0
    for before, other, now in zip(was[:, :K], retrained[:, :K], tonight[:, :K]):
        fresh = set(other) - set(before)
        new += len(fresh)
        both += len(fresh & set(now))
    return both / new if new else float("nan")


def ndcg(lists: RankLists, people: np.ndarray) -> float:
    """NDCG@10 of some people's lists."""
    hit = lists.items[people, :K] == lists.targets[people, None]
    return float((hit / np.log2(np.arange(K) + 2)).sum(1).mean())


class Night:
    """What everybody saw yesterday, and what yesterday's model would show on today's histories.

    Args:
        shown: yesterday's model on yesterday's histories.
        was: yesterday's model on today's.
        news: which of these people have news, ``[n]``.
        others: lists of retrainings, item tokens best first, ``[n, depth]`` each.
    """

    def __init__(
        self, shown: RankLists, was: RankLists, news: np.ndarray, others: list[np.ndarray]
    ):
        place = {user: row for row, user in enumerate(shown.users)}
        self.shown = shown.items[[place[user] for user in was.users]]
        self.was, self.news, self.others = was, news, others

    def row(self, items: np.ndarray) -> Row:
        """The figures of ``HEADERS`` for tonight's lists, without name and cost."""
        was, news = self.was, self.news
        lists = RankLists.from_tokens(was.users, was.targets, items)
        alike = _jaccard(was, was.items, items)
        moved = 1 - _jaccard(was, self.shown, items)[news].mean()
        figures = [alike[~news].mean(), alike[news].mean(), moved]
        figures += [ndcg(lists, news | True), ndcg(lists, news)]
        return figures + [brought(was.items[news], o[news], items[news]) for o in self.others]


def _jaccard(like: RankLists, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    pair = (RankLists.from_tokens(like.users, like.targets, items) for items in (one, other))
    return compare(*pair, metrics=["Jaccard"], topk=[K]).values["jaccard@10"]


def foursquare(data_path: Path, place: Path, news: float) -> str:
    """All ways to make tonight's model, each a folder; the table."""
    folder = Folder(place / f"foursquare-{news}", "GRU4Rec", SETTINGS)
    log = read(data_path / "foursquare/foursquare.inter")
    before = yesterday_of(log, news)
    write(before, folder.path / "data", "yesterday")
    write(log, folder.path / "data", "today")
    folder.run("yesterday", "yesterday", perturbation_ratio=0, finest_epochs=0, simulation_ratio=0)
    deployed, lists, seconds = folder.path / "yesterday/base.pth", {}, {}
    for name, (method, changed) in WAYS.items():
        run = name.replace(" ", "_").replace(",", "")
        made = folder.update(run, deployed, "today", method, **{**TUNED, **changed})
        seconds[name] = made["update"]["cost"]["cpu_seconds"]
        lists[name] = folder.lists(run, "updated").items
        print(name, flush=True)
    was = folder.lists(ALONE.replace(" ", "_"), "deployed")
    fresh = np.isin(was.users, people_with_news(log, before))
    shown = folder.lists("yesterday", "base")
    night = Night(shown, was, fresh, [lists[ALONE], lists[OTHER]])
    rows: list[Row] = [["yesterday's model", *night.row(was.items), 0.0]]
    for name, items in lists.items():
        rows.append([name, *night.row(items), seconds[name] / seconds[ALONE]])
    for name in ONLY_NEWS:  # the others keep yesterday's lists
        items = np.where(fresh[:, None], lists[name], was.items)
        label = f"{name}, for people with news only"
        rows.append([label, *night.row(items), seconds[name] / seconds[ALONE]])
    return f"{table(rows, HEADERS)}\n\n{len(fresh)} people, {int(fresh.sum())} of them with news."
