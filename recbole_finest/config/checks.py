"""What ``Config`` refuses beside single values: unknown names, and settings that do not go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from recbole.evaluator.register import metrics_dict

from recbole_finest.config.settings import check_values
from recbole_finest.data.requirements import LOSSES
from recbole_finest.errors import UserError, nearest


def check_gpus(processes: int, gpu_id: str) -> None:
    """Refuse more processes than there are GPUs to choose from."""
    if torch.cuda.device_count() < processes:
        raise UserError(
            f"{processes} processes need as many GPUs, but gpu_id is '{gpu_id}', of which "
            f"{torch.cuda.device_count()} can be used; name more, start fewer processes, or give an empty "
            "gpu_id to train on CPUs"
        )


def check_metrics(names: Any) -> None:
    """Refuse a metric that is not in RecBole's registry, ours included."""
    check_values({"metrics": names})
    known = {metric.__name__.lower(): metric.__name__ for metric in metrics_dict.values()}
    for name in names:
        if name.lower() not in known:
            raise UserError(f"metrics names '{name}', which does not exist; {nearest(name, known)}")


def check_name(setting: str, value: Any, table: Mapping[str, Any]) -> None:
    """Refuse a value that the table does not hold, with the nearest one that it does."""
    if value not in table:
        raise UserError(
            f"{setting} is {value!r}, which does not exist; {nearest(value, list(table))}"
        )


def needs_negatives(model_class: type, loss_type: str | None) -> bool:
    """Whether a model trained with this loss reads negative samples."""
    if loss_type in ("BPR", "BCE"):
        return True
    if loss_type in ("CE", "NLL"):
        return False
    return getattr(model_class, "input_type", None) is not None


def draws_none(negatives: Any) -> bool:
    """Whether ``train_neg_sample_args`` says in one of RecBole's words that there are no negatives."""
    if isinstance(negatives, dict):
        return negatives.get("distribution", "") in (None, "None", "none")
    return negatives in (None, "None")


def check_loss(model_class: type, final: Mapping[str, Any]) -> None:
    """Refuse settings that the loss cannot be computed with, or that only pre-train the model."""
    loss, negatives = final.get("loss_type"), final.get("train_neg_sample_args")
    if draws_none(negatives):
        negatives = None
    losses = LOSSES.get(model_class.__name__)
    if losses and loss not in losses:
        raise UserError(
            f"loss_type is {loss!r}, but {model_class.__name__} is trained with {' or '.join(losses)} only"
        )
    if loss == "BPR" and negatives is None:
        raise UserError(
            "loss_type is BPR, which needs negative samples; leave train_neg_sample_args out"
        )
    if losses and loss != "BPR" and negatives is not None:
        raise UserError(
            f"loss_type is {loss}, which takes no negative samples; leave train_neg_sample_args out"
        )
    if final.get("train_stage", "finetune") != "finetune":
        raise UserError(
            f"train_stage is {final['train_stage']!r}, but a run does both stages; leave it out, or "
            "give pre_model_path to start from pre-trained weights"
        )
