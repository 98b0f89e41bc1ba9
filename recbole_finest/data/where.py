"""Where a data set's interactions stand: its files, and the names of data sets near a name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from recbole_finest.errors import UserError, nearest
from recbole_finest.formats.yaml_file import read_yaml

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

# What RecBole does not apply to files that are split already.
_FILTERS = (
    "user_inter_num_interval",
    "item_inter_num_interval",
    "val_interval",
    "rm_dup_inter",
    "filter_inter_by_user_or_item",
)


def inter_files(config: Config, token: str) -> list[Path]:
    """The files of a data set's interactions: one, or those that ``benchmark_filename`` names."""
    folder, parts = Path(config["data_path"]), config["benchmark_filename"]
    if parts is None:
        return [folder / f"{token}.inter"]
    return [folder / f"{token}.{part}.inter" for part in parts]


def check_presplit(config: Config, token: str) -> None:
    """Refuse pre-split files that no interaction log can be made of, and settings that they leave idle.

    Raises:
        UserError: a file is missing, holds RecBole's ready-made histories, or a filter or a split is given.
    """
    if config["benchmark_filename"] is None:
        return
    files = inter_files(config, token)
    if not any(file.is_file() for file in files):
        return  # what is said of a data set that is not there
    for file in files:
        if not file.is_file():
            raise UserError(
                f"benchmark_filename is {config['benchmark_filename']}, but '{file}' does not exist; put "
                "it there or name others"
            )
        with file.open(encoding=config["encoding"]) as lines:
            names = [column.partition(":")[0] for column in lines.readline().strip().split("\t")]
        check_rows(config, names, file)
    given = [name for name in _FILTERS if config.is_explicit(name) and config[name]]
    split = config.external_config_dict.get("eval_args")
    if config.is_explicit("eval_args") and isinstance(split, dict) and "split" in split:
        given.append("eval_args: {split: …}")
    if given:
        raise UserError(
            f"{given[0]} is given, but the files of benchmark_filename are split and taken as they are; "
            "leave it out, or give the data set as one .inter file"
        )


def check_rows(config: Config, names: Iterable[str], file: Path) -> None:
    """Refuse a file that holds histories made ready for RecBole, by the names of its columns."""
    ready = f"{config['ITEM_ID_FIELD']}{config['LIST_SUFFIX']}"
    if ready in names:
        raise UserError(
            f"'{file}' has the column '{ready}': histories made ready for RecBole, whose interactions have "
            "no times of their own; give files with one interaction a row (user, item, time)"
        )


def near_names(config: Config, token: str) -> str:
    """What to do about a data set that is not there: a name near its own, or else its file."""
    around = Path(config["data_path"]).parent
    here = {file.parent.name for file in around.glob("*/*.inter")}
    known = sorted(here | downloads())
    return nearest(token, known, "put its atomic file there, or set data_path", cutoff=0.75)


@lru_cache(maxsize=None)
def downloads() -> frozenset[str]:
    """Names of the data sets that RecBole downloads."""
    import recbole

    path = Path(recbole.__file__).parent / "properties/dataset/url.yaml"
    return frozenset(read_yaml(path))
