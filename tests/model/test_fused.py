"""Fused operations against the ones that they replace."""

import copy

import pytest
import torch
from recbole.model.layers import FeedForward
from torch import nn

from recbole_finest.model.fused import Dropout, fuse


def test_gelu_is_recboles():
    torch.manual_seed(0)
    stock = FeedForward(8, 32, 0.0, "gelu", 1e-12)
    fused = fuse(copy.deepcopy(stock))
    weight = torch.randn(8)  # LayerNorm's outputs sum to a constant
    assert fused.intermediate_act_fn is nn.functional.gelu
    assert list(fused.state_dict()) == list(stock.state_dict())
    found = []
    for layer in (stock, fused):
        x = torch.linspace(-6, 6, 80).reshape(10, 8).requires_grad_()
        out = layer(x)
        (out * weight).sum().backward()
        found.append((out, x.grad))
    for one, other in zip(*found):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_other_activations_stay():
    layer = FeedForward(8, 32, 0.0, "relu", 1e-12)
    assert fuse(layer).intermediate_act_fn is nn.functional.relu


def test_dropout_modules_are_replaced_and_keep_their_mode():
    model = nn.Sequential(nn.Dropout(0.25), nn.Sequential(nn.Dropout(0.5))).eval()
    fuse(model)
    assert [type(m) for m in (model[0], model[1][0])] == [Dropout, Dropout]
    assert [model[0].p, model[1][0].p] == [0.25, 0.5]
    x = torch.randn(5, 7)
    assert torch.equal(model(x), x)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_the_share_p_and_keeps_the_mean(p):
    torch.manual_seed(0)
    layer = Dropout(p)
    n = 200_003  # no multiple of four
    x = torch.full((n,), 3.0, requires_grad=True)
    out = layer(x)
    share = (out == 0).double().mean().item()
    assert abs(share - p) < 5 * (p * (1 - p) / n) ** 0.5 + 2**-17
    kept = out[out != 0]
    assert torch.allclose(kept, torch.tensor(3.0 / (1 - p)), rtol=1e-3)
    out.sum().backward()
    assert torch.equal(x.grad == 0, out == 0)
    assert torch.allclose(x.grad * 3, out)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(400_000)) != 0).double()
    for lag in (1, 2, 3, 4, 5):
        together = (kept[lag:] * kept[:-lag]).mean().item()
        assert abs(together - 0.25) < 0.005


def test_dropout_follows_the_global_generator():
    x, layer = torch.ones(100), Dropout(0.5)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(layer(x))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_no_dropout_and_nothing_but_dropout():
    x = torch.ones(5)
    assert Dropout(0.0)(x) is x
    assert torch.equal(Dropout(1.0)(x), torch.zeros(5))
