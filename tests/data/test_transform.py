"""Our transforms against RecBole's, and perturbations as transforms of the log."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from recbole.data.interaction import Interaction
from recbole.data.transform import Equal as StockEqual
from recbole.data.transform import InverseItemSequence as StockInverse
from recbole.data.transform import MaskItemSequence as StockMask

from recbole_finest.data.instances import KEY_FIELD
from recbole_finest.data.transform import (
    Compose,
    InverseItemSequence,
    LogPerturbation,
    MaskItemSequence,
    OneOf,
    absent_items,
    vectorized,
)
from recbole_finest.errors import UserError
from tests.data.logs import assert_equal, make_log
from tests.data.stock import seed_all

ITEMS, LENGTH = "item_id_list", "item_length"
MASKED, POSITIVE, NEGATIVE, INDEX = "Mask_item_id_list", "Pos_item_id", "Neg_item_id", "MASK_INDEX"
N_ITEMS = 30


class Settings(dict):
    """What RecBole's transforms read: some settings as items, one as an attribute."""

    def __init__(self, width, mask_ratio=0.3, ft_ratio=None):
        super().__init__(
            ITEM_ID_FIELD="item_id",
            LIST_SUFFIX="_list",
            ITEM_LIST_LENGTH_FIELD=LENGTH,
            MAX_ITEM_LIST_LENGTH=width,
            mask_ratio=mask_ratio,
            ft_ratio=ft_ratio,
        )
        if ft_ratio is not None:
            self.ft_ratio = ft_ratio


class Items:
    def num(self, field):
        return N_ITEMS


def batch_of(lengths, width, seed=0):
    rng = np.random.default_rng(seed)
    items = torch.from_numpy(rng.integers(1, N_ITEMS, (len(lengths), width)))
    lengths = torch.tensor(lengths)
    items *= torch.arange(width) < lengths[:, None]
    return Interaction({ITEMS: items, LENGTH: lengths})


def masked(batch, width, seed=0, **settings):
    transform = MaskItemSequence(StockMask(Settings(width, **settings)))
    transform.rng = np.random.default_rng(seed)
    return transform(Items(), copy.deepcopy(batch))


# Inverse ----------------------------------------------------------------------------------------------


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=9), width=st.integers(6, 8))
def test_inverse_is_recboles(lengths, width):
    batch, settings = batch_of(lengths, width), Settings(width)
    stock = StockInverse(settings)
    ours = vectorized(StockInverse(settings))
    assert isinstance(ours, InverseItemSequence)
    one, other = ours(None, copy.deepcopy(batch)), stock(None, copy.deepcopy(batch))
    assert one.columns == other.columns
    for name in other.columns:
        assert torch.equal(one[name], other[name])
        assert one[name].dtype == other[name].dtype


def test_inverse_by_hand():
    batch = Interaction({ITEMS: torch.tensor([[1, 2, 0], [3, 4, 5]]), LENGTH: torch.tensor([2, 3])})
    ours = vectorized(StockInverse(Settings(3)))(None, batch)
    assert ours["Inverse_item_id_list"].tolist() == [[0, 1, 2], [3, 4, 5]]


# Mask -------------------------------------------------------------------------------------------------


def derived(items, mask, most):
    """RecBole's positive items and indices of one row, from its items and what is masked."""
    where = mask.nonzero().squeeze(1).tolist()
    pad = [0] * max(0, most - len(where))
    return (pad + items[where].tolist())[-most:], (pad + where)[-most:]


def check_structure(batch, out, width, mask_ratio):
    most = int(mask_ratio * width)
    items, mask = batch[ITEMS], out[MASKED] == N_ITEMS
    assert torch.equal(out[ITEMS], items)
    assert torch.equal(torch.where(mask, items, out[MASKED]), items)
    assert not (mask & (items == 0)).any()
    assert out[POSITIVE].shape == out[NEGATIVE].shape == out[INDEX].shape == (len(items), most)
    for row in range(len(items)):
        positive, index = derived(items[row], mask[row], most)
        assert out[POSITIVE][row].tolist() == positive
        assert out[INDEX][row].tolist() == index
        negative = out[NEGATIVE][row]
        assert ((negative == 0) == (out[POSITIVE][row] == 0)).all()
        assert not set(negative[negative > 0].tolist()) & set(items[row].tolist())
        assert (negative < N_ITEMS).all()


