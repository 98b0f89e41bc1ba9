"""The average of a model's weights while it is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn, get_swa_multi_avg_fn


class WeightAverage:
    """An average of the weights, by PyTorch's functions.

    ``ema``: a = decay · a + (1 − decay) · w after every step, from the first step's weights on.
    ``last_quarter``: the mean of the weights at the ends of the last quarter of the epochs, rounded up
    (stochastic weight averaging, arXiv 1803.05407); before them there is no average. Buffers, such as the
    running means of batch normalisation, are the model's own, as in PyTorch's ``AveragedModel``.

    Args:
        model: the model that is trained.
        kind: ``ema`` or ``last_quarter``.
        decay: of ``ema``.
        epochs: of the whole training, which one that stops early does not come to the end of.

    Attributes:
        first: the first epoch after which there is an average.
    """

    def __init__(self, model: nn.Module, kind: str, decay: float, epochs: int):
        self._weights = list(model.parameters())
        self._by_step = kind == "ema"
        self._mean: Any = get_ema_multi_avg_fn(decay) if self._by_step else get_swa_multi_avg_fn()
        self.first = 0 if self._by_step else 3 * epochs // 4
        self._average: list[Tensor] = []
        self._averaged = 0
        self._own: list[Tensor] = []  # the weights themselves, while the average is applied

    def after_step(self) -> None:
        """Take in the weights after a step of the optimiser."""
        if self._by_step:
            self._take()

    def after_epoch(self, epoch: int) -> None:
        """Take in the weights at the end of an epoch, counted from 0."""
        if not self._by_step and epoch >= self.first:
            self._take()

    @torch.no_grad()
    def _take(self) -> None:
        if self._averaged == 0:
            self._average = _copies(self._weights)
        else:
            self._mean(self._average, [w.detach() for w in self._weights], self._averaged)
        self._averaged += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model with the averaged weights, once there are some, for as long as the block takes."""
        if not self._averaged:
            yield
            return
        self._own = _copies(self._weights)
        self._set(self._average)
        try:
            yield
        finally:
            self._set(self._own)
            self._own = []

    @torch.no_grad()
    def _set(self, weights: list[Tensor]) -> None:
        for parameter, weight in zip(self._weights, weights, strict=True):
            parameter.copy_(weight)

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` goes on from, beside the model's state, while it is applied."""
        return {"averaged": self._averaged, "weights": self._own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; the model has the weights that it had when the state was taken."""
        self._averaged = int(state["averaged"])
        if self._averaged:
            self._average = _copies(self._weights)
            self._set(state["weights"])


def _copies(weights: list[nn.Parameter]) -> list[Tensor]:
    return [weight.detach().clone() for weight in weights]
