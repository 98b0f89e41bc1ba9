"""RecBole's tables of a data set's files, whichever pandas there is.

RecBole (data/dataset/dataset.py) was written for pandas 2. It fills missing values with
``feat[field].fillna(…, inplace=True)``, which since pandas 3 fills a copy, so that they stay; and it takes
``feat[field].agg(len)`` for the length of every cell, where pandas 3 gives the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from recbole.data.dataset import SequentialDataset
from recbole.utils import FeatureType


class Column(pd.Series):
    """A column whose ``agg(len)`` is the length of every cell."""

    @property
    def _constructor(self) -> type[Column]:
        return Column

    def agg(self, func: Any = None, *args: Any, **kwargs: Any) -> Any:
        """pandas' own, but for ``len``.

        >>> list(Column([[1, 2], [3]]).agg(len))
        [2, 1]
        """
        return self.map(len) if func is len else super().agg(func, *args, **kwargs)


class Table(pd.DataFrame):
    """A table of such columns."""

    @property
    def _constructor(self) -> type[Table]:
        return Table

    @property
    def _constructor_sliced(self) -> type[Column]:
        return Column


class TableDataset(SequentialDataset):
    """RecBole's sequential data set with the tables, and the missing values, that its code expects."""

    def _load_feat(self, filepath: str, source: Any) -> Table | None:
        if self._get_load_and_unload_col(source)[0] == set():
            return None  # not to be loaded: what stands in the file does not matter
        with sequences_filled(filepath, self.config) as filled:
            found = super()._load_feat(filled, source)
        return None if found is None else Table(found)

    def _user_item_feat_preparation(self) -> None:
        super()._user_item_feat_preparation()  # which merges with plain tables
        for name in self.feat_name_list:
            setattr(self, name, Table(getattr(self, name)))

    def _fill_nan(self) -> None:
        """Fill what RecBole means to: a missing token with that of padding, a number with the mean."""
        for feat in (getattr(self, name) for name in self.feat_name_list):
            for field in feat:
                kind, column = self.field2type[field], feat[field]
                if kind in (FeatureType.TOKEN, FeatureType.FLOAT) and column.isna().any():
                    feat[field] = column.fillna(0 if kind == FeatureType.TOKEN else column.mean())
        super()._fill_nan()


@contextmanager
def sequences_filled(path: str, config: Any) -> Iterator[str]:
    """A file whose columns of sequences have no missing cell, for as long as the context lasts.

    RecBole splits a missing cell before it could be filled from outside. In a copy it is a lone separator,
    which RecBole splits into nothing.

    Args:
        path: an atomic file.
        config: settings that it is read with.

    Yields:
        ``path`` itself where nothing is missing, or the path of the copy.
    """
    form = {"sep": config["field_separator"], "encoding": config["encoding"]}
    with open(path, encoding=config["encoding"]) as file:
        head = file.readline().rstrip("\n").split(config["field_separator"])
    lists = [name for name in head if name.endswith("_seq")]
    read = {**form, "dtype": str, "engine": "python"}
    if not lists or not pd.read_csv(path, usecols=lists, **read).isna().to_numpy().any():
        yield path
        return
    with TemporaryDirectory() as folder:
        table = pd.read_csv(path, **read)
        table[lists] = table[lists].fillna(config["seq_separator"])
        copy = Path(folder) / Path(path).name
        _write(table, copy, **form)
        yield str(copy)


def _write(table: pd.DataFrame, path: Path, sep: str, encoding: str) -> None:
    """Write a table of texts; of a separator of several characters pandas writes none."""
    if len(sep) == 1:
        table.to_csv(path, index=False, sep=sep, encoding=encoding)
        return
    rows = [table.columns, *table.fillna("").to_numpy()]
    path.write_text("".join(sep.join(row) + "\n" for row in rows), encoding=encoding)
