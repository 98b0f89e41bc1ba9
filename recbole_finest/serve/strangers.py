"""People whom a model does not know: the average person stands for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from recbole.data.interaction import Interaction
from torch import Tensor, nn

from recbole_finest.scoring.scorer import Scorer


def average_person(scorer: Scorer, probe: Interaction) -> bool:
    """Give user id 0, which is nobody, the mean of all users' vectors; nobody else's change.

    A user's vectors are the rows of those ``nn.Embedding`` tables that are looked up by user ids. Of
    TiSASRec, whose units of time are its users', the average person's becomes 1.

    Args:
        scorer: of the model, which is changed in place.
        probe: a few instances of distinct users.

    Returns:
        Whether the model has such a table; a model without one treats all people alike.
    """
    users = probe[scorer.dataset.uid_field]
    with _looked_up(scorer.model, users, scorer.dataset.user_num) as tables, torch.no_grad():
        scorer.all_items(probe)
    with torch.no_grad():
        for table in tables.values():
            table.weight[0] = table.weight[1:].mean(0)
        for name, buffer in scorer.model.named_buffers():
            if name.rpartition(".")[2] == "interval_unit":
                buffer[0] = 1
    return bool(tables)


@contextmanager
def _looked_up(model: nn.Module, ids: Tensor, rows: int) -> Iterator[dict[int, nn.Embedding]]:
    """The tables of so many rows that are looked up by these very ids inside the block."""
    found: dict[int, nn.Embedding] = {}

    def watch(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given = inputs[0].reshape(-1)
        if isinstance(module, nn.Embedding) and torch.equal(given, ids.to(given)):
            found[id(module)] = module

    tables = [m for m in model.modules() if isinstance(m, nn.Embedding) and len(m.weight) == rows]
    handles = [table.register_forward_pre_hook(watch) for table in tables]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
