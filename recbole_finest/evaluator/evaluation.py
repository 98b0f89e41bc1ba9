"""One pass over the test instances: accuracy, rank lists, and what the lists are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from recbole.model.abstract_recommender import SequentialRecommender
from tqdm import tqdm

from recbole_finest.data.loader import EvalLoader, InstanceLoader
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.evaluator.collapse import collapse, history_keys, reads_history_of
from recbole_finest.evaluator.collector import FinestCollector, FinestEvaluator
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.measures import MEASURES, measure_lists
from recbole_finest.evaluator.topk import top_items, top_items_and_scores
from recbole_finest.parallel import distributed
from recbole_finest.scoring.scorer import Scorer

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

UNROUNDED = 17  # decimals: round() then changes nothing


@dataclass
class Evaluation:
    """What one model gives on the test instances.

    Attributes:
        accuracy: RecBole's metrics, unrounded, by the names that RecBole prints.
        items: internal item ids best first, ``[n, depth]``; -1 fills short lists. The depth is
            ``list_depth``, or the largest of ``topk`` where that is more, or all items.
        scores: their logits, ``[n, depth]``, float32; None for lists without seen items.
        unseen: the best items without those of the instance's history, ``[n, max(topk)]``: the list
            that a person would be shown; -1 fills short lists; None without ``filter_seen``.
        collapsed: how the lists have collapsed, from :func:`collapse`; None where they have not.
    """

    accuracy: dict[str, float]
    items: np.ndarray
    scores: np.ndarray | None
    unseen: np.ndarray | None
    collapsed: str | None = None

    def without_seen(self) -> Evaluation:
        """The same with the lists that people would be shown instead of the model's own."""
        assert self.unseen is not None
        return replace(self, items=self.unseen, scores=None)


class _Unrounded:
    """The settings, except that metrics keep all their decimals."""

    def __init__(self, config: Config):
        self._config = config

    def __getitem__(self, name: str) -> Any:
        return UNROUNDED if name == "metric_decimal_place" else self._config[name]


@torch.no_grad()
def evaluate(
    config: Config, scorer: Scorer, loader: EvalLoader, train_data: InstanceLoader, label: str = ""
) -> Evaluation:
    """Score all instances of a full-sorting loader once; of several processes, each its share.

    Args:
        config: our Config; reads ``metrics``, ``topk``, ``list_depth`` and ``filter_seen``.
        scorer: the model.
        loader: over the instances.
        train_data: the clean training loader, which some of RecBole's metrics ask about.
        label: shown beside the progress bar.
    """
    unrounded = _Unrounded(config)
    collector, evaluator = FinestCollector(unrounded), FinestEvaluator(unrounded)
    collector.shared = True
    collector.data_collect(train_data)
    depth = min(max(config["list_depth"], *config["topk"]), scorer.n_items - 1)
    shown = min(max(config["topk"]), scorer.n_items - 1)
    items, values, unseen = [], [], []
    first, stride = distributed.rank() * loader.step, distributed.world_size() * loader.step
    view = loader._dataset.inter_feat
    training = scorer.model.training
    scorer.model.eval()
    hidden = None if config["show_progress"] else True
    for interaction, _, positive_u, positive_i in tqdm(
        loader, desc=f"Evaluate {label}", ncols=100, disable=hidden
    ):
        scores = scorer.all_items(interaction.to(config["device"])).float()
        scores[:, 0] = -torch.inf
        best, value = top_items_and_scores(scores, depth)
        items.append(best.to(torch.int32).cpu().numpy())
        values.append(value.cpu().numpy())
        collector.eval_batch_collect(scores, interaction, positive_u, positive_i)
        if config["filter_seen"]:
            hide_seen(scores, view.log, view.positions[first : first + len(scores)])
            unseen.append(top_items(scores, shown).to(torch.int32).cpu().numpy())
        first += stride
    scorer.model.train(training)
    result = evaluator.evaluate(collector.get_data_struct())
    accuracy = {name: float(value) for name, value in result.items()}
    items, values, unseen = map(distributed.interleave, (items, values, unseen))
    shorter = np.concatenate(unseen) if unseen else None
    best_of, scores_of = np.concatenate(items), np.concatenate(values)
    how = collapse(
        best_of,
        scores_of,
        lambda: history_keys(view),
        lambda: reads_history_of(scorer, next(iter(loader))[0].to(config["device"])),
    )
    return Evaluation(accuracy, best_of, scores_of, shorter, how)


