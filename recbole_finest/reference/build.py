"""Reference lists of a trained model, streamed block by block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from recbole_finest.config.config import Config
from recbole_finest.config.from_recbole import own_config
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.packed import packed_batch
from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError, writes
from recbole_finest.model.average import AverageModel
from recbole_finest.parallel import distributed
from recbole_finest.reference import kept
from recbole_finest.reference.lists import Block, ReferenceLists, reference_k
from recbole_finest.scoring.logits import logits_alone
from recbole_finest.scoring.packed_scoring import class_of
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.seeding import derive_seed, seed_globals


def reference_lists(
    config: Config, data: Data, model: nn.Module, folder: str | Path, keep_scores: bool = False
) -> ReferenceLists:
    """Reference lists of a trained model, ``reference_k`` deep, for all clean training instances.

    Args:
        config: our Config, or that of a RecBole script.
        data: of :func:`recbole_finest.prepare_data`.
        model: the trained model.
        folder: where the lists are kept, memory-mapped; made when missing.
        keep_scores: keep the model's scores of the lists too, as distillation needs them.

    Raises:
        UserError: an explicit ``reference_k`` that the items do not allow, or ``data`` is RecBole's.
    """
    if not isinstance(data, Data):
        raise UserError(
            f"data is of type {type(data).__name__}; give what recbole_finest.prepare_data(config) "
            "returns, or use recbole_finest.finetune, which takes the loaders of a RecBole script"
        )
    config = own_config(config, class_of(model))
    k = reference_k(config, data.log.n_items, data.dataset.logger.warning)
    with writes(folder):
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
    return build_references(config, data, model, Path(folder), k, None, keep_scores)


def build_references(
    config: Config,
    data: Data,
    model: nn.Module,
    folder: Path,
    k: int,
    log: InteractionLog | None = None,
    keep_scores: bool = False,
    writes: bool = True,
    hidden: np.ndarray | None = None,
    reuse: bool = False,
) -> ReferenceLists:
    """Reference lists of a trained model for the training instances of a log.

    Args:
        config, data: of the run.
        model: the trained model.
        folder: where the lists are kept.
        k: K; a list has 2K items.
        log: the perturbed log, or None for the clean one.
        keep_scores: keep the model's scores of the lists too.
        writes: whether this process writes the files.
        hidden: items that no list holds, ``[h]``.
        reuse: take the lists that an interrupted run has built from the same.
    """
    log = data.log if log is None else log
    about = kept.about(config, data, model, log, k, keep_scores, hidden)
    spent = kept.earlier_seconds(folder, about) if reuse and writes else None
    if reuse and None not in distributed.gather(spent if writes else []):
        model.eval()
        return ReferenceLists.load(folder, spent or (0.0, 0.0))
    begin, worked = time.perf_counter(), time.process_time()
    lists = _build(config, data, model, folder, k, log, keep_scores, writes, hidden)
    if writes:
        spent = [time.perf_counter() - begin, time.process_time() - worked]
        kept.describe(folder, about, spent)
    return lists


def _build(
    config: Config,
    data: Data,
    model: nn.Module,
    folder: Path,
    k: int,
    log: InteractionLog,
    keep_scores: bool,
    writes: bool,
    hidden: np.ndarray | None,
) -> ReferenceLists:
    n = len(log.target_positions)
    rows = log.row[log.target_positions]
    blocks = _blocks(config, data, model, log, hidden)
    return ReferenceLists.build(
        tqdm(
            blocks, desc="Reference", ncols=100, disable=None if config["show_progress"] else True
        ),
        k,
        int((rows >= 0).sum()) if log is not data.log else n,
        log.n_clean,
        log.n_items,
        folder,
        keep_scores,
        writes,
    )


def _blocks(
    config: Config,
    data: Data,
    model: nn.Module,
    log: InteractionLog,
    hidden: np.ndarray | None = None,
) -> Iterator[Block]:
    """Row ids and scores of all training instances of ``log``, in blocks of bounded memory.

    Of several processes, each gets every ``world_size``-th block, from its rank on.
    """
    size = max(1, config["score_memory"] * 2**20 // (4 * log.n_items * 2))
    size = min(size, max(config["eval_batch_size"], 1))
    dropout = config["reference_source"] == "last_training_epoch"
    model.train(dropout)
    rank = [distributed.rank()] if distributed.world_size() > 1 else []
    seed_globals(derive_seed(config["seed"], "reference", *rank))
    make = _packed_blocks if data.packed else _instance_blocks
    with torch.no_grad():
        for rows, scores in make(config, data, model, log, size):
            scores = scores.float()
            scores[:, 0] = -torch.inf
            if hidden is not None:
                scores[:, torch.from_numpy(hidden)] = -torch.inf
            kept = np.flatnonzero(rows >= 0)
            if len(kept) < len(rows):
                rows, scores = rows[kept], scores[torch.from_numpy(kept)]
            yield rows, scores
    model.eval()


def _instance_blocks(
    config: Config, data: Data, model: nn.Module, log: InteractionLog, size: int
) -> Iterator[Block]:
    dataset = data.train.with_log(log)
    scorer = Scorer(model, dataset)
    transform = data.train_loader("reference").transform
    own = distributed.rank() * size, len(dataset), distributed.world_size() * size
    for first in range(*own):
        batch = dataset[np.arange(first, min(first + size, len(dataset)))]
        if config["transform"] == "inverse_itemseq":
            batch = transform(dataset, batch)
        yield batch[ROW_FIELD].numpy(), scorer.all_items(batch.to(config["device"]))


def _packed_blocks(
    config: Config, data: Data, model: Any, log: InteractionLog, size: int
) -> Iterator[Block]:
    loader: Any = data.train_loader("reference", log)
    windows, fields = loader.windows, data.train.fields
    ends = np.cumsum(windows.instances)
    parts = np.split(np.arange(len(windows)), np.flatnonzero(np.diff(ends // size)) + 1)
    for index in parts[distributed.rank() :: distributed.world_size()]:
        batch = packed_batch(log, fields, windows, index)
        sent = batch.to(config["device"])
        if isinstance(model, AverageModel):
            members = (logits_alone(member, sent)[:, : log.n_items] for member in model.members)
            yield batch[ROW_FIELD].numpy(), model.averaged(members)
            continue
        scores = logits_alone(model, sent)[:, : log.n_items]
        yield batch[ROW_FIELD].numpy(), scores
