"""RecBole's own data sets and loaders beside ours, for proofs that they give the same batches."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.data.dataloader import TrainDataLoader
from recbole.data.dataset import SequentialDataset
from recbole.data.interaction import Interaction
from recbole.data.utils import create_samplers, get_dataloader

from recbole_finest.config.config import Config
from recbole_finest.data.dataset import create_dataset
from recbole_finest.data.instances import KEY_FIELD, ROW_FIELD
from recbole_finest.data.tables import TableDataset

OURS_ONLY = {ROW_FIELD, KEY_FIELD}


def write_atomic(path: Path, columns: dict[str, Sequence[Any]]) -> None:
    """Write ``{"name:type": values}`` as a RecBole atomic file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in zip(*columns.values()))]
    path.write_text("\n".join(lines) + "\n")


def words(rng: np.random.Generator, n: int) -> list[str]:
    """Between one and three words for each row, some rows without any."""
    return [" ".join(f"w{w}" for w in rng.integers(0, 9, rng.integers(0, 4))) for _ in range(n)]


def numbers(rng: np.random.Generator, n: int) -> list[str]:
    """Between one and three numbers for each row."""
    return [" ".join(f"{x:.3f}" for x in rng.random(rng.integers(1, 4))) for _ in range(n)]


def write_rich(
    folder: Path, seed: int = 0, users: int = 23, items: int = 17, in_order: bool = False
) -> Path:
    """Write the data set ``rich``, with every type of feature, of interactions, items and users.

    Times are whole numbers that 32 bits hold, no two the same; rows are shuffled, or ``in_order`` of
    user and time. Some users have one interaction. Returns ``folder``, for ``data_path``.
    """
    rng = np.random.default_rng(seed)
    user = rng.permutation(np.repeat(np.arange(users), rng.integers(1, 14, users)))
    n = len(user)
    time = rng.permutation(n * 3)[:n] + 1_000_000
    if in_order:
        order = np.lexsort((time, user))
        user, time = user[order], time[order]
    path = folder / "rich" / "rich"
    inter = {
        "user_id:token": [f"u{u}" for u in user],
        "item_id:token": [f"i{i}" for i in rng.integers(0, items, n)],
        "rating:float": rng.integers(1, 6, n),
        "timestamp:float": time,
        "device:token": [f"d{d}" for d in rng.integers(0, 4, n)],
        "tags:token_seq": words(rng, n),
        "weather:float_seq": numbers(rng, n),
    }
    write_atomic(path.with_suffix(".inter"), inter)
    item = {
        "item_id:token": [f"i{i}" for i in range(items)],
        "class:token_seq": words(rng, items),
        "brand:token": [f"b{b}" for b in rng.integers(0, 5, items)],
        "price:float": [f"{p:.2f}" for p in rng.random(items)],
    }
    write_atomic(path.with_suffix(".item"), item)
    age = {
        "user_id:token": [f"u{u}" for u in range(users)],
        "age:float": rng.integers(9, 99, users),
    }
    write_atomic(path.with_suffix(".user"), age)
    write_graph(path, rng, items)
    return folder


def write_graph(path: Path, rng: np.random.Generator, items: int) -> None:
    """Write a knowledge graph of the items, with vectors of its entities."""
    link = {
        "item_id:token": [f"i{i}" for i in range(items)],
        "entity_id:token": [f"e{i}" for i in range(items)],
    }
    write_atomic(path.with_suffix(".link"), link)
    graph = {
        "head_id:token": [f"e{e}" for e in rng.integers(0, items, 60)],
        "relation_id:token": [f"r{r}" for r in rng.integers(0, 3, 60)],
        "tail_id:token": [f"e{e}" for e in rng.integers(0, items + 9, 60)],
    }
    write_atomic(path.with_suffix(".kg"), graph)
    vectors = {
        "ent_id:token": [f"e{e}" for e in range(items + 9)],
        "ent_emb:float_seq": [
            " ".join(f"{x:.3f}" for x in rng.random(4)) for _ in range(items + 9)
        ],
    }
    write_atomic(path.with_suffix(".ent"), vectors)


def settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """Settings of a small data set in ``folder``, every column loaded, with ``changes``."""
    base = {
        "data_path": str(folder),
        "load_col": None,
        "MAX_ITEM_LIST_LENGTH": 5,
        "train_batch_size": 32,
        "eval_batch_size": 16,
        "show_progress": False,
        "state": "WARNING",
    }
    return base | changes


def seed_all(seed: int = 0) -> None:
    """The global generators, from which RecBole draws."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def stock_dataset(config: Any) -> Any:
    """RecBole's data set for the configured model, its tables read as pandas 2 does."""
    module = import_module("recbole.data.dataset")
    found = getattr(module, f"{config['model']}Dataset", SequentialDataset)
    made = type(found.__name__, (TableDataset, found), {})(config)
    made.__class__ = found
    return made


def stock_parts(config: Config) -> tuple[Any, list[Any], tuple]:
    """RecBole's data set for the configured model, its parts and its samplers."""
    seed_all()
    whole = stock_dataset(config)
    parts = whole.build()
    return whole, parts, create_samplers(config, whole, parts)


def our_parts(config: Config) -> tuple[Any, list[Any], tuple]:
    """The same, ours."""
    seed_all()
    whole = create_dataset(config)
    parts = whole.build()
    return whole, parts, create_samplers(config, whole, parts)


def stock_loader(config: Config, part: Any, sampler: Any, phase: str = "train") -> Any:
    """RecBole's loader of a part."""
    shuffle = phase == "train" and config["shuffle"]
    kind = TrainDataLoader if phase == "train" else get_dataloader(config, phase)
    return kind(config, part, sampler, shuffle=shuffle)


def batches(loader: Any, seed: int = 1) -> list[Any]:
    """One epoch; the global generators start from ``seed``."""
    seed_all(seed)
    return list(loader)


def assert_same_batch(ours: Any, stock: Any, but: Collection[str] = ()) -> None:
    """Fields, shapes, types and values are the same, but for what only ours has.

    ``but`` names fields that differ in their values.
    """
    if isinstance(stock, tuple):
        assert len(ours) == len(stock)
        for one, other in zip(ours, stock):
            assert_same_batch(one, other, but)
    elif isinstance(stock, Interaction):
        assert set(ours.columns) - OURS_ONLY == set(stock.columns) - OURS_ONLY
        assert len(ours) == len(stock)
        for name in set(stock.columns) - set(but):
            assert_same_batch(ours[name], stock[name])
    elif isinstance(stock, torch.Tensor):
        assert ours.dtype == stock.dtype
        assert ours.shape == stock.shape
        assert torch.equal(ours, stock)
    else:
        assert ours is None and stock is None


def assert_same_epoch(ours: Any, stock: Any, but: Collection[str] = ()) -> None:
    """Two loaders give the same batches in the same order; at least one."""
    one, other = batches(ours), batches(stock)
    assert len(one) == len(other) == len(ours) == len(stock) > 0
    for mine, theirs in zip(one, other):
        assert_same_batch(mine, theirs, but)
