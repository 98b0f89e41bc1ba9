"""Scores of a model as logits, whatever its full sorting returns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.data.packed import POSITION_FIELD

# Full sorting of these returns a softmax; log p differs from the logits by a constant per row.
PROBABILITIES = frozenset({"RepeatNet", "GRU4RecCPR", "SASRecCPR"})
ROW_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)  # of one [N, n_items] matrix and N targets
WARM_UP_ROWS = 16
TINY = 1e-8  # RepeatNet's own loss takes log(p + 1e-8)


class Scorer:
    """Scores items for histories: one number per item, in logits.

    A margin then means the same for every model: RepeatNet's and the CPR models' probabilities
    become log p, DIN's and DIEN's sigmoid its logit.

    Args:
        model: a RecBole sequential model.
        dataset: its data set, whose item features are joined for models without full sorting.
        block: largest number of (history, item) pairs scored at once by those.
    """

    def __init__(self, model: Any, dataset: Any, block: int = 2**18):
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
        with _fixed_batch_norm(self.model), _sigmoid_input(self.model) as caught:
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


def shallow(interaction: Interaction) -> Interaction:
    """A copy that may get more fields, as FEARec adds, and lengths changed in place, as HRM does."""
    return Interaction(
        {k: v.clone() if v.dim() == 1 else v for k, v in interaction.interaction.items()}
    )


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


@contextmanager
def _sigmoid_input(model: nn.Module) -> Iterator[list[Tensor]]:
    """What goes into ``model.sigmoid``: the exact logit, where the sigmoid itself has saturated."""
    caught: list[Tensor] = []
    sigmoid = getattr(model, "sigmoid", None)
    if not isinstance(sigmoid, nn.Module):
        yield caught
        return
    handle = sigmoid.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    try:
        yield caught
    finally:
        handle.remove()


@contextmanager
def loss_logits(model: nn.Module) -> Iterator[list[Tensor]]:
    """The logits that ``model.loss_fct`` is called with inside the block, ``[N, n_items]`` each."""
    caught: list[Tensor] = []
    loss = getattr(model, "loss_fct", None)
    if not isinstance(loss, nn.Module):
        yield caught
        return
    handle = loss.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    try:
        yield caught
    finally:
        handle.remove()


class _Reached(Exception):
    """The loss was reached; carries its input."""


def logits_alone(model: Any, interaction: Interaction) -> Tensor:
    """The logits that ``model.loss_fct`` would be called with first, ``[N, n_items]``, without the loss.

    The forward pass ends there: neither the softmax over all items nor what it keeps for a backward
    pass is made.
    """

    def stop(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        raise _Reached(inputs[0])

    handle = model.loss_fct.register_forward_pre_hook(stop)
    try:
        with packed(model, interaction):
            model.calculate_loss(shallow(interaction))
    except _Reached as reached:
        return reached.args[0]
    finally:
        handle.remove()
    raise RuntimeError(f"{type(model).__name__} did not call its loss_fct")


@contextmanager
def packed(model: Any, interaction: Interaction) -> Iterator[None]:
    """Score the positions that a packed batch names; without any, one a row as ever."""
    index = interaction[POSITION_FIELD] if POSITION_FIELD in interaction else None
    model.packed_index = index
    try:
        yield
    finally:
        model.packed_index = None


def shares_forward(scorer: Scorer, interaction: Interaction) -> bool:
    """Whether the loss sees the very logits of full sorting, so that one pass serves both losses.

    Decided on a batch, in evaluation mode: exactly one ``[B, n_items]`` matrix must reach
    ``loss_fct``, equal to :meth:`Scorer.all_items` up to a constant per row (log p).
    """
    if not isinstance(getattr(scorer.model, "loss_fct", None), ROW_LOSSES):
        return False
    with torch.no_grad(), evaluating(scorer.model):
        with loss_logits(scorer.model) as caught:
            scorer.model.calculate_loss(shallow(interaction))
        scores = scorer.all_items(
            interaction
        )  # outside: the CPR models compute their loss here too
    if len(caught) != 1 or caught[0].dim() != 2:
        return False
    logits = caught[0][:, : scorer.n_items]  # S3Rec's have a column for its mask behind the items
    if logits.shape != scores.shape:
        return False
    return torch.allclose(_centred(logits), _centred(scores), rtol=1e-4, atol=1e-5)


def _centred(scores: Tensor) -> Tensor:
    return scores - scores[:, 1:].mean(1, keepdim=True)


def scores_all_positions(
    scorer: Scorer, windows: Interaction, instances: Callable[[Tensor], Interaction]
) -> bool:
    """Whether one pass over ``windows`` gives every position the score that its own history gives.

    The test of causality: a model whose past scores depend on the future fails it, and so does one
    whose encoder does not end in ``gather_indexes``.

    Args:
        scorer: the model.
        windows: a packed batch of whole histories (no longer than one window).
        instances: gives the ordinary batch of the instances with these target row ids, ``[N]``.
    """
    from recbole_finest.data.instances import ROW_FIELD

    model = scorer.model
    if not isinstance(getattr(model, "loss_fct", None), nn.CrossEntropyLoss):
        return False
    try:
        with torch.no_grad(), evaluating(model), loss_logits(model) as caught:
            with packed(model, windows):
                loss = model.calculate_loss(shallow(windows))
            single = instances(windows[ROW_FIELD])
            loss_single = model.calculate_loss(shallow(single))
    except (RuntimeError, IndexError, KeyError, ValueError, TypeError, AttributeError):
        return False
    if len(caught) != 2 or caught[0].shape != caught[1].shape:
        return False
    return torch.allclose(caught[0], caught[1], rtol=1e-4, atol=1e-5) and torch.allclose(
        loss, loss_single, rtol=1e-4, atol=1e-5
    )


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block, whatever it was before after it; gradients flow.

    cuDNN has no backward pass for recurrent layers in evaluation mode, so these stay in training mode,
    with their only use of it, dropout between layers, set to 0.
    """
    training = model.training
    recurrent = [(m, m.dropout) for m in model.modules() if isinstance(m, nn.RNNBase)]
    model.eval()
    for layer, _ in recurrent:
        layer.train()
        layer.dropout = 0.0
    try:
        yield
    finally:
        model.train(training)
        for layer, dropout in recurrent:
            layer.dropout = dropout
