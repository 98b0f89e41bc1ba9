"""The logits that a model's loss is computed from, caught where they go in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor, nn

from recbole_finest.scoring.modes import packed, shallow


@contextmanager
def inputs_of(model: nn.Module, name: str) -> Iterator[list[Tensor]]:
    """What a part of the model is called with inside the block; nothing where it is no module."""
    caught: list[Tensor] = []
    part = getattr(model, name, None)
    if not isinstance(part, nn.Module):
        yield caught
        return
    handle = part.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
    try:
        yield caught
    finally:
        handle.remove()


def loss_logits(model: nn.Module) -> AbstractContextManager[list[Tensor]]:
    """The logits that ``model.loss_fct`` is called with inside the block, ``[N, n_items]`` each."""
    return inputs_of(model, "loss_fct")


class _Reached(Exception):
    """The loss was reached; carries its input."""


def logits_alone(model: SequentialRecommender, interaction: Interaction) -> Tensor:
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
