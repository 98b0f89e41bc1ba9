"""What a model needs of a data set; one that lacks it is refused before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbole_finest.errors import UserError, shown

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

# Atomic files beside .inter, and what is in them.
FILES = {
    "GRU4RecKG": ("kg", "link", "ent"),
    "KSR": ("kg", "link", "ent", "rel"),
}
MEANING = {
    "kg": "the knowledge graph",
    "link": "items to entities",
    "ent": "entity vectors",
    "rel": "relation vectors",
}
# Models with other losses than RecBole's usual two. RepeatNet reads it nowhere, and would
# take negative samples for targets; the CPR models end the program.
LOSSES = {
    "CORE": ("CE",),
    "DIEN": ("BCE",),
    "DIN": ("BCE",),
    "FPMC": ("BPR",),
    "GRU4RecCPR": ("CE",),
    "RepeatNet": ("CE", "NLL"),
    "SASRecCPR": ("CE",),
    "SINE": ("BPR", "CE", "NLL"),
    "TransRec": ("BPR",),
}
USUAL = ("BPR", "CE")
CANDIDATES = "reranker_CAN_NUM"  # GRU4RecCPR and SASRecCPR: sizes of their rerankers' partitions


def item_features(config: Config | Mapping[str, Any]) -> list[str]:
    """Columns of the ``.item`` file that the model reads, from a Config or a dict of settings."""
    given = [config[name] for name in ("selected_features", "item_attribute") if name in config]
    names: list[str] | str = next(filter(None, given), [])
    return [names] if isinstance(names, str) else list(names)


def check_files(config: Config, path: str | Path, token: str) -> None:
    """Refuse a data set that lacks one of the model's files.

    Raises:
        UserError: naming the files.
    """
    for suffix in FILES.get(config["model"], ()):
        file = Path(path) / f"{token}.{suffix}"
        if not file.is_file():
            wanted = ", ".join(f".{s} ({MEANING[s]})" for s in FILES[config["model"]])
            raise UserError(
                f"model '{config['model']}' needs the files {wanted} beside .inter, but '{file}' does "
                "not exist; put it there or choose another model"
            )


def check_features(config: Config, item_columns: Any, path: str | Path, token: str) -> None:
    """Refuse a data set that lacks one of the item features that the model reads.

    Args:
        config: the run's settings.
        item_columns: columns loaded from ``.item``, or None.
        path, token: folder and name of the data set.

    Raises:
        UserError: naming the feature, the file and the setting.
    """
    missing = [f for f in item_features(config) if item_columns is None or f not in item_columns]
    if not missing:
        return
    setting = "selected_features" if config["selected_features"] else "item_attribute"
    file = Path(path) / f"{token}.item"
    problem = f"has no such column that load_col loads (item: {_listed(item_columns)})"
    if not file.is_file():
        problem = "does not exist"
    raise UserError(
        f"model '{config['model']}' reads the item feature '{missing[0]}' ({setting}), but '{file}' "
        f"{problem}; set {setting} to columns of that file, or choose another model"
    )


def _listed(columns: Any) -> str:
    return "none" if columns is None else ", ".join(map(str, columns))


def suspects(config: Config, error: object = "") -> str:
    """The given settings of the data set that RecBole's words may be about, for the end of a sentence.

    Args:
        config: the run's settings.
        error: what RecBole says; settings that share a word with it are named, and else all.
    """
    names = [*config.parameters["Dataset"], "numerical_features", "discretization", "eval_args"]
    given = {n: config[n] for n in dict.fromkeys(names) if config.is_explicit(n) and config[n]}
    given.pop("MAX_ITEM_LIST_LENGTH", None)
    words = set(re.findall(r"\w+", str(error)))
    shared = [n for n, value in given.items() if words & set(re.findall(r"\w+", str(value)))]
    found = [f"{name} ({shown(given[name])})" for name in shared or given]
    return f"; check {' and '.join(found)}, or leave it out" if found else ""


def check_depths(config: Config, n_items: int) -> None:
    """Refuse lists longer than the data set has items, where somebody asked for them.

    Args:
        config: the run's settings.
        n_items: number of items, padding included.
    """
    most = n_items - 1
    if config.is_explicit("topk") and max(config["topk"]) > most:
        raise UserError(
            f"topk is {config['topk']}, but the data set has {most} items; the largest that fits is {most}"
        )


def fitting_candidates(config: Config, n_items: int) -> dict[str, str]:
    """``reranker_CAN_NUM`` reduced to the items where its default exceeds them; else nothing.

    Args:
        config: the run's settings.
        n_items: number of items, padding included.

    Returns:
        The setting to change, ``{}`` where there is none.

    Raises:
        UserError: it is no list of whole numbers, or was given explicitly and exceeds the items.
    """
    if CANDIDATES not in config:
        return {}
    try:
        sizes = [int(size) for size in str(config[CANDIDATES]).strip("[]").split(",")]
    except ValueError as error:
        raise UserError(
            f"{CANDIDATES} is {config[CANDIDATES]!r}, but must be whole numbers such as 500,100,20"
        ) from error
    largest = n_items - 1
    if max(sizes) <= largest:
        return {}
    if config.is_explicit(CANDIDATES):
        raise UserError(
            f"{CANDIDATES} is {config[CANDIDATES]}, but the data set has {largest} items; the largest "
            f"that fits is {largest}"
        )
    return {CANDIDATES: ",".join(str(min(size, largest)) for size in sizes)}
