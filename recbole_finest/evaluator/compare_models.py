"""Compare two models batch by batch: to any depth, never holding more than one batch of lists."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from recbole_finest.data.loader import EvalLoader
from recbole_finest.evaluator.measures import measure_lists
from recbole_finest.evaluator.topk import top_items
from recbole_finest.parallel import distributed
from recbole_finest.scoring.scorer import Scorer


@torch.no_grad()
def compare_models(
    reference: Scorer,
    other: Scorer,
    loader: EvalLoader,
    metrics: Iterable[str] = ("AverageOverlap",),
    topk: Iterable[int] | None = None,
    p: float = 0.9,
) -> dict[str, np.ndarray]:
    """Agreement of two models' rank lists on every instance of a loader.

    Args:
        reference, other: the models.
        loader: a full-sorting loader (``Data.measured_loader()``), read once.
        metrics: names of measures.
        topk: list depths; None is the whole catalogue.
        p: persistence of RBO and FRBO.

    Returns:
        Per-instance values, ``{"averageoverlap@3706": [n]}``; nothing of the test set's size but these.

    Raises:
        UserError: an unknown measure, a depth below 1, p outside (0, 1), scores that are NaN.
    """
    depths = [reference.n_items - 1] if topk is None else list(topk)
    metrics, found = list(metrics), []
    devices = [next(scorer.model.parameters()).device for scorer in (reference, other)]
    states = [scorer.model.training for scorer in (reference, other)]
    for scorer in (reference, other):
        scorer.model.eval()
    for interaction, _, _, _ in loader:
        lists = [
            top_items(scorer.all_items(interaction.to(device)).float(), max(depths)).cpu().numpy()
            for scorer, device in zip((reference, other), devices)
        ]
        found.append(measure_lists(lists[0], lists[1], metrics, depths, p, distinct=True))
    for scorer, training in zip((reference, other), states):
        scorer.model.train(training)
    found = distributed.interleave(found)
    return {key: np.concatenate([part[key] for part in found]) for key in found[0]}
