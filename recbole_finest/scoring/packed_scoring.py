"""A model that scores one position of a history, or all of them: a subclass of its class."""

from __future__ import annotations

from functools import lru_cache

from recbole.model.abstract_recommender import SequentialRecommender
from torch import Tensor, nn


class PackedScoring(SequentialRecommender):
    """Mixin: while ``packed_index`` is set, the scored positions are those, not one a row.

    RecBole's models end their encoder with ``gather_indexes(output, length - 1)``, ``[B, L, H]`` →
    ``[B, H]``. Overriding it lets the model's own loss score N positions of B windows in one pass.
    """

    packed_index: Tensor | None = None  # flat positions into [B · L], [N]

    def gather_indexes(self, output: Tensor, gather_index: Tensor) -> Tensor:
        if self.packed_index is None:
            return super().gather_indexes(output, gather_index)
        return output.reshape(-1, output.shape[-1])[self.packed_index]


@lru_cache(maxsize=None)
def packable(model_class: type) -> type:
    """``model_class`` with :class:`PackedScoring` in front; name and module are kept."""
    namespace = {"__module__": model_class.__module__, "__doc__": model_class.__doc__}
    return type(model_class.__name__, (PackedScoring, model_class), namespace)


def class_of(model: nn.Module) -> type:
    """The model's class without :class:`PackedScoring` in front."""
    found = type(model)
    return found.__bases__[1] if found.__bases__[0] is PackedScoring else found
