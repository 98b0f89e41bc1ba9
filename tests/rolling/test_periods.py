"""A log cut by time, worked by hand, and whatever the times are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbole_finest import UserError
from recbole_finest.config.config import Config
from recbole_finest.rolling.periods import Periods, period_of

ROWS = """\
user_id:token\titem_id:token\trating:float\ttimestamp:float
a\tx\t1\t10
b\ty\t2\t40
a\ty\t3\t20
NA\tx\t4\t30
b\tz\t5\t60
a\tz\t1\t50
c\tw\t2\t80
a\tx\t3\t70
"""


@pytest.fixture
def periods(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log/log.inter").write_text(ROWS)
    return Periods(Config("GRU4Rec", "log", config_dict={"data_path": str(tmp_path)}), 0.5, 1)


def test_periods_by_hand():
    times = np.array([7, 1, 2, 3, 4, 5, 6, 8])
    # the first half; the rest in three parts, cut after 5.33 and 6.67 of 8, rounded
    assert period_of(times, 0.5, 2).tolist() == [2, 0, 0, 0, 0, 1, 2, 3]


def test_one_moment_is_not_cut():
    assert period_of(np.array([1, 1, 1, 2, 2, 3]), 0.3, 1).tolist() == [0, 0, 0, 1, 1, 2]


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=60),
    st.floats(0.05, 0.95),
    st.integers(1, 5),
)
def test_periods_follow_time(times, start, periods):
    times = np.array(times)
    try:
        found = period_of(times, start, periods)
    except UserError as error:
        assert "choose fewer --periods" in str(error)
        return
    order = np.argsort(times, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert set(found) == set(range(periods + 2))
    assert len({(t, p) for t, p in zip(times, found)}) == len(set(times))


def test_what_is_known_and_what_comes(periods, tmp_path):
    assert periods.users.tolist() == ["NA", "a", "b", "c"]
    assert periods.period.tolist() == [0, 0, 0, 0, 1, 1, 2, 2]
    assert periods.active(1).tolist() == [False, True, True, False]
    assert periods.items[periods.newcomers(1)].tolist() == ["z"]
    user, item = periods.truth(2)
    pairs = set(zip(periods.users[user], periods.items[item]))
    assert pairs == {("c", "w"), ("a", "x")}
    periods.write(tmp_path / "cut")
    lines = ROWS.splitlines(keepends=True)
    assert (tmp_path / "cut/log-0/log-0.inter").read_text() == "".join(lines[:5])
    assert (tmp_path / "cut/log-1/log-1.inter").read_text() == "".join(lines[:7])
    assert not (tmp_path / "cut/log-2").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("user_id:token\titem_id:token\na\tx\n", "has no column 'timestamp'"),
        (ROWS.replace("\t70", "\tlate"), "a time that is no number: .*late"),
        (ROWS.replace("\t80", "\t60").replace("\t70", "\t60"), "no interactions of their own"),
    ],
)
def test_logs_that_cannot_be_replayed(tmp_path, text, said):
    (tmp_path / "log").mkdir()
    (tmp_path / "log/log.inter").write_text(text)
    config = Config("GRU4Rec", "log", config_dict={"data_path": str(tmp_path)})
    with pytest.raises(UserError, match=said):
        Periods(config, 0.5, 1)
