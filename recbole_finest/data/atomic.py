"""RecBole's loading of a data set's atomic files, with clear refusals and every id kept as written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from recbole.utils import FeatureType

from recbole_finest.data.columns import (
    check_length_column,
    encoding_with_mark,
    ids_as_written,
    without_ids,
)
from recbole_finest.data.intervals import is_interval
from recbole_finest.data.requirements import check_features, check_files, suspects
from recbole_finest.data.tables import TableDataset
from recbole_finest.data.where import check_presplit, check_rows, inter_files, near_names
from recbole_finest.errors import UserError
from recbole_finest.formats.atomic import check_atomic

if TYPE_CHECKING:
    from recbole_finest.config.config import Config


class AtomicDataset(TableDataset):
    """RecBole's sequential data set: its files loaded, checked and filtered.

    A UserError says what is wrong with them: no such file, a column that is missing or of the wrong kind,
    times that are no finite numbers.
    """

    inter_feat: Any
    config: Config

    def _load_data(self, token: str, dataset_path: str) -> None:
        check_presplit(self.config, token)
        wanted = inter_files(self.config, token)[0]
        if wanted.is_file():  # else RecBole downloads it
            check_files(self.config, dataset_path, token)
        try:
            super()._load_data(token, dataset_path)
        except (OSError, ValueError, RuntimeError, ImportError, AttributeError) as error:
            if wanted.is_file():
                raise UserError(
                    f"data set '{token}' in '{dataset_path}' cannot be read as RecBole atomic files: "
                    f"{' '.join(str(error).split())}{suspects(self.config, error)}"
                ) from error
            raise UserError(
                f"data set '{token}' is not at '{wanted}' and could not be downloaded "
                f"({type(error).__name__}); {near_names(self.config, token)}"
            ) from error
        self._check_columns(wanted)
        check_features(self.config, self.item_feat, dataset_path, token)
        features = {f"{token}.item": self.item_feat, f"{token}.user": self.user_feat}
        check_length_column(features, self.item_list_length_field, dataset_path)
        if self.config.is_explicit("load_col"):
            self._check_given_columns(token, dataset_path)

    def _load_feat(self, filepath: str, source: Any) -> Any:
        """RecBole's, for files with a byte order mark too, every id kept as it is written."""
        config, loaded = self.config, self._loaded(source)
        encoding = encoding_with_mark(config["encoding"])
        if Path(filepath).is_file() and loaded is not None:
            separators = (config["field_separator"], config["seq_separator"])
            check_atomic(filepath, encoding, separators, loaded)
        self.config = config.but(encoding=encoding)
        try:
            table = super()._load_feat(filepath, source)
        finally:
            self.config = config
        if table is None:
            return None
        ids = [f for f in (self.uid_field, self.iid_field) if f in table]
        ids = [f for f in ids if self.field2type.get(f) == FeatureType.TOKEN]
        for name, words in ids_as_written(table, Path(filepath), ids, config).items():
            self.logger.warning(
                f"column '{name}' of '{Path(filepath).name}' has the name{'s' * (len(words) > 1)} "
                f"{', '.join(words)}, taken as written: only an empty cell is a missing one"
            )
        return table

    def _loaded(self, source: Any) -> Callable[[str], bool] | None:
        """Whether a column of a file is read, by its name; None where none is."""
        load, unload = self._get_load_and_unload_col(source)
        if load == set():
            return None
        return lambda name: (load is None or name in load) and name not in (unload or ())

    def _filter_nan_user_or_item(self) -> None:
        """Leave out rows without an id; RecBole's takes other rows where both ids are missing somewhere."""
        ids = {"user": [self.uid_field], "item": [self.iid_field]}
        ids["inter"] = [self.uid_field, self.iid_field]
        for name, fields in ids.items():
            table = getattr(self, f"{name}_feat")
            if table is not None and len(rows := without_ids(table, fields)):
                self.logger.warning(
                    f"{len(rows)} rows of '{self.dataset_name}.{name}' have no {' or no '.join(fields)} "
                    f"and are left out (the first is row {rows[0] + 1})"
                )
                kept = table.drop(table.index[rows]).reset_index(drop=True)
                setattr(self, f"{name}_feat", kept)

    def _check_given_columns(self, token: str, path: str) -> None:
        for suffix, names in (self.config["load_col"] or {}).items():
            file = Path(path) / f"{token}.{suffix}"
            loaded = getattr(self, f"{suffix}_feat", None)  # none of .link, kept in another form
            if not names or names == "*" or loaded is None or not file.is_file():
                continue
            for name in names:
                if name not in loaded:
                    raise UserError(
                        f"load_col names the column '{name}', which '{file}' does not have; leave it out"
                    )

    def _filter_by_field_value(self) -> None:
        for field, wanted in (self.config["val_interval"] or {}).items():
            kind = self.field2type.get(field)
            real = kind in (FeatureType.FLOAT, FeatureType.FLOAT_SEQ)
            if kind is not None and not (is_interval(wanted) if real else isinstance(wanted, list)):
                form = "an interval such as '[3,inf)'" if real else "a list of values to keep"
                raise UserError(
                    f"val_interval of '{field}' is {wanted!r}, but must be {form}: the column is a "
                    f"{kind.value}"
                )
        super()._filter_by_field_value()

    def _check_columns(self, file: Path) -> None:
        names = {"USER_ID_FIELD": self.uid_field, "ITEM_ID_FIELD": self.iid_field}
        names["TIME_FIELD"] = self.time_field
        for setting, field in names.items():
            if self.inter_feat is None or field not in self.inter_feat:
                raise UserError(
                    f"'{file}' has no column '{field}' ({setting}), which "
                    f"sequential models need; add it or set {setting} to the column's name"
                )
        check_rows(self.config, self.inter_feat, file)
        if self.field2type[self.time_field] != FeatureType.FLOAT:
            raise UserError(
                f"'{file}' has '{self.time_field}' as a {self.field2type[self.time_field].value}, whose "
                f"order would not be that of time; write '{self.time_field}:float' in its first line"
            )

    def _fill_nan(self) -> None:
        time = self.inter_feat[self.time_field].to_numpy(np.float64)
        bad = np.flatnonzero(~np.isfinite(time))
        if len(bad):
            user = self.field2id_token[self.uid_field][self.inter_feat[self.uid_field].iloc[bad[0]]]
            raise UserError(
                f"column '{self.time_field}' has {len(bad)} values that are no finite number (first: of "
                f"user '{user}'); remove these rows, for example with the convert command"
            )
        self._exact_time = time.copy()  # before RecBole normalises it and casts it to 32 bits
        super()._fill_nan()
