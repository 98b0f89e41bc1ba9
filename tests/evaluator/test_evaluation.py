"""One pass over the test instances."""

import numpy as np
import torch

from recbole_finest.data.log import InteractionLog
from recbole_finest.evaluator.evaluation import hide_seen


def test_the_items_of_the_whole_history_are_hidden():
    user, item = np.array([1, 1, 1, 2, 2]), np.array([3, 1, 2, 2, 3])
    log = InteractionLog.from_columns(user, item, np.arange(5))
    scores = torch.ones(3, 5)
    hide_seen(scores, log, np.array([2, 4, 3]))  # histories: 3 1, then 2, then nothing
    hidden = [torch.isinf(row).nonzero()[:, 0].tolist() for row in scores]
    assert hidden == [[1, 3], [2], []]
