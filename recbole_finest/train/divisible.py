"""Which models can be trained in several processes: those whose loss is a mean over instances."""

from __future__ import annotations

from typing import Any

from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.errors import UserError
from recbole_finest.scoring.probes import has_batch_norm, loss_is_mean


def check_divisible(config: Config, model: nn.Module, loader: Any) -> None:
    """Refuse a model whose loss over a batch is not the mean of its instances' losses.

    Args:
        config: the run's settings.
        model: with any weights.
        loader: the training loader; its ``probe`` gives a batch, whole or a share of it.

    Raises:
        UserError: with the reason.
    """
    why = why_not_divisible(config, model, loader)
    if why:
        raise UserError(
            f"model '{config['model']}' cannot be trained in several processes: {why}; leave out nproc "
            "and world_size"
        )


def why_not_divisible(config: Config, model: nn.Module, loader: Any) -> str | None:
    """Why a model cannot be trained in several processes; None where it can."""
    if "train_stage" in config and not config["pre_model_path"]:
        return "its pre-training is a sum over a batch (or give pre_model_path)"
    if has_batch_norm(model):
        return "its batch normalisation needs a whole batch at once"
    device = next(model.parameters()).device
    whole, *parts = [loader.probe(*part).to(device) for part in ((0, 1), (0, 2), (1, 2))]
    return (
        None
        if loss_is_mean(model, whole, parts)
        else "its loss is not a mean over the instances of a batch"
    )
