"""Numbers in text: Python's, without what only Python takes for one."""

from __future__ import annotations

import math
import os
import random

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from recbole_finest.formats.numbers import as_numbers, beyond_pandas

NAN = float("nan")


@given(st.lists(st.floats() | st.integers(-(10**17), 10**17)))
def test_every_number_is_exact(values):
    np.testing.assert_array_equal(as_numbers([repr(v) for v in values]), np.array(values, float))
    np.testing.assert_array_equal(as_numbers(values), np.array(values, float))


@given(st.lists(st.text(alphabet="0123456789.eE+-_ ١x", max_size=8)))
def test_each_value_for_itself_whatever_stands_beside_it(texts):
    alone = [as_numbers([text])[0] for text in texts]
    np.testing.assert_array_equal(as_numbers(texts), np.array(alone, float))


def test_by_hand():
    texts = ["1", " 2.5 ", "-1e-3", "0.071e4008866899", "1e-4008866899", "inf"]
    expected = [1, 2.5, -0.001, np.inf, 0, np.inf]
    np.testing.assert_array_equal(as_numbers(texts), expected)
    texts += ["nan", "", "x", "1_0", "١", None]
    expected += [NAN] * 6
    np.testing.assert_array_equal(as_numbers(texts), expected)
    np.testing.assert_array_equal(
        as_numbers(pd.Series(["1", b"x", [1], 10**400])), [1, NAN, NAN, NAN]
    )
    np.testing.assert_array_equal(as_numbers(pd.Series([1, 2], dtype="int8")), [1, 2])
    for none in (pd.date_range("2020-01-01", periods=2), [True, False], np.array([True, False])):
        np.testing.assert_array_equal(as_numbers(none), [NAN, NAN])


def test_what_pandas_must_not_see():
    good = ["1e5", "1E-300", "-2.5e+400", "e5", "Ee4008866", "123456", "nan", "", "1e"]
    bad = ["0.071e4008866899", "1e-401", "1E+00000000000401", "-.5e-9999 ", " 0.071e4008866899.5x"]
    assert not any(map(beyond_pandas, good))
    assert all(map(beyond_pandas, bad))


def like_a_number(draw: random.Random) -> str:
    """A text of signs, digits and exponents of any size, and perhaps something after it."""
    digits = "".join(draw.choice("0123456789.") for _ in range(draw.randint(0, 20)))
    power = draw.choice(
        [draw.randint(0, 500), draw.randint(0, 10**12), int("9" * draw.randint(1, 18))]
    )
    signs = [draw.choice(["", "-", "+", " "]) for _ in range(2)]
    return f"{signs[0]}{digits}{draw.choice('eE')}{signs[1]}{power}{draw.choice(['', '.5', 'x', 'e9'])}"


def pandas_errs(seed: int, times: int) -> bool:
    """Whether pandas' parser takes a text that it may see for another number than Python does."""
    from pandas._libs.lib import maybe_convert_numeric

    draw = random.Random(seed)
    texts = (like_a_number(draw) for _ in range(times))
    for text in (one for one in texts if not beyond_pandas(one)):
        try:
            theirs = float(maybe_convert_numeric(np.array([text], object), set(), False)[0][0])
            ours = float(text)
        except (ValueError, TypeError):
            continue  # what one of them takes for no number
        if not math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-300):
            return True
    return False


def test_what_pandas_may_see_neither_ends_it_nor_errs():
    child = os.fork()  # as 0.071e4008866899 would end this process
    if child == 0:
        os._exit(int(pandas_errs(seed=0, times=30_000)))
    assert os.waitpid(child, 0)[1] == 0
