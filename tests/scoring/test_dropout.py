"""Dropout masks belong to rows by their keys."""

import numpy as np
import pytest
import torch
from recbole.data.interaction import Interaction

from recbole_finest.data.instances import KEY_FIELD
from recbole_finest.model.fused import Dropout
from recbole_finest.scoring.dropout import LEVELS, RowDraws
from recbole_finest.scoring.modes import packed
from recbole_finest.seeding import token_keys

KEYS = token_keys(range(64))


def test_a_row_that_leaves_changes_nothing_for_the_others():
    shape = torch.Size([64, 7, 5])
    whole = RowDraws(KEYS, 3).keep_mask(shape, LEVELS // 2)
    kept = np.arange(64) % 3 != 0
    part = RowDraws(KEYS[kept], 3).keep_mask(torch.Size([int(kept.sum()), 7, 5]), LEVELS // 2)
    assert torch.equal(part, whole[torch.from_numpy(kept)])
    turned = RowDraws(KEYS[::-1], 3).keep_mask(shape, LEVELS // 2)
    assert torch.equal(turned.flip(0), whole)


def test_steps_and_calls_have_masks_of_their_own():
    shape = torch.Size([64, 100])
    draws, other = RowDraws(KEYS, 3), RowDraws(KEYS, 4)
    masks = [d.keep_mask(shape, LEVELS // 2).float() for d in (draws, draws, other)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert (masks[i] == masks[j]).float().mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_that_is_kept(p):
    mask = RowDraws(KEYS, 0).keep_mask(torch.Size([64, 4000]), round(p * LEVELS))
    assert mask.float().mean() == pytest.approx(1 - p, abs=0.005)
    assert mask.float().mean(1).std() == pytest.approx((p * (1 - p) / 4000) ** 0.5, rel=0.4)
    assert mask.float().mean(0).std() == pytest.approx((p * (1 - p) / 64) ** 0.5, rel=0.1)


def test_only_tensors_of_the_batchs_rows_fit():
    draws = RowDraws(KEYS, 0)
    assert draws.fits(torch.Size([64, 3])) and not draws.fits(torch.Size([63, 3]))
    assert not draws.fits(torch.Size([64]))
    assert not draws.fits(torch.Size([64, 2**24]))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = Dropout(0.5)


def test_a_training_step_gives_its_rows_to_the_layers():
    model, x = Model(), torch.ones(64, 50)
    batch = Interaction({KEY_FIELD: torch.from_numpy(KEYS.view(np.int64))})
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        with packed(model, batch):
            found.append(model.layer(x))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])
    assert set(found[0].unique().tolist()) == {0.0, 2.0}
    part = Interaction({KEY_FIELD: batch[KEY_FIELD][10:20]})
    torch.manual_seed(1)
    with packed(model, part):
        assert torch.equal(model.layer(x[:10]), found[0][10:20])
    assert model.layer.rows is None
    torch.manual_seed(1)
    with packed(model, Interaction({"other": torch.zeros(64)})):
        assert model.layer.rows is None
    model.eval()
    with packed(model, batch):
        assert torch.equal(model.layer(x), x)
