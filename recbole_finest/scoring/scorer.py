"""Scores of a model as logits, whatever its full sorting returns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor, nn

from recbole_finest.scoring.logits import inputs_of
from recbole_finest.scoring.modes import shallow

# Full sorting of these returns a softmax; log p differs from the logits by a constant per row.
PROBABILITIES = frozenset({"RepeatNet", "GRU4RecCPR", "SASRecCPR"})
WARM_UP_ROWS = 16
TINY = 1e-8  # RepeatNet's own loss takes log(p + 1e-8)


class Scorer:
    """Scores items for histories: one number per item, in logits.

    A margin then means the same for every model: RepeatNet's and the CPR models' probabilities
    become log p, DIN's and DIEN's sigmoid its logit.

    Args:
        model: a RecBole sequential model, or one that scores like it.
        dataset: its data set, whose item features are joined for models without full sorting.
        block: largest number of (history, item) pairs scored at once by those.
    """

    def __init__(
        self, model: SequentialRecommender, dataset: SequentialDataset, block: int = 2**18
    ):
        self.model = model
        self.dataset = dataset
        self.block = block
        self.n_items = dataset.item_num
        full = type(model).full_sort_predict
        self.full_sort = full.__qualname__.split(".")[0] != "AbstractRecommender"
        self.probabilities = type(model).__name__ in PROBABILITIES

    def all_items(self, interaction: Interaction) -> Tensor:
        """Logits of every item, ``[B, n_items]``; column 0 (padding) is meaningless."""
        if not self.full_sort:
            items = torch.arange(self.n_items, device=interaction[self.dataset.iid_field].device)
            return self._pairs(interaction, items.expand(len(interaction), -1))
        scores = self.model.full_sort_predict(shallow(interaction))
        scores = scores.reshape(-1, scores.shape[-1])[:, : self.n_items]
        return torch.log(scores + TINY) if self.probabilities else scores

    def of_items(self, interaction: Interaction, items: Tensor) -> Tensor:
        """Logits of some items, ``[B, m]`` for item ids ``[B, m]``."""
        if not self.full_sort:
            return self._pairs(interaction, items)
        return self.all_items(interaction).gather(1, items)

    def _pairs(self, interaction: Interaction, items: Tensor) -> Tensor:
        rows, width = items.shape
        step = max(1, self.block // width)
        parts = []
        # what goes into the sigmoid is the exact logit, where the sigmoid itself has saturated
        with _fixed_batch_norm(self.model), inputs_of(self.model, "sigmoid") as caught:
            for first in range(0, rows, step):
                wanted = items[first : first + step]
                pairs = _rows(interaction, slice(first, first + step)).repeat_interleave(width)
                pairs.update(self._item_features(wanted.reshape(-1)))
                score = self.model.predict(pairs)
                parts.append((caught.pop() if caught else torch.logit(score)).reshape(wanted.shape))
        return torch.cat(parts)

    def _item_features(self, items: Tensor) -> Interaction:
        if self.dataset.item_feat is None:
            return Interaction({self.dataset.iid_field: items})
        return self.dataset.item_feat[items.cpu()].to(items.device)


class TimedScorer(Scorer):
    """A scorer that adds up the seconds that :meth:`all_items` takes, start-up costs left out.

    Attributes:
        seconds: of all calls so far.
    """

    seconds = 0.0

    def all_items(self, interaction: Interaction) -> Tensor:
        if self.seconds == 0:
            super().all_items(_rows(interaction, slice(WARM_UP_ROWS)))
        begin = time.perf_counter()
        scores = super().all_items(interaction)
        if scores.is_cuda:
            torch.cuda.synchronize(scores.device)
        self.seconds += time.perf_counter() - begin
        return scores


def _rows(interaction: Interaction, rows: slice) -> Interaction:
    return Interaction({name: interaction[name][rows] for name in interaction.columns})


@contextmanager
def _fixed_batch_norm(model: nn.Module) -> Iterator[None]:
    """Keep running statistics out of the scoring of candidates, whose items are no training data."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    states = [m.training for m in norms]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm, state in zip(norms, states):
            norm.train(state)
