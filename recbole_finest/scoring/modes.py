"""How a model is called: in evaluation mode, on packed batches, on a batch that it may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import nn

from recbole_finest.data.instances import KEY_FIELD
from recbole_finest.data.packed import POSITION_FIELD
from recbole_finest.scoring.dropout import RowDraws
from recbole_finest.scoring.packed_scoring import PackedScoring, packable


def shallow(interaction: Interaction) -> Interaction:
    """A copy that may get more fields, as FEARec adds, and lengths changed in place, as HRM does."""
    return Interaction(
        {k: v.clone() if v.dim() == 1 else v for k, v in interaction.interaction.items()}
    )


@contextmanager
def packed(model: SequentialRecommender, interaction: Interaction) -> Iterator[None]:
    """Score the positions that a packed batch names; without any, one a row as ever.

    A model that RecBole made can do so inside the block, too. Dropout is drawn for each row from its key,
    where the batch has keys.
    """
    index = interaction[POSITION_FIELD] if POSITION_FIELD in interaction else None
    given: Any = type(model)
    if not isinstance(model, PackedScoring):
        model.__class__ = packable(given)
    model.packed_index = index
    keyed = [m for m in model.modules() if hasattr(m, "rows")] if model.training else []
    if keyed and KEY_FIELD in interaction:
        keys = interaction[KEY_FIELD].cpu().numpy().view(np.uint64)
        draws = RowDraws(keys, int(torch.randint(2**62, ())))
        for layer in keyed:
            layer.rows = draws
    try:
        yield
    finally:
        model.__class__ = given
        vars(model).pop("packed_index", None)  # the class has None
        for layer in keyed:
            layer.rows = None


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
