"""Instructions of a pickle that would exhaust the stack, hash for ever, or change what they are given."""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict

import pytest

from recbole_finest.formats.pickled import DataUnpickler, _tensor
from recbole_finest.formats.unpickler import TUPLE_DEPTH

HEAD = b"\x80\x02"


def load(code: bytes):
    return DataUnpickler(io.BytesIO(HEAD + code)).load()


def nested(depth: int) -> bytes:
    """``{((…),): None}``"""
    return b"})" + b"\x85" * (depth - 1) + b"Ns."


def test_tuples_are_read_up_to_a_depth():
    (key,) = load(nested(TUPLE_DEPTH))
    for _ in range(TUPLE_DEPTH - 1):
        (key,) = key
    assert key == ()
    with pytest.raises(pickle.UnpicklingError, match="without end"):
        load(nested(TUPLE_DEPTH + 2))  # 200,000 ended the process with a full stack


def test_a_tuple_that_is_small_and_takes_for_ever_to_hash():
    value: tuple = ()
    for _ in range(10):
        value = (value, value)
    for protocol in (0, 1, 2, 4):
        assert DataUnpickler(io.BytesIO(pickle.dumps(value, protocol))).load() == value
    for _ in range(50):
        value = (value, value)
    with pytest.raises(pickle.UnpicklingError, match="without end"):
        DataUnpickler(io.BytesIO(pickle.dumps(value, 2))).load()


def test_no_attribute_of_a_function_or_class_is_set():
    state = b"}X\x0c\x00\x00\x00__defaults__)sb."
    for name in (b"ctorch._utils\n_rebuild_tensor_v2\n", b"crecbole.config.configurator\nConfig\n"):
        with pytest.raises(pickle.UnpicklingError, match="sets attributes"):
            load(name + state)
    assert _tensor.__defaults__ is None


def test_of_a_modules_state_only_the_versions_are_kept():
    made = OrderedDict(w=1)
    made._metadata = {"": {"version": 2}, "x": 3}
    made.pop = None
    found = DataUnpickler(io.BytesIO(pickle.dumps(made, 2))).load()
    assert found == OrderedDict(w=1) and found._metadata == {"": {"version": 2}}
    assert found.pop("w") == 1


def test_a_bytearray_is_refused_before_it_is_allocated():
    with pytest.raises(pickle.UnpicklingError, match="bytearray"):
        load(b"\x96" + (10**12).to_bytes(8, "little"))
