"""Initial weights that belong to what they are: a parameter's name, an item's or a user's token."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from recbole_finest.seeding import Keys, derive_seed, keyed_uniform, seed_torch, token_keys

_NORMAL, _UNIFORM = torch.ops.aten.normal_.default, torch.ops.aten.uniform_.default


@dataclass(frozen=True)
class Fill:
    """How a tensor was filled at random.

    Attributes:
        tensor: it; held, so that nothing else takes its place in memory.
        normal: whether from a normal distribution, else from a uniform one.
        first, second: mean and standard deviation, or both ends.
    """

    tensor: Tensor
    normal: bool
    first: float
    second: float

    def of(self, uniform: np.ndarray) -> np.ndarray:
        """Values of this distribution from uniform numbers in [0, 1)."""
        if self.normal:
            return self.first + self.second * ndtri(np.maximum(uniform, 2.0**-54))
        return self.first + (self.second - self.first) * uniform


class Recorder(TorchDispatchMode):
    """Notes which tensors are filled at random while a model is made, and not changed afterwards.

    What draws at random is seeded by its turn, so that it does not depend on how much was drawn before.

    Args:
        seed: of the run.

    Attributes:
        fills: by the address of a tensor's memory.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed, self.turn = seed, 0
        self.fills: dict[int, Fill] = {}

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if torch.Tag.nondeterministic_seeded in function.tags:
            seed_torch(derive_seed(self.seed, "weights", self.turn))
            self.turn += 1
        found = function(*args, **(kwargs or {}))
        if function._schema.is_mutable and args and isinstance(args[0], Tensor):
            self._note(function, args[0], args[1:])
        return found

    def _note(self, function: Callable[..., Any], tensor: Tensor, ends: tuple[Any, ...]) -> None:
        address = tensor.data_ptr()
        if function in (_NORMAL, _UNIFORM):
            first, second = [*ends, *((0.0, 1.0)[len(ends) :])]  # type: ignore[misc]
            self.fills[address] = Fill(tensor, function is _NORMAL, float(first), float(second))
        elif address in self.fills and self.fills[address].tensor.shape == tensor.shape:
            del self.fills[address]  # a row of padding set to zero has another shape


@dataclass(frozen=True)
class Tables:
    """Whose rows the rows of a parameter are.

    Attributes:
        users, items: keys of the tokens, by id.
        other_sizes: numbers that are sizes of layers, too: a parameter with so many rows is a table only
            where it is an ``nn.Embedding``.
    """

    users: Keys
    items: Keys
    other_sizes: Collection[int] = ()

    def keys(self, name: str, rows: int, embedding: bool) -> Keys:
        """Keys of a parameter's rows: those of items or users, or their numbers."""
        fits = [keys for keys in (self.items, self.users) if 0 <= rows - len(keys) <= 1]
        if not fits or (not embedding and rows in self.other_sizes):
            return token_keys(range(rows))
        keys = fits[-1] if "user" in name.lower() else fits[0]
        # BERT4Rec and S3Rec have one more row, for the mask
        return np.append(keys, token_keys(["[MASK]"])) if rows > len(keys) else keys


def keyed_weights(
    model: nn.Module, fills: Mapping[int, Fill], tables: Tables, seed: int
) -> list[str]:
    """Draw a new model's weights anew, each from its name, and the rows of items and users from theirs.

    Each parameter keeps the distribution that it was filled with, and rows of zeros, as padding has,
    stay. What was not simply filled at random (an orthogonal matrix, a truncated normal, weights that
    were loaded) keeps its values.

    Args:
        model: fresh from its constructor; changed in place.
        fills: of :class:`Recorder`.
        tables: whose rows the rows of a table are.
        seed: of the run.

    Returns:
        Names of the parameters that were drawn.
    """
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    drawn = []
    for name, weight in model.named_parameters():
        fill = fills.get(weight.data_ptr())
        if fill is None or fill.tensor.shape != weight.shape:
            continue
        rows = weight.detach().reshape(len(weight), -1)
        keys = tables.keys(name, len(rows), id(weight) in embeddings)
        uniform = keyed_uniform(keys, derive_seed(seed, "weights", name), rows.shape[1])
        new = torch.from_numpy(fill.of(uniform)).to(rows)
        with torch.no_grad():
            weight.copy_((new * rows.any(1, keepdim=True)).reshape(weight.shape))
        drawn.append(name)
    return drawn
