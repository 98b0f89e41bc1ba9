"""The data of a RecBole script as ours, with the very instances that its loaders hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from recbole.data.dataloader import AbstractDataLoader

from recbole_finest.config.config import Config
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.prepare import Data, prepare
from recbole_finest.errors import UserError
from recbole_finest.seeding import Keys, mixed
from recbole_finest.train.mode import choose_training_mode

BLOCK = 8192  # histories compared at a time
EVERY_TARGET = {"target_stride": 1, "recent_only": False}  # as RecBole's loaders have them


def script_data(config: Config, train_data: Any, valid_data: Any = None) -> Data:
    """The data set of a script, loaded again over an interaction log.

    RecBole's instances have lost exact times and row ids, so that its files are read once more. The
    loaders say whether that gave the same instances. RecBole sorts histories by times in 32 bits; where
    its loaders differ from exact times, ``time_order`` becomes ``recbole``.

    Args:
        config: of :func:`own_config`.
        train_data, valid_data: loaders of RecBole's ``data_preparation``, or ours.

    Raises:
        UserError: they are no such loaders, or hold other instances than the files.
    """
    loaders = {"train_data": train_data}
    if valid_data is not None:
        loaders["valid_data"] = valid_data
    for name, loader in loaders.items():
        check_loader(name, loader)
    for order in dict.fromkeys([config["time_order"], "recbole"]):
        data = prepare(config.but(time_order=order, **EVERY_TARGET))
        why = _difference(data, loaders)
        if why is None:
            return _with_mode(data, config.but(time_order=order))
    raise UserError(
        f"{why}; finetune reads the files in '{config['data_path']}' again, so give the loaders that "
        "create_dataset and data_preparation make of them, and write a data set that the script has "
        "changed into files of its own"
    )


def check_loader(name: str, loader: object) -> None:
    """Refuse what is no loader of RecBole's, by the name of the argument."""
    if not isinstance(loader, AbstractDataLoader):
        raise UserError(
            f"{name} is of type {type(loader).__name__}; give one of the three loaders that RecBole's "
            "data_preparation(config, dataset) returns"
        )


def _with_mode(data: Data, config: Config) -> Data:
    """The data under ``config``, which says which instances are trained on, and how."""
    chosen = any(config[name] != value for name, value in EVERY_TARGET.items())
    data = prepare(config) if chosen else data.but(**{n: config[n] for n in EVERY_TARGET})
    if config["time_order"] == "recbole":
        data.dataset.logger.warning(
            "train_data has its histories in the order of times in 32 bits, as RecBole sorts them, which "
            "is not that of exact times; this order is kept (time_order=recbole)"
        )
    why_not = choose_training_mode(data)
    data.dataset.logger.info(f"training mode {'instance' if why_not else 'packed'}")
    return data


def _difference(data: Data, loaders: Mapping[str, Any]) -> str | None:
    """In which of their instances loaders differ from the data; None where in none."""
    parts = {"train_data": data.train, "valid_data": data.valid}
    for name, loader in loaders.items():
        why = _of_part(parts[name], loader._dataset)
        if why is not None:
            return f"{name} has {why} than data set '{data.config['dataset']}' in its files"
    return None


def _of_part(ours: LogDataset, theirs: Any) -> str | None:
    fields, mine = ours.fields, ours.inter_feat
    for what, field in (("users", fields.user), ("items", fields.item)):
        if not np.array_equal(ours.field2id_token[field], theirs.field2id_token.get(field)):
            return f"other {what}, or other ids of them,"
    given = theirs.inter_feat
    names = [fields.user, fields.item, fields.length, fields.item_list]
    if any(name not in given.columns for name in names):
        return "other columns"
    if len(given) != len(mine):
        return f"another number of instances ({len(given)} instead of {len(mine)})"
    columns = {name: given[name] for name in names}
    one = _keys(mine.batch, names, len(mine))
    other = _keys(lambda rows: {n: c[rows] for n, c in columns.items()}, names, len(mine))
    return None if np.array_equal(one, other) else "other histories"


def _keys(batch: Callable[[np.ndarray], Any], names: list[str], n: int) -> Keys:
    """Keys of all ``n`` instances, in ascending order, that depend on the values of these fields."""
    found = [np.zeros(0, np.uint64)]
    for first in range(0, n, BLOCK):
        part = batch(np.arange(first, min(first + BLOCK, n)))
        columns = np.column_stack([part[name].numpy() for name in names]).astype(np.uint64)
        keys = np.zeros(len(columns), np.uint64)
        for column in columns.T:
            keys = mixed(keys ^ column)
        found.append(keys)
    return np.sort(np.concatenate(found))
