"""Yesterday's weights in tonight's model: tables joined by token, newcomers as a new model draws them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from recbole_finest.errors import UserError
from recbole_finest.seeding import Keys, token_keys

NEWCOMERS = "newcomers begin as a new model of tonight's seed draws them, each row from its token"
TokenKeys = Mapping[str, Keys]  # of "users" and "items", by id


def grow(
    model: nn.Module,
    state: Mapping[str, Tensor],
    tables: Mapping[str, str],
    before: TokenKeys,
    now: TokenKeys,
    file: object,
) -> nn.Module:
    """Copy a deployed model's weights into a new model of a log with other users and items.

    Rows of tables go to the user or item with the same token, whatever its id is now. Those of newcomers
    keep what the new model was made with, which with ``shuffle_order: stable`` follows from seed, parameter
    and token. Those who have gone are left out. All other weights, and buffers such as running means, are
    copied whole.

    Args:
        model: new, changed in place.
        state: the deployed model's weights by name.
        tables: from :func:`recbole_finest.update.tables.tables_of`.
        before, now: whose rows the rows of their tables are.
        file: the deployed model's, for errors.

    Returns:
        ``model``.

    Raises:
        UserError: another architecture.
    """
    own = model.state_dict()
    if set(own) != set(state):
        name = sorted(set(own) ^ set(state))[0]
        where = "only tonight's model" if name in own else "only the deployed one"
        raise _other(file, f"{where} has the weights '{name}'")
    for name, weight in own.items():
        old, kind = state[name], tables.get(name)
        if kind is not None and old.shape[1:] == weight.shape[1:]:
            old = _by_token(old, weight, before[kind], now[kind])
        if old.shape != weight.shape:
            shapes = tuple(weight.shape), tuple(old.shape)
            raise _other(file, f"'{name}' has the shape {shapes[0]} instead of {shapes[1]}")
        own[name] = old
    model.load_state_dict(own)
    return model


def _by_token(old: Tensor, new: Tensor, before: Keys, now: Keys) -> Tensor:
    """``new`` with the rows of ``old`` that have the same key; ``old`` where their rows are not those."""
    more = len(old) - len(before)
    if more < 0 or len(new) - len(now) != more:
        return old
    last = token_keys(f"[after all tokens {i}]" for i in range(more))  # BERT4Rec's and S3Rec's mask
    keys = np.append(before, last), np.append(now, last)
    _, source, target = np.intersect1d(*keys, return_indices=True)
    rows = old[torch.from_numpy(source)].to(new)
    return new.clone().index_copy_(0, torch.from_numpy(target).to(new.device), rows)


def _other(file: object, what: str) -> UserError:
    return UserError(
        f"deployed '{file}' has another architecture than tonight's model: {what}; leave out settings of "
        "the model, or train a new one without update"
    )
