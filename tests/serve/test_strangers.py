"""The average person: which tables are the users', and what becomes of their first row."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from recbole.data.interaction import Interaction
from torch import nn

from recbole_finest.serve.strangers import average_person

N = 6  # users and items alike


class Model(nn.Module):
    def __init__(self, column: int | None):
        super().__init__()
        self.users, self.items = nn.Embedding(N, 3), nn.Embedding(N, 3)
        self.other = nn.Linear(N, N)
        self.column = column
        self.register_buffer("interval_unit", torch.full((N,), 5.0))

    def forward(self, batch: Interaction) -> torch.Tensor:
        out = self.items(batch["item_id_list"]).sum(1)
        if self.column is not None:
            users = batch["user_id"]
            out = out + self.users(users[:, None] if self.column else users).reshape(len(users), 3)
        return out @ self.items.weight.T


@pytest.mark.parametrize("column", [None, 0, 1])
def test_only_tables_that_are_looked_up_by_user_are_the_users(column):
    model = Model(column)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    dataset = SimpleNamespace(uid_field="user_id", user_num=N)
    scorer = SimpleNamespace(model=model, dataset=dataset, all_items=model)
    probe = Interaction(
        {
            "user_id": torch.tensor([3, 2, 1]),
            "item_id_list": torch.tensor([[2, 1], [3, 2], [4, 3]]),
        }
    )
    assert average_person(scorer, probe) is (column is not None)
    expected = before["users.weight"].clone()
    if column is not None:
        expected[0] = expected[1:].mean(0)
    before["users.weight"] = expected
    before["interval_unit"][0] = 1
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
