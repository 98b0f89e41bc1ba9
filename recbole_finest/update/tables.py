"""Which weights of a model are tables of users or items: those that have more rows where there are more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.requirements import fitting_candidates
from recbole_finest.errors import UserError
from recbole_finest.model.build import BROKEN, reason
from recbole_finest.scoring.packed_scoring import packable
from recbole_finest.seeding import global_streams, replayed

MORE = {"users": 1, "items": 2}


class _Larger:
    """A data set as a model's constructor sees it, with more users and items than there are."""

    def __init__(self, dataset: LogDataset):
        self._dataset = dataset
        self.user_num = dataset.user_num + MORE["users"]
        self.item_num = dataset.item_num + MORE["items"]

    def num(self, field: str) -> int:
        """Number of different tokens of a field."""
        named = {self._dataset.uid_field: self.user_num, self._dataset.iid_field: self.item_num}
        return named[field] if field in named else self._dataset.num(field)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


def tables_of(config: Config, dataset: LogDataset, model: nn.Module) -> dict[str, str]:
    """Names of the weights that are tables: ``users`` or ``items``.

    A second model is made for a data set with one more user and two more items, and thrown away: no guess
    from sizes, which a layer may share with a table. A buffer, which may be computed from the data set
    itself, is a table where it has a row for each user or item.

    Args:
        config: of the model.
        dataset: its training set.
        model: made from both.

    Raises:
        UserError: the model cannot be made again, or has a table of something else.
    """
    fitting = config.but(**fitting_candidates(config, dataset.item_num))
    try:
        with replayed(global_streams()):
            larger = packable(config.model_class)(fitting, _Larger(dataset))
    except BROKEN as error:
        raise UserError(
            f"model '{config['model']}' cannot be updated, since nothing says which of its weights belong "
            f"to users or items: made for one user more, it raised {reason(error)}"
        ) from error
    sizes = {name: len(weight) for name, weight in larger.named_parameters() if weight.dim()}
    found = _counted(dict(model.named_buffers()), dataset)
    kinds = {more: kind for kind, more in MORE.items()}
    for name, weight in model.named_parameters():
        if not weight.dim() or sizes[name] == len(weight):
            continue
        if sizes[name] - len(weight) not in kinds:
            raise UserError(
                f"model '{config['model']}' cannot be updated: '{name}' is no table of users or of items, "
                "but has other rows where there are more of both"
            )
        found[name] = kinds[sizes[name] - len(weight)]
    return found


def _counted(buffers: Mapping[str, Any], dataset: LogDataset) -> dict[str, str]:
    count = {dataset.item_num: "items", dataset.user_num: "users"}
    return {n: count[len(b)] for n, b in buffers.items() if b.dim() and len(b) in count}
