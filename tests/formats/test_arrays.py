"""NumPy's files: what NumPy writes is read as it is, and nothing larger than its file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from recbole_finest.formats.arrays import open_array, read_arrays
from recbole_finest.formats.plain import MIB, RATIO, UNPACKED, check_unpacked
from tests.formats.corpus import header

TYPES = [
    "<f2",
    "<f4",
    "<f8",
    "|i1",
    "<i2",
    "<i4",
    "<i8",
    "|u1",
    "<u2",
    "<u4",
    "<u8",
    "|b1",
    "<U1",
    "<U7",
]
ANY = st.sampled_from(TYPES).flatmap(
    lambda kind: arrays(
        kind,
        array_shapes(min_dims=0, max_dims=3, min_side=0),
        elements={"alphabet": "aé√𝄞"} if "U" in kind else None,
    )
)


@settings(max_examples=60, deadline=None)
@given(first=ANY, second=ANY, order=st.sampled_from("CF"), packed=st.booleans())
def test_what_numpy_writes_is_read(tmp_path_factory, first, second, order, packed):
    folder = tmp_path_factory.mktemp("arrays")
    given = {"a": np.asarray(first, order=order), "é/b": second}
    (np.savez_compressed if packed else np.savez)(folder / "a.npz", **given)
    found = read_arrays(folder / "a.npz")
    assert list(found) == list(given)
    np.save(folder / "a.npy", given["a"])
    for name, array in [*found.items(), ("a", open_array(folder / "a.npy"))]:
        assert array.dtype == given[name].dtype
        np.testing.assert_array_equal(array, given[name])


def test_only_what_is_wanted_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(3), b=np.array([None], object))
    assert list(read_arrays(tmp_path / "a.npz", ["a", "c"])) == ["a"]
    with pytest.raises(ValueError, match="not one of numbers, flags or text"):
        read_arrays(tmp_path / "a.npz")


def test_an_array_is_mapped(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6))
    assert isinstance(open_array(tmp_path / "a.npy", "r"), np.memmap)
    with open(tmp_path / "a.npy", "ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match="says 6 of int64, but 49 bytes follow"):
        open_array(tmp_path / "a.npy", "r")


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '>f8', 'fortran_order': False, 'shape': (0,), }",  # of another machine
        "{'descr': '<U0', 'fortran_order': False, 'shape': (9999999,), }",  # no bytes, many texts
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 1, 1, 1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), 'x': f(), }",
    ],
)
def test_other_headers_are_refused(tmp_path, text):
    (tmp_path / "a.npy").write_bytes(header(text))
    with pytest.raises(ValueError, match="not one of numbers, flags or text"):
        open_array(tmp_path / "a.npy")


def test_the_bound_on_what_is_unpacked(tmp_path):
    check_unpacked(UNPACKED, 1)
    check_unpacked(RATIO * 3 * MIB, 3 * MIB)
    with pytest.raises(ValueError, match="would unpack to 268,435,457"):
        check_unpacked(UNPACKED + 1, MIB)
    with pytest.raises(ValueError, match="at most 256 MiB or 100 times"):
        check_unpacked(RATIO * 3 * MIB + 1, 3 * MIB)
    out = io.BytesIO()
    np.savez_compressed(out, a=np.zeros(UNPACKED // 8, np.int8))  # 32 MiB in 33 kB
    (tmp_path / "a.npz").write_bytes(out.getvalue())
    assert read_arrays(tmp_path / "a.npz")["a"].nbytes == 32 * MIB
