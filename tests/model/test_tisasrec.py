import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from recbole_finest.data.log import TEST, TRAIN, VALID
from recbole_finest.errors import UserError
from recbole_finest.model.interval_units import _units_of_instances, interval_units
from recbole_finest.model.tisasrec import TimeIntervalAttention

from .toy import (
    ToyDataset,
    check_causality,
    check_losses,
    check_padding,
    cycle_batch,
    make_batch,
    make_model,
    toy_log,
    train,
)

CONFIG = {
    "USER_ID_FIELD": "user_id",
    "TIME_FIELD": "timestamp",
    "LIST_SUFFIX": "_list",
    "ITEM_LIST_LENGTH_FIELD": "item_length",
}


def units(*args, **kwargs):
    return interval_units(ToyDataset(toy_log(*args, **kwargs)), CONFIG).tolist()


def test_the_unit_is_the_smallest_positive_gap():
    # user 0 is padding, user 3's times are all equal, user 4 has one row
    user = [1, 1, 1, 1, 2, 2, 3, 3, 4]
    time = [10.0, 15.0, 15.0, 18.0, 100.0, 107.0, 5.0, 5.0, 6.0]
    assert units(time, user) == [math.inf, 3.0, 7.0, math.inf, math.inf]


def test_the_unit_sees_only_training_rows():
    role = [TRAIN, TRAIN, TRAIN, VALID, TEST]
    assert units([0, 20, 30, 31, 31.5], role=role)[1] == 10.0


def test_an_insertion_cannot_collapse_the_unit():
    assert units([0, 20, 20, 30]) == units([0, 20, 30])


def test_gaps_of_unix_times_are_exact():
    assert units([1.6e9, 1.6e9 + 1, 1.6e9 + 4])[1] == 1.0


def test_recboles_own_columns_give_the_same_units():
    user = [1] * 6 + [2] * 3 + [3] * 2
    time = [3.0, 3.0, 7.0, 9.5, 20.0, 40.0, 1.0, 9.0, 12.0, 4.0, 4.0]
    rows = [  # RecBole's instances: user, history of at most 4, target
        (user[i], time[max(begin, i - 4) : i], time[i])
        for begin, end in [(0, 6), (6, 9), (9, 11)]
        for i in range(begin + 1, end)
    ]
    feat = {
        "user_id": torch.tensor([row[0] for row in rows]),
        "timestamp": torch.tensor([row[2] for row in rows]),
        "timestamp_list": torch.tensor([row[1] + [0.0] * (4 - len(row[1])) for row in rows]),
        "item_length": torch.tensor([len(row[1]) for row in rows]),
    }
    assert _units_of_instances(feat, CONFIG, 4, rows=3).tolist() == units(time, user)
    del feat["timestamp_list"]
    with pytest.raises(UserError, match="needs the time column"):
        _units_of_instances(feat, CONFIG, 4)


def test_intervals_by_hand():
    model = make_model("TiSASRec", toy_log([0.0, 2.0, 9.0]), time_span=3)  # unit 2
    batch = make_batch([[1, 2, 3]], 3, times=[[0.0, 5.0, 100.0]])
    assert model.intervals(batch).tolist() == [[[0, 2, 3], [2, 0, 3], [3, 3, 0]]]
    batch["timestamp_list"] = batch.pop("timestamp_offset_list") * 2  # RecBole's own field
    assert model.intervals(batch).tolist() == [[[0, 3, 3], [3, 0, 3], [3, 3, 0]]]
    del batch["timestamp_list"]
    with pytest.raises(UserError, match="needs the time column"):
        model.full_sort_predict(batch)


def test_without_a_unit_every_interval_is_zero():
    model = make_model("TiSASRec", toy_log([4.0, 4.0]))
    assert model.intervals(make_batch([[1, 2]], 3, times=[[0.0, 5.0]])).eq(0).all()


def naive_attention(layer, inputs, positions, table, intervals):
    """The paper's sums with every r_ij written out, ``[B, L, L, H]``, head by head."""
    query, key, value = layer.query(inputs), layer.key(inputs), layer.value(inputs)
    key = key.unsqueeze(1) + positions[0] + table[0][intervals]  # [B, L, L, H]
    value = value.unsqueeze(1) + positions[1] + table[1][intervals]
    length, width = inputs.shape[1], inputs.shape[2] // layer.n_heads
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    outputs = []
    for head in range(layer.n_heads):
        part = slice(head * width, (head + 1) * width)
        score = (query.unsqueeze(2) * key)[..., part].sum(-1) / math.sqrt(width)
        weight = score.masked_fill(future, -math.inf).softmax(-1)
        outputs.append((weight.unsqueeze(-1) * value[..., part]).sum(2))
    return torch.cat(outputs, -1)


def attention_example(n_heads, batch=3, length=6, hidden=8, n_intervals=5):
    torch.manual_seed(0)
    layer = TimeIntervalAttention(hidden, n_heads, dropout=0.0).double()
    inputs = torch.randn(batch, length, hidden).double().requires_grad_()
    positions = tuple(torch.randn(2, length, hidden).double().requires_grad_())
    table = tuple(torch.randn(2, n_intervals, hidden).double().requires_grad_())
    intervals = torch.randint(n_intervals, (batch, length, length))
    mask = torch.full((length, length), -1e4).triu(1).expand(batch, 1, -1, -1)
    return layer, inputs, positions, table, intervals, mask


@pytest.mark.parametrize("n_heads", [1, 2, 4])
def test_attention_equals_the_written_out_sums(n_heads):
    layer, *context, mask = attention_example(n_heads)
    output, expected = layer(*context, mask), naive_attention(layer, *context)
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    leaves = [context[0], *context[1], *context[2], *layer.parameters()]
    got = torch.autograd.grad((output**2).sum(), leaves)
    want = torch.autograd.grad((expected**2).sum(), leaves)
    for one, other in zip(got, want):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


class LargestTensor(TorchDispatchMode):
    """Remembers the number of elements of the largest tensor that any operation returns."""

    numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return result


def test_no_tensor_holds_a_vector_for_every_pair():
    layer, *context = attention_example(n_heads=2, batch=4, length=20, hidden=16, n_intervals=17)
    with LargestTensor() as largest:
        layer(*context).sum().backward()
    assert largest.numel <= 4 * 2 * 20 * 20  # B heads L max(L, R); B L L H would be 8 times as many


def test_heads_must_divide_the_width():
    with pytest.raises(UserError, match="n_heads 3"):
        make_model("TiSASRec", n_heads=3)


def test_learns_a_deterministic_sequence():
    model = make_model("TiSASRec", initializer_range=0.02)
    assert train(model, cycle_batch(), steps=80) > 0.95


def test_learns_from_intervals_alone():
    # the same items every time: only the first gap tells the target
    gaps = list(range(1, 9))
    batch = make_batch([[1, 2]] * 8, 4, times=[[0, gap] for gap in gaps], targets=gaps)
    model = make_model("TiSASRec", time_span=16, initializer_range=0.02)
    assert train(model, batch, steps=100) > 0.95


def test_units_travel_with_the_weights():
    trained = make_model("TiSASRec", toy_log([0.0, 2.0]))
    other = make_model("TiSASRec", toy_log([0.0, 5.0]))
    other.load_state_dict(trained.state_dict())
    assert other.interval_unit.tolist() == [math.inf, 2.0]


def test_ignores_padding():
    check_padding(make_model("TiSASRec", n_heads=2))


def test_no_position_sees_the_future():
    check_causality(make_model("TiSASRec", n_heads=2))


def test_losses():
    check_losses("TiSASRec")
