"""The rank-preserving loss, by hand."""

import pytest
import torch

from recbole_finest.method.loss import RankPreservingLoss


def test_worked_example():
    # K = 2, m = 0.5: order 0.5 - 0.2 = 0.3; separation (0 + 0.5 - 0.1) / 2 = 0.2
    order, separation = RankPreservingLoss(0.5).parts(torch.tensor([[2.0, 1.8, 1.0, 1.7]]))
    assert order.tolist() == pytest.approx([0.3])
    assert separation.tolist() == pytest.approx([0.2])


def test_k_of_three_uses_k_minus_one_pairs():
    # order: 0.1 - 0.5 -> 0, 0.1 - (-0.2) = 0.3; mean over 2 = 0.15
    # separation: 0.1 - 1.0 -> 0, 0.1 - 0.6 -> 0, 0.1 - (-0.1) = 0.2; mean over 3
    scores = torch.tensor([[2.0, 1.5, 1.7, 1.0, 0.9, 1.8]])
    order, separation = RankPreservingLoss(0.1).parts(scores)
    assert order.item() == pytest.approx(0.15)
    assert separation.item() == pytest.approx(0.2 / 3)


def test_is_zero_when_every_gap_exceeds_the_margin_and_ignores_a_constant():
    scores = torch.arange(8, 0, -1).float()[None]
    loss = RankPreservingLoss(0.9)
    assert loss(scores).item() == 0
    bad = scores.flip(1)
    assert loss(bad).item() == pytest.approx(loss(bad + 100).item())


def test_gradient_pushes_a_swapped_pair_apart():
    scores = torch.tensor([[1.0, 1.2, -5.0, -5.0]], requires_grad=True)
    RankPreservingLoss(0.1)(scores).sum().backward()
    assert scores.grad.tolist() == [[-1.0, 1.0, 0.0, 0.0]]


def test_margin_0_leaves_a_list_in_its_order_alone_and_another_margin_does_not():
    """Neighbours closer than the margin are pulled apart, although their order is kept."""
    scores = torch.tensor([[1.03, 1.02, 1.01, 1.0]], requires_grad=True)
    held = RankPreservingLoss(0)(scores).sum()
    held.backward()
    assert held.item() == 0 and scores.grad.tolist() == [[0, 0, 0, 0]]
    scores.grad = None
    RankPreservingLoss(0.1)(scores).sum().backward()  # order 0.09; separation 0.08, twice
    # order: 1.03 against 1.02; separation: 1.03 against 1.01 and 1.02 against 1, half each
    assert scores.grad.tolist() == [[-1.5, 0.5, 0.5, 0.5]]


@pytest.mark.parametrize("width", [2, 3, 5])
def test_refuses_lists_that_are_no_2k(width):
    with pytest.raises(ValueError, match="2K >= 4"):
        RankPreservingLoss(0.1)(torch.zeros(1, width))
