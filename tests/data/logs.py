"""Small logs for the tests of the data engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from recbole_finest.data.log import TEST, TRAIN, VALID, InteractionLog

COLUMNS = ("user", "item", "time", "row", "place", "role")
FOURSQUARE = Path(__file__).parents[2].parent / "shared/data/foursquare/foursquare.inter"


def make_log(*histories: str, roles: str | None = None, n_items: int | None = None):
    """A log of one user per history; each digit is an item, times count up over the whole log.

    ``roles`` has one of ``t`` (train), ``v`` (valid) and ``e`` (test) per interaction.
    """
    user = [u for u, history in enumerate(histories, 1) for _ in history]
    item = [int(digit) for history in histories for digit in history]
    role = None if roles is None else [{"t": TRAIN, "v": VALID, "e": TEST}[r] for r in roles]
    return InteractionLog.from_columns(
        np.array(user, int), np.array(item, int), np.arange(len(user)), role, n_items=n_items
    )


@st.composite
def logs(draw: st.DrawFn, min_train: int = 1, max_size: int = 30) -> InteractionLog:
    """Random logs: few users, items and distinct times, any roles, unused ids."""
    n = draw(st.integers(min_train, max_size))
    column = st.lists(st.integers(1, draw(st.integers(1, 6))), min_size=n, max_size=n)
    user, item, time = (np.array(draw(column), np.int64) for _ in range(3))
    role = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.int8)
    role[:min_train] = TRAIN
    spare = draw(st.integers(0, 2))
    largest = int(item.max(initial=0))
    return InteractionLog.from_columns(user, item, time, role, n_items=largest + 1 + spare)


def foursquare(rows: int | None = None) -> InteractionLog:
    """The first rows of the Foursquare check-ins; skips the test where they are not at hand."""
    if not FOURSQUARE.exists():
        pytest.skip("the Foursquare data are not at hand")
    frame = pd.read_csv(FOURSQUARE, sep="\t", nrows=rows)
    user, item = (pd.factorize(frame[name])[0] + 1 for name in ("user_id:token", "item_id:token"))
    return InteractionLog.from_columns(user, item, frame["timestamp:float"].to_numpy())


def assert_equal(one: InteractionLog, other: InteractionLog) -> None:
    """Every column and size of two logs is the same, integer widths included."""
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
        assert getattr(one, name).dtype == getattr(other, name).dtype, name
    assert (one.n_users, one.n_items, one.n_clean) == (other.n_users, other.n_items, other.n_clean)
