"""Values of a measure that is only noise."""

from __future__ import annotations

import numpy as np

from recbole_finest.evaluator.measures import jaccard


def noisy_jaccards(rng: np.random.Generator, draws: int, users: int) -> np.ndarray:
    """Jaccard@10 of lists with a copy of random agreement; ``[draws, users]``."""
    reference = np.tile(np.arange(10), (draws * users, 1))
    replaced = rng.random(reference.shape) < rng.beta(2, 4, (draws * users, 1))
    other = np.where(replaced, reference + 100, reference)
    return jaccard(reference, other, 10).reshape(draws, users)