def hide_seen(scores: torch.Tensor, log: InteractionLog, positions: np.ndarray) -> None:
    """Set the scores ``[B, n_items]`` of all items in the instances' whole histories to -inf.

    Args:
        scores: changed in place.
        log: the log that the instances are of.
        positions: positions of the instances' targets in ``log``, ``[B]``.
    """
    start = log.user_start[positions]
    length = positions - start
    row = np.repeat(np.arange(len(positions)), length)
    step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    item = log.item[np.repeat(start, length) + step].astype(np.int64)
    where = (torch.from_numpy(row).to(scores.device), torch.from_numpy(item).to(scores.device))
    scores[where] = -torch.inf


@torch.no_grad()
def valid_lists(config: Config, scorer: Scorer, loader: EvalLoader) -> np.ndarray:
    """Rank lists ``[n, max(topk)]`` on validation instances, to compare with during fine-tuning."""
    scorer.model.eval()
    depth = min(max(config["topk"]), scorer.n_items - 1)
    lists = []
    for interaction, _, _, _ in loader:
        scores = scorer.all_items(interaction.to(config["device"])).float()
        lists.append(top_items_and_scores(scores, depth)[0].cpu().numpy())
    return np.concatenate(distributed.interleave(lists))


def valid_reference(config: Config, data: Data, base: SequentialRecommender) -> np.ndarray | None:
    """Base's lists on the validation instances; None where there are none, or not all items are ranked."""
    loader = data.valid_loader()
    if loader is None or config["eval_args"]["mode"]["valid"] != "full":
        return None
    return valid_lists(config, Scorer(base, data.train), loader)


def stability_names(config: Config | Mapping[str, Any]) -> list[str]:
    """The stability metrics among ``metrics``; all four of RecBole's kind when there is none."""
    named = [m.lower() for m in config["metrics"] if m.lower() in MEASURES]
    return named or ["rbo", "frbo", "jaccard", "averageoverlap"]


def stability(config: Config, one: Evaluation, other: Evaluation) -> dict[str, float]:
    """Mean similarity of two models' lists on the same instances, unrounded, by ``name@k``."""
    values = per_instance(config, one, other)
    return {name: float(value.mean()) for name, value in values.items()}


def per_instance(
    config: Config | Mapping[str, Any], one: Evaluation, other: Evaluation
) -> dict[str, np.ndarray]:
    """Similarity of every pair of lists, ``[n]`` for each ``name@k``."""
    depths = [k for k in config["topk"] if k <= one.items.shape[1]] or [one.items.shape[1]]
    return measure_lists(one.items, other.items, stability_names(config), depths, config["rbo_p"])


def list_profile(config: Config, result: Evaluation, log: InteractionLog) -> dict[str, float]:
    """Catalogue coverage (share of items shown to anyone) and mean popularity of the lists.

    A model that shows everybody the same popular items looks stable; these two tell. Popularity is
    the mean over list entries of the item's count among the clean training interactions.
    """
    counts = log.item_counts()
    profile = {}
    for k in config["topk"]:
        top = result.items[:, :k]
        shown = top[top > 0]
        profile[f"coverage@{k}"] = len(np.unique(shown)) / (log.n_items - 1)
        profile[f"popularity@{k}"] = float(counts[shown].mean())
    return profile


def users_measured(data: Data) -> np.ndarray:
    """The user's token of each measured instance, ``[n]``."""
    view = data.measured.inter_feat
    ids = view.log.user[view.positions].astype(np.int64)
    return data.measured.id2token(data.measured.fields.user, ids)


def rank_lists(data: Data, result: Evaluation) -> RankLists:
    """The lists in the data set's own tokens."""
    view, fields = data.measured.inter_feat, data.measured.fields
    targets = data.measured.id2token(fields.item, view.log.item[view.positions].astype(np.int64))
    tokens = data.dataset.field2id_token[fields.item]
    return RankLists.from_ids(users_measured(data), targets, result.items, result.scores, tokens)
