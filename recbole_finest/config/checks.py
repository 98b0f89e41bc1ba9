"""What ``Config`` refuses beside single values: unknown names, and settings that do not go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from recbole.evaluator.register import metric_types, metrics_dict
from recbole.utils import EvaluatorType

from recbole_finest.data.requirements import LOSSES, USUAL
from recbole_finest.errors import UserError, nearest
from recbole_finest.evaluator.measures import MEASURES
from recbole_finest.method import find_method

AT_MOST = (  # the first of two settings is at most the second
    ("packed_stride", "MAX_ITEM_LIST_LENGTH"),
    ("short_item_length", "MAX_ITEM_LIST_LENGTH"),
    ("high_order", "MAX_ITEM_LIST_LENGTH"),
    ("order_len", "MAX_ITEM_LIST_LENGTH"),
    ("interest_size", "prototype_size"),
    ("r_min", "r_max"),
)
TRANSFORMS = {  # the setting that each of RecBole's transforms reads
    "mask_itemseq": "mask_ratio",
    "crop_itemseq": "eta",
    "reorder_itemseq": "beta",
}


def check_gpus(processes: int, gpu_id: str) -> None:
    """Refuse more processes than there are GPUs to choose from."""
    if torch.cuda.device_count() < processes:
        raise UserError(
            f"{processes} processes need as many GPUs, but gpu_id is '{gpu_id}', of which "
            f"{torch.cuda.device_count()} can be used; name more, start fewer processes, or give an empty "
            "gpu_id to train on CPUs"
        )


def check_devices(gpu_id: str) -> None:
    """Refuse GPUs that are not there; the default's number means the CPU where there is none at all."""
    named = [part for part in gpu_id.split(",") if part.strip() not in ("", "None", "-1")]
    there = torch.cuda.device_count()
    if len(named) > there and not (gpu_id == "0" and there == 0):
        raise UserError(
            f"gpu_id is {gpu_id!r}, of which PyTorch finds {there} on this machine; name GPUs that "
            "nvidia-smi lists, or give an empty gpu_id to train on the CPU"
        )


def check_metrics(names: Sequence[str]) -> None:
    """Refuse a metric that is not in RecBole's registry, ours included, or that ranks nothing."""
    known = {metric.__name__.lower(): metric.__name__ for metric in metrics_dict.values()}
    for name in names:
        if name.lower() not in known:
            raise UserError(f"metrics names '{name}', which does not exist; {nearest(name, known)}")
        if metric_types[name.lower()] != EvaluatorType.RANKING:
            raise UserError(
                f"metrics names '{name}', which is not measured on rank lists; use others, such as NDCG"
            )


def check_method(name: str) -> None:
    """Refuse one of ``baselines`` that does not exist, or that cannot be imported."""
    try:
        find_method(name)
    except UserError as error:
        raise UserError(f"baselines names {name!r}: {error}") from error


def check_validation(config: Mapping[str, Any]) -> None:
    """Refuse, for a base that is to be trained, a ``valid_metric`` that needs lists to compare with."""
    metric = config["valid_metric"].partition("@")[0]
    if metric.lower() in MEASURES:
        raise UserError(
            f"valid_metric is {config['valid_metric']!r}, a measure of stability, which has nothing to "
            "compare with while base is trained; choose one of accuracy, such as NDCG@10"
        )


def check_together(final: Mapping[str, Any], own: bool) -> None:
    """Refuse settings that are right alone but not together.

    Args:
        final: all settings.
        own: whether the model is of the user's own, whose settings may mean something else.
    """
    for less, more in AT_MOST if not own else AT_MOST[:1]:
        if None not in (final.get(less), final.get(more)) and final[less] > final[more]:
            raise UserError(f"{less} is {final[less]}, but must not exceed {more} ({final[more]})")
    _check_transform(final)
    evaluation, negatives = final["eval_args"], final.get("train_neg_sample_args")
    if evaluation["order"] != "TO" and not final.get("benchmark_filename"):
        raise UserError(
            f"eval_args is {evaluation}, but its order must be TO, as for every sequential model"
        )
    if negatives and negatives.get("dynamic") and not negatives.get("candidate_num"):
        raise UserError(
            f"train_neg_sample_args is {negatives}, but dynamic needs a candidate_num of at least 1"
        )
    if not own:
        _check_model(final)


def _check_transform(final: Mapping[str, Any]) -> None:
    needed = TRANSFORMS.get(final.get("transform") or "")
    if needed and final.get(needed) is None:
        raise UserError(
            f"transform is {final['transform']!r}, which reads {needed}; leave transform out, or give "
            f"{needed} in a config file"
        )


def _check_model(final: Mapping[str, Any]) -> None:
    """The heads of attention and the facets of the models that have them."""
    width = "hidden_size" if "hidden_size" in final else "embedding_size"
    if "n_heads" in final and final[width] % final["n_heads"]:
        raise UserError(f"n_heads is {final['n_heads']}, but must divide {width} ({final[width]})")
    if "n_facet_all" in final:
        partitions = len(str(final["reranker_CAN_NUM"]).split(","))
        parts = final["n_facet"] + final["n_facet_context"] + final["n_facet_emb"]
        wanted = parts + final["n_facet_reranker"] * partitions
        if final["n_facet_all"] != wanted:
            raise UserError(
                f"n_facet_all is {final['n_facet_all']}, but must be {wanted}: n_facet + n_facet_context + "
                f"n_facet_emb + n_facet_reranker of each of {partitions} partitions"
            )


def needs_negatives(model_class: type, loss_type: str | None) -> bool:
    """Whether a model trained with this loss reads negative samples."""
    if loss_type in ("BPR", "BCE"):
        return True
    if loss_type in ("CE", "NLL"):
        return False
    return getattr(model_class, "input_type", None) is not None


def draws_none(negatives: object) -> bool:
    """Whether ``train_neg_sample_args`` says in one of RecBole's words that there are no negatives."""
    if isinstance(negatives, dict):
        return negatives.get("distribution", "") in (None, "None", "none")
    return negatives in (None, "None")


def check_loss(model_class: type, final: Mapping[str, Any], own: bool) -> None:
    """Refuse settings that the loss cannot be computed with, or that only pre-train the model.

    Args:
        model_class: the model.
        final: all settings.
        own: whether the model is of the user's own, which may have any loss.
    """
    loss, negatives = final.get("loss_type"), final.get("train_neg_sample_args")
    if draws_none(negatives):
        negatives = None
    losses = () if own else LOSSES.get(model_class.__name__, USUAL)
    if losses and loss is not None and loss not in losses:
        raise UserError(
            f"loss_type is {loss!r}, but {model_class.__name__} is trained with {' or '.join(losses)} only"
        )
    if loss == "BPR" and negatives is None:
        raise UserError(
            "loss_type is BPR, which needs negative samples; leave train_neg_sample_args out"
        )
    if losses and loss in ("CE", "NLL") and negatives is not None:
        raise UserError(
            f"loss_type is {loss}, which takes no negative samples; leave train_neg_sample_args out"
        )
    if final.get("train_stage", "finetune") != "finetune":
        raise UserError(
            f"train_stage is {final['train_stage']!r}, but a run does both stages; leave it out, or "
            "give pre_model_path to start from pre-trained weights"
        )
