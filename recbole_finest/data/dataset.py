"""RecBole's sequential data sets, holding a log instead of a copy of every history."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from recbole.data.dataset import Dataset, SequentialDataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureSource, FeatureType, ModelType

from recbole_finest.compat import check_own
from recbole_finest.data.atomic import AtomicDataset
from recbole_finest.data.instances import Fields, Index, InstanceView
from recbole_finest.data.log import TEST, TRAIN, VALID, InteractionLog, smallest_int, time_order
from recbole_finest.data.requirements import suspects
from recbole_finest.data.split import (
    LAST_RATIO,
    SPLIT_ERRORS,
    chosen_targets,
    groups_in_order,
    held_out,
)
from recbole_finest.errors import UserError
from recbole_finest.seeding import token_keys

if TYPE_CHECKING:
    from recbole_finest.config.config import Config


class LogDataset(AtomicDataset):
    """RecBole's sequential data set, its instances a view over ``self.log``.

    RecBole's loading, filters, splits, samplers and loaders work on it unchanged. After
    :meth:`build` the log carries each row's role; :meth:`with_log` gives the training set of a
    perturbed log, and ``clean_log`` stays the log as loaded.
    """

    log: InteractionLog
    clean_log: InteractionLog
    inter_feat: Any
    file_size_list: list[int]  # rows of each of benchmark_filename's files

    # Loading -------------------------------------------------------------------------------------

    def _benchmark_presets(self) -> None:
        """Nothing: RecBole looks for ready-made histories here."""

    def _change_feat_format(self) -> None:
        super()._change_feat_format()
        if self.config["benchmark_filename"] is not None:  # where RecBole makes no instances
            self.data_augmentation()

    # Instances -----------------------------------------------------------------------------------

    def data_augmentation(self) -> None:
        """Make the log and the view of all instances; RecBole's method copies every history here."""
        self._aug_presets()
        feat = self.inter_feat
        user, time = feat[self.uid_field].numpy(), self.__dict__.pop("_exact_time")
        if self.config["time_order"] == "recbole":
            time = feat[self.time_field].numpy().astype(np.float64)
        order = torch.from_numpy(time_order(user, time))
        item = feat[self.iid_field].numpy().astype(smallest_int(self.item_num))
        user = user.astype(smallest_int(self.user_num))
        rows = order.numpy()
        self._place_of_loaded = np.argsort(rows)
        self.log = InteractionLog.from_sorted(
            user[rows], item[rows], time[rows], n_users=self.user_num, n_items=self.item_num
        ).with_keys(*(token_keys(self.field2id_token[f]) for f in (self.uid_field, self.iid_field)))
        columns = {f: feat[f][order] for f in feat if f not in (self.uid_field, self.iid_field)}
        self.fields = Fields(
            user=self.uid_field,
            item=self.iid_field,
            time=self.time_field,
            length=self.item_list_length_field,
            item_list=getattr(self, f"{self.iid_field}_list_field"),
            width=self.max_item_list_len,
            columns=columns,
            lists=self._lists(columns, order),
            offset=self._offset_field(),
        )
        targets = self.log.target_positions  # of every role: the split comes later
        if len(targets) == 0:
            raise UserError(
                f"no user of data set '{self.dataset_name}' has two interactions after filtering, so "
                "there is nothing to predict; loosen user_inter_num_interval or item_inter_num_interval"
            )
        self.clean_log = self.log
        self.inter_feat = InstanceView(self.log, targets, self.fields)

    def _lists(
        self, columns: dict[str, torch.Tensor], order: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """What the list fields but the item list are made of; ``order`` sorts the rows as loaded."""
        return {getattr(self, f"{f}_list_field"): column for f, column in columns.items()}

    def _offset_field(self) -> str | None:
        """Name of the exact time offsets, for models that read intervals; None spares the others."""
        if not getattr(self.config.model_class, "reads_time_offsets", False):
            return None
        name = f"{self.time_field}_offset{self.config['LIST_SUFFIX']}"
        self.set_field_property(
            name, FeatureType.FLOAT_SEQ, FeatureSource.INTERACTION, self.max_item_list_len
        )
        return name

    def __getitem__(self, index: Index, join: bool = True) -> Interaction:
        batch = self.inter_feat.batch(index)
        return self.join(batch) if join else batch

    def at(self, positions: np.ndarray) -> Interaction:
        """The instances with targets at ``positions`` of the log, ``[B]``, features joined."""
        return self.join(self.inter_feat.gather(positions))

    # Splitting -----------------------------------------------------------------------------------

    def build(self) -> list[LogDataset]:
        """RecBole's split; afterwards ``log.role`` of all three parts says which row went where."""
        presplit = self.config["benchmark_filename"] is not None
        parts = self._split_given() if presplit else self._split()
        rows = self._rows_of_files() if presplit else [part.inter_feat.positions for part in parts]
        role = np.full(len(self.log), TRAIN, np.int8)
        for held, name in zip(rows[1:], (VALID, TEST)):
            role[held] = name
        log = self.log.with_roles(role)
        recent = self.max_item_list_len if self.config["recent_only"] else None
        chosen = chosen_targets(log, self.config["target_stride"] or 1, recent)
        log = log.with_targets(chosen)
        for part in (self, *parts):
            part.log = part.clean_log = log
            part.inter_feat = part.inter_feat.with_log(log, part.inter_feat.positions)
        if chosen is not None:
            parts[0].inter_feat = parts[0].inter_feat[chosen[parts[0].inter_feat.positions]]
        if len(parts[0]) == 0:
            raise UserError(
                "the split leaves no training instance"
                f"{suspects(self.config) or '; check eval_args and the filters'}"
            )
        return parts

    def _split(self) -> list[LogDataset]:
        split = self.config["eval_args"]["split"]
        if isinstance(split, dict) and list(split) == [LAST_RATIO]:
            return self._split_last(split[LAST_RATIO])
        try:
            parts = super().build()
        except SPLIT_ERRORS as error:
            raise UserError(
                f"the data cannot be split by {split}: {error}{suspects(self.config, error)}"
            ) from error
        if len(parts) != 3:
            raise UserError(f"split is {split}, but needs three parts: train, valid and test")
        return parts

    def _split_given(self) -> list[LogDataset]:
        """The instances of ``benchmark_filename``'s files: their rows, but for a user's very first one."""
        self._change_feat_format()
        self._drop_unused_col()
        parts: list[LogDataset] = []
        for name, rows in zip(self.config["benchmark_filename"], self._rows_of_files()):
            later = rows[rows > self.log.user_start[rows]]
            if parts and len(later) < len(rows):
                self.logger.warning(
                    f"{len(rows) - len(later)} of {len(rows)} rows of {name} are their users' first and "
                    "left out: they have no history to predict from"
                )
            parts.append(self.copy(self.inter_feat.with_log(self.log, later)))
        return parts

    def _rows_of_files(self) -> list[np.ndarray]:
        """Positions in the log of each file's rows, in their order there."""
        return np.split(self._place_of_loaded, np.cumsum(self.file_size_list)[:-1])

    def _split_last(self, ratio: float) -> list[LogDataset]:
        """Each user's last share for test, see :func:`held_out`; nothing for validation."""
        self._change_feat_format()
        self.sort(by=self.time_field)
        view = self.inter_feat
        index = np.concatenate(groups_in_order(view[self.uid_field].numpy()))
        test = held_out(self.log, view.positions[index], ratio)
        self._drop_unused_col()
        return [self.copy(view[part]) for part in (index[~test], index[:0], index[test])]

    def _grouped_index(self, group_by_list: np.ndarray) -> list[np.ndarray]:
        return groups_in_order(np.asarray(group_by_list))

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
        """DIEN's data set: a list of sampled negatives beside the items, and lists in 64 bits.

        RecBole reads the negatives, drawn in the order of the file, in the order of the sorted rows,
        where one may be the very item clicked; here each stays with the interaction it was drawn for.
        """

        def _lists(
            self, columns: dict[str, torch.Tensor], order: torch.Tensor
        ) -> dict[str, torch.Tensor]:
            lists = super()._lists(columns, order)
            wide = {f: c.double() if c.is_floating_point() else c for f, c in lists.items()}
            return {**wide, self.neg_item_list_field: self.neg_item_list[order]}

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


def create_dataset(config: Config) -> Dataset:
    """Load and filter ``config['dataset']`` as RecBole does, over an interaction log.

    Raises:
        UserError: the data set or one of its columns is missing, or nothing is left after filtering.
    """
    check_own(config, "create_dataset")
    try:
        return dataset_class(config["model"])(config)
    except (ValueError, KeyError, IndexError) as error:
        raise UserError(
            f"data set '{config['dataset']}' cannot be used: {error}{suspects(config, error)}"
        ) from error
