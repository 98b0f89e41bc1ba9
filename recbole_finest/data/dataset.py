"""RecBole's sequential data sets, holding a log instead of a copy of every history."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset, SequentialDataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureSource, FeatureType, ModelType

from recbole_finest.data.instances import Fields, InstanceView
from recbole_finest.data.log import TEST, TRAIN, VALID, InteractionLog
from recbole_finest.errors import UserError


class LogDataset(SequentialDataset):
    """RecBole's sequential data set, its instances a view over ``self.log``.

    RecBole's loading, filters, splits, samplers and loaders work on it unchanged. After
    :meth:`build` the log carries each row's role; :meth:`with_log` gives the training set of a
    perturbed log.
    """

    log: InteractionLog
    inter_feat: Any

    # Loading -------------------------------------------------------------------------------------

    def _load_data(self, token: str, dataset_path: str) -> None:
        try:
            super()._load_data(token, dataset_path)
        except (OSError, ValueError, RuntimeError, ImportError, AttributeError) as error:
            wanted = Path(dataset_path) / f"{token}.inter"
            if wanted.is_file():
                raise UserError(
                    f"'{wanted}' cannot be read as a RecBole atomic file: {error}"
                ) from error
            raise UserError(
                f"data set '{token}' is not at '{wanted}' and could not be downloaded "
                f"({type(error).__name__}); put its atomic file there, or set data_path"
            ) from error
        self._check_columns(token, dataset_path)

    def _check_columns(self, token: str, path: str) -> None:
        names = {"USER_ID_FIELD": self.uid_field, "ITEM_ID_FIELD": self.iid_field}
        names["TIME_FIELD"] = self.time_field
        for setting, field in names.items():
            if self.inter_feat is None or field not in self.inter_feat:
                raise UserError(
                    f"'{Path(path) / (token + '.inter')}' has no column '{field}' ({setting}), which "
                    f"sequential models need; add it or set {setting} to the column's name"
                )

    def _fill_nan(self) -> None:
        time = self.inter_feat[self.time_field].to_numpy(np.float64)
        bad = np.flatnonzero(~np.isfinite(time))
        if len(bad):
            raise UserError(
                f"column '{self.time_field}' has {len(bad)} values that are no finite number "
                f"(first: interaction {bad[0]}); remove these rows, for example with the convert command"
            )
        self._exact_time = time.copy()  # before RecBole normalises it and casts it to 32 bits
        super()._fill_nan()

    # Instances -----------------------------------------------------------------------------------

    def data_augmentation(self) -> None:
        """Make the log and the view of all instances; RecBole's method copies every history here."""
        self._aug_presets()
        feat = self.inter_feat
        user, item = feat[self.uid_field].numpy(), feat[self.iid_field].numpy()
        order = torch.from_numpy(np.lexsort((self._exact_time, user)))
        self.log = InteractionLog.from_columns(
            user, item, self._exact_time, n_users=self.user_num, n_items=self.item_num
        )
        columns = self._extra_columns({f: feat[f][order] for f in feat}, order)
        list_of = {f: getattr(self, f"{f}_list_field") for f in feat if f != self.uid_field}
        self.fields = Fields(
            user=self.uid_field,
            item=self.iid_field,
            time=self.time_field,
            length=self.item_list_length_field,
            list_of=self._extra_lists(list_of),
            width=self.max_item_list_len,
            columns=columns,
            offset=self._offset_field(),
        )
        targets = np.flatnonzero(self.log.user_start != np.arange(len(self.log)))
        if len(targets) == 0:
            raise UserError(
                f"no user of data set '{self.dataset_name}' has two interactions after filtering, so "
                "there is nothing to predict; loosen user_inter_num_interval or item_inter_num_interval"
            )
        self.inter_feat = InstanceView(self.log, targets, self.fields)

    def _extra_columns(
        self, columns: dict[str, torch.Tensor], order: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        return {f: c for f, c in columns.items() if f not in (self.uid_field, self.iid_field)}

    def _extra_lists(self, list_of: dict[str, str]) -> dict[str, str]:
        return list_of

    def _offset_field(self) -> str | None:
        """Name of the exact time offsets, for models that read intervals; None spares the others."""
        if not getattr(self.config.model_class, "reads_time_offsets", False):
            return None
        name = f"{self.time_field}_offset{self.config['LIST_SUFFIX']}"
        self.set_field_property(
            name, FeatureType.FLOAT_SEQ, FeatureSource.INTERACTION, self.max_item_list_len
        )
        return name

    def __getitem__(self, index: Any, join: bool = True) -> Interaction:
        batch = self.inter_feat.batch(index)
        return self.join(batch) if join else batch

    # Splitting -----------------------------------------------------------------------------------

    def build(self) -> list[LogDataset]:
        """RecBole's split; afterwards ``log.role`` of all three parts says which row went where."""
        if self.config["benchmark_filename"] is not None:
            raise UserError(
                "benchmark_filename gives ready-made instances, from which no interaction log can be "
                "recovered; give the data set as one .inter file and choose the split in eval_args"
            )
        parts = super().build()
        role = np.full(len(self.log), TRAIN, np.int8)
        for part, name in zip(parts[1:], (VALID, TEST)):
            role[part.inter_feat.positions] = name
        log = self.log.with_roles(role)
        for part in (self, *parts):
            part.log = log
            part.inter_feat = part.inter_feat.with_log(log, part.inter_feat.positions)
        if len(parts[0]) == 0:
            raise UserError(
                "the split leaves no training instance; check eval_args and the filters"
            )
        return parts

    def _grouped_index(self, group_by_list: np.ndarray) -> list[np.ndarray]:
        """RecBole's groups, in order of first appearance, without its Python loop."""
        keys = np.asarray(group_by_list)
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        groups = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
        return [groups[g] for g in np.argsort(first)]

    def with_log(self, log: InteractionLog) -> LogDataset:
        """This training set over a perturbed ``log``: all its training instances, clean order kept."""
        rank = self.training_rank()
        targets = log.target_positions
        order = np.argsort(rank[log.place[targets]], kind="stable")
        other = self.copy(self.inter_feat.with_log(log, targets[order]))
        other.log = log
        return other

    def training_rank(self) -> np.ndarray:
        """Place of every clean row in RecBole's order of training instances, ``[n_clean]``.

        A row that is no clean instance (a user's first) stands just before the user's next one.
        """
        if not hasattr(self, "_training_rank"):
            rank = np.full(self.log.n_clean, np.inf)
            rank[self.inter_feat.positions] = np.arange(len(self.inter_feat))
            after = np.append(rank[1:], np.inf) - 0.5
            self._training_rank = np.where(np.isinf(rank), after, rank)
        return self._training_rank


def _dien() -> type:
    from recbole.data.dataset import DIENDataset

    class FinestDIENDataset(LogDataset, DIENDataset):
        """DIEN's data set: a column of sampled negatives and its list beside the items."""

        def _extra_columns(
            self, columns: dict[str, torch.Tensor], order: torch.Tensor
        ) -> dict[str, torch.Tensor]:
            self._negative_column = f"{self.config['NEG_PREFIX']}{self.iid_field}_source"
            columns = super()._extra_columns(columns, order)
            return {**columns, self._negative_column: self.neg_item_list[order]}

        def _extra_lists(self, list_of: dict[str, str]) -> dict[str, str]:
            return {**list_of, self._negative_column: self.neg_item_list_field}

    return FinestDIENDataset


@lru_cache(maxsize=None)
def dataset_class(model: str, model_type: ModelType = ModelType.SEQUENTIAL) -> type:
    """The data set class for a model: RecBole's choice for it, over a log."""
    module = importlib.import_module("recbole.data.dataset")
    base = getattr(module, f"{model}Dataset", SequentialDataset)
    if base is SequentialDataset:
        return LogDataset
    if model == "DIEN":
        return _dien()
    return type(
        f"Finest{base.__name__}", (LogDataset, base), {"__doc__": f"{base.__name__} over a log."}
    )


def create_dataset(config: Any) -> Dataset:
    """Load and filter ``config['dataset']`` as RecBole does, over an interaction log.

    Raises:
        UserError: the data set or one of its columns is missing, or nothing is left after filtering.
    """
    try:
        return dataset_class(config["model"])(config)
    except (ValueError, KeyError, IndexError) as error:
        raise UserError(f"data set '{config['dataset']}' cannot be used: {error}") from error
