"""The best items are exact, ties included."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recbole_finest.errors import UserError
from recbole_finest.evaluator import topk
from recbole_finest.evaluator.topk import top_items, top_items_and_scores


def brute(row: torch.Tensor, k: int) -> list[int]:
    """Sort all items but the padding and the masked ones by score descending, id ascending."""
    scores = row.tolist()
    items = [i for i in range(1, len(scores)) if scores[i] != -np.inf]
    best = sorted(items, key=lambda i: (-scores[i], i))[:k]
    return best + [-1] * (k - len(best))


def tied_scores(seed: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Few distinct scores, some of them masked, +0 and -0 among them."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(-2, 3, (200, 40), generator=generator).to(dtype)
    scores[:60] += torch.randn(60, 40, generator=generator).to(dtype)  # hardly any ties
    scores[scores == 2] = -torch.inf
    scores[::2] *= -1.0
    scores[scores == torch.inf] = 5
    scores[150:152] = -torch.inf
    scores[152:154] = 1.0
    return scores


@pytest.mark.parametrize("k", [1, 2, 10, 38, 39, 40, 50])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_equals_a_stable_sort(k, dtype):
    scores = tied_scores(k, dtype)
    before = scores.clone()
    items, values = top_items_and_scores(scores, k)
    assert items.tolist() == [brute(row, k) for row in scores]
    assert items.dtype == torch.int64
    assert torch.equal(scores, before)
    found = items > 0
    assert torch.equal(values[found], scores.gather(1, items.clamp(min=0))[found])
    assert (values[~found] == -torch.inf).all()


def test_rows_with_ties_are_treated_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(topk, "CELLS_AT_A_TIME", 100)
    scores = tied_scores(3)
    assert top_items(scores, 5).tolist() == [brute(row, 5) for row in scores]


def test_the_padding_item_is_never_returned():
    scores = torch.tensor([[9.0, 1.0, 3.0, 2.0]])
    assert top_items(scores, 2).tolist() == [[2, 3]]
    assert top_items(scores[:0], 2).shape == (0, 2)


def test_scores_that_are_no_numbers_and_no_items_are_refused():
    with pytest.raises(UserError, match="NaN"):
        top_items(torch.tensor([[0.0, 1.0, float("nan")]]), 1)
    with pytest.raises(UserError, match="at least 1"):
        top_items(torch.zeros(1, 3), 0)
