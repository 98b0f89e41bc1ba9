"""Two models compared batch by batch."""

from types import SimpleNamespace

import numpy as np
import torch

from recbole_finest.evaluator.compare_models import compare_models


class Table(torch.nn.Module):
    """A model whose scores are rows of a matrix."""

    def __init__(self, scores):
        super().__init__()
        self.scores = torch.nn.Parameter(scores)


def scorer(scores):
    model = Table(scores)
    return SimpleNamespace(
        model=model, n_items=scores.shape[1], all_items=lambda batch: model.scores[batch]
    )


def loader(n, size):
    return [(part, None, None, None) for part in torch.arange(n).split(size)]


def brute(one, other):
    """Average overlap of two complete orders, by its definition."""
    shares = [len(set(one[:d]) & set(other[:d])) / d for d in range(1, len(one) + 1)]
    return sum(shares) / len(shares)


def test_the_whole_catalogue_against_the_definition():
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(23, 40, generator=generator) for _ in range(2))
    found = compare_models(scorer(first), scorer(second), loader(23, 5))
    orders = [(s[:, 1:].argsort(1, descending=True) + 1).tolist() for s in (first, second)]
    expected = [brute(a, b) for a, b in zip(*orders)]
    assert list(found) == ["averageoverlap@39"]
    np.testing.assert_allclose(found["averageoverlap@39"], expected, atol=1e-12)


def test_depths_and_modes():
    scores = torch.tensor([[0.0, 3.0, 2.0, 1.0]])
    other = torch.tensor([[0.0, 3.0, 1.0, 2.0]])
    one = scorer(scores)
    found = compare_models(one, scorer(other), loader(1, 8), ["Jaccard"], [1, 2])
    assert found["jaccard@1"].tolist() == [1.0] and found["jaccard@2"].tolist() == [1 / 3]
    assert one.model.training
