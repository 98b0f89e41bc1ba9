"""The logits that a model's loss is computed from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.scoring.modes import packed, shallow


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
