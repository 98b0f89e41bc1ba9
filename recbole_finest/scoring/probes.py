"""What a few instances tell of a model: what one forward pass serves, and what its loss is a mean over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor, nn

from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.share import STAND_IN
from recbole_finest.scoring.logits import loss_logits
from recbole_finest.scoring.modes import evaluating, packed, shallow
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.seeding import global_streams, replayed

ROW_LOSSES = (nn.CrossEntropyLoss, nn.NLLLoss)  # of one [N, n_items] matrix and N targets


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


def why_not_all_positions(
    model: SequentialRecommender, windows: Interaction, single: Interaction, tolerance: float = 0.0
) -> str | None:
    """Why one pass over ``windows`` does not give every position the score of its own history; or None.

    The test of causality: a model whose past scores depend on the future fails it, and so does one
    whose encoder does not end in ``gather_indexes``. Draws nothing from the global generators.

    Args:
        model: the model.
        windows: a packed batch of whole histories (no longer than one window).
        single: the ordinary batch of the same N instances, in the same order.
        tolerance: difference that counts as rounding, as a share of the largest score.
    """
    if not isinstance(getattr(model, "loss_fct", None), nn.CrossEntropyLoss):
        return "the model's loss is no cross-entropy (nn.CrossEntropyLoss as loss_fct)"
    with (
        torch.no_grad(),
        evaluating(model),
        loss_logits(model) as caught,
        replayed(global_streams()),
    ):
        try:
            with packed(model, windows):
                loss = model.calculate_loss(shallow(windows))
        except KeyError as error:
            return f"the model reads the field {error}, which a batch of windows does not have"
        except (RuntimeError, IndexError, ValueError, TypeError, AttributeError) as error:
            return f"a pass over whole windows fails ({_first_line(error)})"
        loss_single = model.calculate_loss(shallow(single))
    if len(caught) != 2 or caught[0].shape != caught[1].shape:
        return "one pass does not score every position of a window once"
    rounding = max(1e-5, tolerance * float(caught[1].abs().max()))
    if torch.allclose(caught[0], caught[1], rtol=1e-4, atol=rounding) and torch.allclose(
        loss, loss_single, rtol=1e-4, atol=rounding
    ):
        return None
    return "one pass does not give every position the score of its own history (causality test)"


def _first_line(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:200]


def compares_draws(model: SequentialRecommender, batch: Interaction) -> bool:
    """Whether a model's loss sends the same input through the same part twice, so that dropout tells apart.

    DuoRec and FEARec contrast two such views; without dropout both are the same. Found out in training
    mode, in which some compute that part of their loss alone; draws nothing from the global generators.

    Args:
        model: with any weights; its buffers stay as they are.
        batch: a few instances on the model's device.
    """
    seen: dict[int, list[list[Tensor]]] = {}
    found: list[list[Tensor]] = []

    def note(part: object, given: Iterable[Any]) -> None:
        inputs = [one.detach().clone() for one in given if isinstance(one, Tensor)]
        earlier = seen.setdefault(id(part), [])
        found.extend(one for one in earlier if _equal(one, inputs))
        earlier.append(inputs)

    def forward(*args: Any, **named: Any) -> Any:
        note(model, [*args, *named.values()])
        return own(*args, **named)

    def hook(part: nn.Module, args: Any, named: dict[str, Any]) -> None:
        note(part, [*args, *named.values()])

    parts = [m for m in model.modules() if m is not model and _drops(m)]
    if not parts:
        return False
    handles = [m.register_forward_pre_hook(hook, with_kwargs=True) for m in parts]
    own, training = model.forward, model.training
    buffers = {name: one.clone() for name, one in model.named_buffers()}
    model.forward = forward
    try:
        with torch.no_grad(), packed(model.train(), batch), replayed(global_streams()):
            model.calculate_loss(shallow(batch))
    finally:
        del model.forward  # the class's again
        for handle in handles:
            handle.remove()
        model.train(training)
        for name, one in model.named_buffers():
            one.copy_(buffers[name])
    return bool(found)


def _drops(module: nn.Module) -> bool:
    """Whether a module, or one within it, is a dropout layer that drops something."""
    return any(
        getattr(m, "p" if isinstance(m, nn.modules.dropout._DropoutNd) else "dropout", 0) > 0
        for m in module.modules()
        if isinstance(m, (nn.modules.dropout._DropoutNd, nn.RNNBase))
    )


def _equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) > 0 and all(map(torch.equal, one, other))


def loss_is_mean(
    model: SequentialRecommender, whole: Interaction, parts: Sequence[Interaction]
) -> bool:
    """Whether a model's loss over a batch is the mean of its instances' losses.

    Computed in evaluation mode, from the same random streams for each. A model with batch normalisation
    needs the whole batch at once, whatever its loss.

    Args:
        model: with any weights.
        whole: a batch on the model's device.
        parts: batches that it can be cut into.
    """
    if has_batch_norm(model):
        return False
    streams = global_streams()
    (loss, n), *found = [_loss(model, batch, streams) for batch in (whole, *parts)]
    total = sum(m for _, m in found)
    mean = sum(value * m for value, m in found) / max(total, 1)
    return 0 < n == total and abs(mean - loss) <= 1e-4 * abs(loss) + 1e-6


def has_batch_norm(model: nn.Module) -> bool:
    """Whether a model normalises over a batch."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())


def _loss(
    model: SequentialRecommender, batch: Interaction, streams: tuple[Any, ...]
) -> tuple[float, int]:
    with torch.no_grad(), evaluating(model), packed(model, batch), replayed(streams):
        found = model.calculate_loss(shallow(batch))
    parts = found if isinstance(found, tuple) else (found,)
    return sum(float(part) for part in parts), int(rows_of_loss(model, batch).sum())


def rows_of_loss(model: nn.Module, batch: Interaction) -> np.ndarray:
    """What a model's loss is the mean over, of each instance ``[N]``: 1, or BERT4Rec's masked positions.

    These are also its rows of scores. A stand-in has none.
    """
    rows = batch[ROW_FIELD]
    masked = getattr(model, "MASK_INDEX", None)
    if int(rows[0]) == STAND_IN:
        return np.zeros(len(rows), np.int64)
    if masked is not None and masked in batch:
        return (batch[masked] > 0).sum(1).cpu().numpy()
    return np.ones(len(rows), np.int64)
