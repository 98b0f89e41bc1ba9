"""Adversarial training on the item embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from recbole_finest.errors import UserError
from recbole_finest.method.base import Method, Recompute, Step

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

# Tables that may happen to have as many rows as there are items, by a part of their names.
NO_ITEMS = ("user", "position", "interval", "entity", "feature")


class Adversarial(Method):
    """Next-item loss plus the same loss where the item embeddings are moved to make it worse.

    ``L(θ) + weight · L(θ + Δ)`` with ``Δ_i = epsilon · g_i / |g_i|`` for the row i of every item
    embedding table and ``g = ∂L/∂θ``, a constant: the fast gradient method as adversarial personalised
    ranking uses it (He et al., SIGIR 2018, arXiv 1808.03908, eq. 6 and 8), with the model's own next-item
    loss in place of the pairwise one and user embeddings left alone. Both losses see the same dropout
    masks. A step costs two forward and about three backward passes. Reads ``adversarial_weight``, by
    default the paper's 1, and ``adversarial_epsilon``, by default not the paper's 0.5 (docs/methods.md).
    """

    needs_recompute = True
    reads = ("adversarial_weight", "adversarial_epsilon")

    def __init__(self, config: Config):
        super().__init__(config)
        self.weight = config["adversarial_weight"]
        self.epsilon = config["adversarial_epsilon"]

    def check(self, model: Any) -> None:
        item_tables(model)

    def loss(self, step: Step) -> Tensor:
        if step.recompute is None:
            raise ValueError("this step cannot be computed again; it was made without recompute")
        tables = item_tables(step.model)
        gradients = torch.autograd.grad(
            step.next_item_loss, list(tables.values()), retain_graph=True, allow_unused=True
        )
        moved = {
            f"model.{name}": table + worst_move(gradient, self.epsilon, step.model.n_items)
            for (name, table), gradient in zip(tables.items(), gradients)
            if gradient is not None
        }
        again = functional_call(_LossOf(step.model, step.recompute), moved, ())
        return step.next_item_loss + self.weight * again


class _LossOf(nn.Module):
    """A loss of a model as a module around it, so that the model's weights can be swapped."""

    def __init__(self, model: nn.Module, loss: Recompute):
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self) -> Tensor:
        return self.loss()


def worst_move(gradient: Tensor, epsilon: float, n_items: int) -> Tensor:
    """The move of length ``epsilon`` along every item's gradient, ``[rows, d]``.

    Rows that are no items (padding in front, a mask token behind) and rows without a gradient stay.
    """
    move = epsilon * F.normalize(gradient.float(), dim=1).to(gradient.dtype)
    move[0] = 0
    move[n_items:] = 0
    return move


def item_tables(model: Any) -> dict[str, Tensor]:
    """The trained item embeddings of a model, ``[n_items (+ 1), d]``, by the names of the weights.

    These are its ``nn.Embedding`` tables with one row an item (BERT4Rec and S3Rec have one more for the
    mask), wider than a bias, that are not named after something else.

    Raises:
        UserError: it has none.
    """
    sizes = (model.n_items, model.n_items + 1)
    found = {
        f"{name}.weight": module.weight
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding)
        and module.num_embeddings in sizes
        and module.embedding_dim > 1
        and module.weight.requires_grad
        and not any(word in name.lower() for word in NO_ITEMS)
    }
    if not found:
        raise UserError(
            f"method adversarial moves the rows of an item embedding table, but model "
            f"'{type(model).__name__}' trains no nn.Embedding with {model.n_items} rows (one an item); "
            "leave adversarial out of the methods, or choose another model"
        )
    return found
