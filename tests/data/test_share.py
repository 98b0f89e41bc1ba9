"""What each of several processes takes of a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data import share
from recbole_finest.data.instances import ROW_FIELD


def test_row_shares_are_contiguous_and_keep_negatives_beside_their_histories():
    rows = torch.arange(5).repeat(3)  # three negatives for each of five histories
    batch = Interaction({ROW_FIELD: rows, "neg": torch.arange(15)})
    parts = [share.row_share(batch, 5, rank, 2) for rank in (0, 1)]
    assert parts[0]["neg"].tolist() == [0, 1, 5, 6, 10, 11]
    assert parts[1]["neg"].tolist() == [2, 3, 4, 7, 8, 9, 12, 13, 14]
    single = Interaction({ROW_FIELD: torch.tensor([7])})
    parts = [share.row_share(single, 1, rank, 2) for rank in (0, 1)]
    assert [p[ROW_FIELD].tolist() for p in parts] == [[share.STAND_IN], [7]]


@pytest.mark.parametrize("instances", [[3], [1, 1, 8], [5, 5, 5, 5], [9, 1, 1, 1, 1, 1], [2] * 7])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_window_shares_cover_all_windows_once(instances, world):
    index = np.arange(len(instances))
    cut = [index[share.window_share(np.array(instances), r, world)] for r in range(world)]
    assert np.concatenate(cut).tolist() == index.tolist()
    assert max(sum(instances[i] for i in part) for part in cut) <= sum(instances) / world + max(
        instances
    )