@limits(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 10), min_size=1, max_size=12),
    ratio=st.sampled_from([0.1, 0.2, 0.5, 0.9, 1.0]),
    ft_ratio=st.sampled_from([None, 0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_masks_have_recboles_structure(lengths, ratio, ft_ratio, seed):
    """Given what is masked, all fields are those of RecBole; negatives are items the user lacks."""
    batch, settings = batch_of(lengths, 10, seed), Settings(10, ratio, ft_ratio)
    seed_all(seed)
    stock = StockMask(settings)(Items(), copy.deepcopy(batch))
    ours = vectorized(StockMask(settings))
    assert isinstance(ours, MaskItemSequence)
    ours.rng = np.random.default_rng(seed)
    for out in (stock, ours(Items(), copy.deepcopy(batch))):
        check_structure(batch, out, 10, ratio)
        assert {name: out[name].dtype for name in out} == {
            name: stock[name].dtype for name in stock
        }
        if ft_ratio == 1.0:
            last = torch.arange(10) == batch[LENGTH][:, None] - 1
            assert torch.equal(out[MASKED] == N_ITEMS, last)


def frequencies(transform, batch, rounds):
    """How often each position is masked, whole batches have the last item masked, items are negatives."""
    total, last, negatives = 0, 0, np.zeros(N_ITEMS)
    is_last = torch.arange(batch[ITEMS].shape[1]) == batch[LENGTH][:, None] - 1
    for _ in range(rounds):
        out = transform(Items(), copy.deepcopy(batch))
        mask = out[MASKED] == N_ITEMS
        total = total + mask.double()
        last += torch.equal(mask, is_last)
        negatives += np.bincount(out[NEGATIVE].reshape(-1).numpy(), minlength=N_ITEMS)
    return total / rounds, last / rounds, negatives[1:] / negatives[1:].sum()


def test_masks_are_distributed_as_recboles():
    batch, settings = batch_of([1, 2, 5, 8] * 5, 8), Settings(8, 0.4, 0.25)
    seed_all()
    ours = MaskItemSequence(StockMask(settings))
    mine, my_last, my_negatives = frequencies(ours, batch, 2000)
    stock, last, negatives = frequencies(StockMask(settings), batch, 2000)
    items = batch[ITEMS] > 0
    expected = items * (0.75 * 0.4 + 0.25 * (torch.arange(8) == batch[LENGTH][:, None] - 1))
    # five standard errors of 2,000 rounds; a position that is a batch's last varies with its batch
    for found in (mine, stock):
        assert (found - expected).abs().max() < 5 * 0.5 / 2000**0.5
    for share in (my_last, last):
        assert abs(share - 0.25) < 5 * (0.25 * 0.75 / 2000) ** 0.5
    assert np.abs(my_negatives - negatives).max() < 0.004


def test_absent_items_by_hand():
    histories = np.array([[5, 2, 2, 0], [1, 6, 5, 4], [3, 3, 3, 3]])
    row, draws = np.repeat([0, 2, 1], 4), np.tile([0.0, 0.4, 0.6, 0.999], 3)
    found = absent_items(histories, 7, row, draws)  # they lack 1 3 4 6, 1 2 4 5 6 and 2 3
    assert found.tolist() == [1, 3, 4, 6, 1, 4, 5, 6, 2, 2, 3, 3]
    with pytest.raises(UserError, match="has all 6 items"):
        absent_items(np.arange(1, 7)[None], 7, row[:1], draws[:1])


def test_masks_are_drawn_anew_in_every_batch():
    batch, transform = batch_of([9] * 20, 9), MaskItemSequence(StockMask(Settings(9)))
    one, other = (transform(Items(), copy.deepcopy(batch))[MASKED] for _ in range(2))
    assert not torch.equal(one, other)
    assert torch.equal(masked(batch, 9, seed=3)[MASKED], masked(batch, 9, seed=3)[MASKED])


@limits(max_examples=50, deadline=None)
@given(
    gone=st.sets(st.integers(0, 11), max_size=8),
    ft_ratio=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 20),
)
def test_a_row_that_drops_out_changes_no_other_mask(gone, ft_ratio, seed):
    batch = batch_of([1, 2, 3, 4, 5, 6] * 2, 6)
    batch.update(Interaction({KEY_FIELD: torch.arange(12)}))
    kept = [slot for slot in range(12) if slot not in gone]
    whole = masked(batch, 6, seed, mask_ratio=0.5, ft_ratio=ft_ratio)
    part = masked(batch[kept], 6, seed, mask_ratio=0.5, ft_ratio=ft_ratio)
    for name in (MASKED, POSITIVE, INDEX, NEGATIVE):
        assert torch.equal(part[name], whole[name][kept]), name


def test_a_mask_that_can_cover_nothing_is_refused():
    with pytest.raises(UserError, match=r"mask_ratio is 0\.1.*MAX_ITEM_LIST_LENGTH=5"):
        MaskItemSequence(StockMask(Settings(5, 0.1)))


def test_other_transforms_stay():
    stock = StockEqual({})
    assert vectorized(stock) is stock


# Log transforms ---------------------------------------------------------------------------------------


def test_a_perturbation_of_the_log():
    log = make_log("12345", "67")
    transform = LogPerturbation("deletion", amount={"ratio": 0.5})
    perturbed = transform(log, np.random.default_rng(0))
    assert len(perturbed) == 4
    assert_equal(perturbed, transform(log, np.random.default_rng(0)))
    chosen = LogPerturbation("insertion", "file", "popular", {"rows": [1]})
    assert chosen(log, np.random.default_rng(0)).item.tolist() == [1, 1, 2, 3, 4, 5, 6, 7]


def test_one_of_draws_a_kind_for_each_call():
    log, rng = make_log("12345", "67"), np.random.default_rng(0)
    amount = {"count": 1}
    one_of = OneOf(tuple(LogPerturbation(k, amount=amount) for k in ("deletion", "insertion")))
    sizes = [len(one_of(log, rng)) for _ in range(40)]
    assert set(sizes) == {6, 8}
    assert 8 <= sizes.count(6) <= 32


def test_compose_applies_one_after_another():
    log = make_log("12345", "67")
    insert = LogPerturbation("insertion", "file", "popular", {"rows": [5]})
    delete = LogPerturbation("deletion", "file", amount={"rows": [0, 6]})
    perturbed = Compose((insert, delete))(log, np.random.default_rng(0))
    assert perturbed.row.tolist() == [1, 2, 3, 4, -1, 5]
