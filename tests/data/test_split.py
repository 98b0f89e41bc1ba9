"""Which training interactions are next items."""

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation.kinds import Deletion
from recbole_finest.data.split import chosen_targets


def log_of_two_users() -> InteractionLog:
    """User 1 with 7 interactions, the last for test; user 2 with 3 for training."""
    user = np.repeat([1, 2], [7, 3])
    role = np.zeros(10, np.int8)
    role[6] = 2
    return InteractionLog.from_columns(user, np.arange(1, 11), np.arange(10), role)


def test_every_second_from_the_last():
    log = log_of_two_users()
    chosen = chosen_targets(log, 2, None)
    assert np.flatnonzero(chosen).tolist() == [1, 3, 5, 7, 9]
    targets = log.with_targets(chosen).target_positions
    assert targets.tolist() == [1, 3, 5, 9]  # 7 is user 2's first interaction: no history


def test_recent_only():
    log = log_of_two_users()
    assert np.flatnonzero(chosen_targets(log, 1, 2)).tolist() == [4, 5, 8, 9]


def test_all_by_default():
    assert chosen_targets(log_of_two_users(), 1, None) is None


def test_a_deletion_moves_no_other_target():
    log = log_of_two_users()
    log = log.with_targets(chosen_targets(log, 2, None))
    perturbed = Deletion().apply(log, np.array([4]), np.zeros(1, np.int64))
    assert perturbed.row[perturbed.target_positions].tolist() == [1, 3, 5, 9]
