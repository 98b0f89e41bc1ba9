"""Changes as a file: ``perturbation.json``, in the data set's own tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recbole_finest.data.convert.atomic_file import PathLike, writing
from recbole_finest.data.log import TRAIN, InteractionLog
from recbole_finest.data.perturbation.changes import Changes, emptied_users, fingerprint
from recbole_finest.data.perturbation.content import read_content
from recbole_finest.data.perturbation.kinds import KINDS
from recbole_finest.errors import UserError

Tokens = np.ndarray | Sequence[str]


def save_changes(
    path: PathLike, changes: Changes, user_tokens: Tokens, item_tokens: Tokens, dataset: str
) -> None:
    """Write changes of a clean log as JSON, whole or not at all.

    Args:
        path: the file to write or replace; its folder is made where it is missing.
        changes: what ``perturb`` returned.
        user_tokens, item_tokens: token of each internal id.
        dataset: name of the data set.

    Raises:
        UserError: the changes are not of a clean log, or the file cannot be written.
    """
    if changes.inserted.any() or (changes.row != changes.position).any():
        raise UserError("only changes of a clean log can be saved, not those of a perturbed one")
    rows = zip(
        changes.row.tolist(),
        changes.user.tolist(),
        changes.item_before.tolist(),
        changes.item_after.tolist(),
        changes.time.tolist(),
    )
    content = {
        "dataset": dataset,
        "kind": changes.kind,
        "selection": changes.selection,
        "item_choice": changes.item_choice,
        "ratio": changes.ratio,
        "count": changes.count,
        "seed": changes.seed,
        "n_interactions": changes.n_interactions,
        "fingerprint": changes.fingerprint,
        "changes": [
            {
                "row": row,
                "user": str(user_tokens[user]),
                "item_before": str(item_tokens[before]) if before else None,
                "item_after": str(item_tokens[after]) if after else None,
                "time": time,
            }
            for row, user, before, after, time in rows
        ],
    }
    with writing(Path(path)) as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")


def load_changes(
    path: PathLike, log: InteractionLog, user_tokens: Tokens, item_tokens: Tokens, dataset: str
) -> Changes:
    """Read changes for the clean ``log`` that they were drawn for.

    Args:
        path: a file written by :func:`save_changes`.
        log: the clean log of the data set.
        user_tokens, item_tokens: token of each internal id.
        dataset: name of the data set.

    Raises:
        UserError: the file is missing or malformed, or belongs to another data set, other filters
            or another split.
    """
    content = read_content(Path(path), len(log))
    try:
        if content["dataset"] != dataset:
            raise UserError(
                f"'{path}' holds changes of data set '{content['dataset']}', not of '{dataset}'"
            )
        if content["fingerprint"] != fingerprint(log):
            raise UserError(
                f"'{path}' was made from other interactions of '{dataset}' (another fingerprint): "
                "use the same file, filters and split, or draw the changes again"
            )
        return _parse(content, log, user_tokens, item_tokens)
    except (ValueError, OverflowError) as error:
        raise UserError(f"'{path}' is no valid changes file: {error}") from error


def _parse(
    content: dict[str, Any], log: InteractionLog, user_tokens: Tokens, item_tokens: Tokens
) -> Changes:
    """The changes in ``content``, checked row by row; raises ValueError and the like."""
    kind, listed = content["kind"], content["changes"]
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    listed = sorted(listed, key=lambda change: change["row"])
    row = _rows([change["row"] for change in listed], log)
    ids = {str(token): index for index, token in enumerate(item_tokens) if index}

    def items(key: str) -> np.ndarray:
        return np.array(
            [0 if change[key] is None else _id(ids, change[key]) for change in listed], np.int64
        )

    before, after = items("item_before"), items("item_after")
    how = KINDS[kind]
    if ((before == 0) != (how.adds > 0)).any():
        raise ValueError("item_before must be null for an insertion, and only there")
    if ((after == 0) == how.needs_item).any():
        raise ValueError("item_after must be null for a deletion, and only there")
    for index, change in zip(row.tolist(), listed):
        if change["user"] != str(user_tokens[log.user[index]]) or change["time"] != log.time[index]:
            raise ValueError(f"row {index} has another user or time in the data set")
    if how.adds <= 0 and (before != log.item[row]).any():
        raise ValueError("an item_before is not that of its row in the data set")
    return Changes(
        position=row,
        row=row,
        inserted=np.zeros(len(row), bool),
        user=log.user[row].astype(np.int64),
        item_before=before,
        item_after=after,
        time=log.time[row],
        kind=kind,
        selection=content["selection"],
        item_choice=content["item_choice"],
        ratio=None if content["ratio"] is None else float(content["ratio"]),
        seed=content["seed"],
        n_interactions=len(log.train_positions),
        fingerprint=content["fingerprint"],
        emptied_users=emptied_users(log, row if how.adds < 0 else row[:0]).astype(np.int64),
    )


def _rows(rows: list[int], log: InteractionLog) -> np.ndarray:
    if any(not 0 <= row < len(log) or log.role[row] != TRAIN for row in rows):
        raise ValueError("a row is not a training interaction of the data set")
    if len(set(rows)) < len(rows):
        raise ValueError("a row is listed twice")
    return np.array(rows, np.int64)


def _id(ids: dict[str, int], token: object) -> int:
    if not isinstance(token, str) or token not in ids:
        raise ValueError(f"item {token!r} is not in the data set")
    return ids[token]
