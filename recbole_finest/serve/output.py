"""Lists written while they are found: NPZ, CSV, TSV, Parquet and TREC, each whole or not at all."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from recbole_finest.errors import UserError, kept, writes
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.writers import trec_lines
from recbole_finest.files import check_place, written_whole
from recbole_finest.serve.found import Found

Stream = Iterable[Found]


def write_lists(path: Path, found: Stream, items: np.ndarray) -> int:
    """Write lists in the format that the file's name says.

    All formats but one are written part by part. An ``.npz`` needs its arrays whole: in memory a person
    takes 8 bytes an item and 4 bytes for each character of the longest user token, twice while the
    parts are joined.

    Args:
        path: checked by :func:`check_output`.
        found: lists, some people at a time.
        items: the model's item tokens by id, ``[n_items]``.

    Returns:
        How many lists there are.

    Raises:
        UserError: there is none, or the file cannot be written.
    """
    counted = _Counted(found)
    with kept("output", path):
        WRITERS[path.suffix.lower()](path, counted, items)
    return counted.people


def check_output(path: Path, read: Iterable[Path] = ()) -> None:
    """Refuse a file that could not be written, before anything is computed.

    Args:
        path: of the lists.
        read: files that are read, which must not be overwritten.

    Raises:
        UserError: an unknown suffix, a folder that is not there, one of the files that are read, or
            Parquet without pyarrow.
    """
    if path.suffix.lower() not in WRITERS:
        raise UserError(f"output is '{path}', but must end in one of {', '.join(WRITERS)}")
    with kept("output", path), writes(path):
        nowhere = not path.parent.is_dir() or path.is_dir()
    if nowhere:
        what = "is a folder" if path.is_dir() else "is in a folder that does not exist"
        raise UserError(f"output is '{path}', which {what}; give the path of a file")
    if any(path.resolve() == other.resolve() for other in read):
        raise UserError(f"output is '{path}', which is read, too; give another file")
    with kept("output", path):
        check_place(path)
    if path.suffix.lower() == ".parquet":
        _pyarrow()


class _Counted:
    """The stream, its lists counted; refuses one without any once it has ended."""

    def __init__(self, found: Stream):
        self.found = found
        self.people = 0

    def __iter__(self) -> Any:
        for part in self.found:
            self.people += len(part)
            yield part
        if not self.people:
            raise UserError(
                "none of the histories has an item that the model knows, so there is nothing to write; "
                "give histories in the tokens of the model's data set"
            )


def _lists(part: Found, items: np.ndarray) -> RankLists:
    nothing = np.full(len(part), "")
    return RankLists.from_ids(part.users, nothing, part.items, part.scores, items)


def _npz(path: Path, found: Stream, items: np.ndarray) -> None:
    parts = list(found)
    columns = [np.concatenate([getattr(p, n) for p in parts]) for n in Found.__annotations__]
    parts.clear()
    _lists(Found(*columns), items).save(path)


def _text(path: Path, found: Stream, items: np.ndarray) -> None:
    with written_whole(path, "w", encoding="utf-8", newline="") as file:
        tabs = path.suffix.lower() == ".tsv"
        writer = csv.writer(file, delimiter="\t" if tabs else ",", lineterminator="\n")
        writer.writerow(["user", "item", "rank", "score"])
        for part in found:
            table = _rows(part, items)
            scores = [f"{score:.9g}" for score in table.pop("score").tolist()]
            writer.writerows(zip(*(column.tolist() for column in table.values()), scores))


def _rows(part: Found, items: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of one row for each item of each list."""
    who, place = np.nonzero(part.items > 0)
    return {
        "user": part.users[who],
        "item": items[part.items[who, place]],
        "rank": (place + 1).astype(np.int32),
        "score": part.scores[who, place],
    }


def _parquet(path: Path, found: Stream, items: np.ndarray) -> None:
    arrow, parquet = _pyarrow()
    types = {"user": arrow.string(), "item": arrow.string()}
    types |= {"rank": arrow.int32(), "score": arrow.float32()}
    schema = arrow.schema(types)
    with written_whole(path) as file, parquet.ParquetWriter(file, schema) as writer:
        for part in found:
            writer.write_table(arrow.table(_rows(part, items), schema=schema))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            "output in Parquet needs pyarrow (pip install 'recbole-finest[parquet]'); install it, or "
            "name the output .csv, .npz or .trec"
        ) from error
    return pyarrow, pyarrow.parquet


def _trec(path: Path, found: Stream, items: np.ndarray) -> None:
    with written_whole(path, "w", encoding="utf-8") as file:
        for part in found:
            file.writelines(trec_lines(_lists(part, items)))


WRITERS: dict[str, Callable[[Path, Stream, np.ndarray], None]] = {
    ".npz": _npz,
    ".csv": _text,
    ".tsv": _text,
    ".parquet": _parquet,
    ".trec": _trec,
    ".run": _trec,
}
