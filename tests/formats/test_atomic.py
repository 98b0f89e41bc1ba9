"""Atomic files before RecBole reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recbole_finest.formats.atomic import check_atomic
from tests.data import mini

HEAD = ("user_id:token", "item_id:token", "timestamp:float")


def check(path, text, loaded=lambda name: True):
    path.write_text(text, encoding="utf-8")
    check_atomic(path, "utf-8-sig", ("\t", " "), loaded)


def test_an_exponent_that_ends_pandas_is_refused_by_line_and_column(tmp_path):
    text = "\t".join(HEAD) + "\nu1\ti1\t5\nu1\ti2\t0.071e4008866899\n"
    with pytest.raises(
        ValueError, match=r"line 3: '0\.071e4008866899' in column 'timestamp' is no number"
    ):
        check(tmp_path / "a.inter", text)
    check(tmp_path / "a.inter", text, lambda name: name != "timestamp")  # not read, no harm
    check(tmp_path / "a.inter", text.replace("timestamp:float", "timestamp:token"))


def test_letters_of_several_bytes(tmp_path):
    for encoding in ("utf-16", "utf-32-le"):
        text = "\t".join(HEAD) + "\nu1\ti1\t5\n"
        (tmp_path / "a.inter").write_text(text, encoding=encoding)
        check_atomic(tmp_path / "a.inter", encoding, ("\t", " "), lambda name: True)
        (tmp_path / "a.inter").write_text(text + "u1\ti1\t1e-9999\n", encoding=encoding)
        with pytest.raises(ValueError, match="line 3: '1e-9999' in column 'timestamp'"):
            check_atomic(tmp_path / "a.inter", encoding, ("\t", " "), lambda name: True)


def test_tokens_like_numbers_and_large_numbers_are_let_through(tmp_path):
    rows = ["B00E4008866\t1e9999\t1e300", "u\t5E9999\t-2.5E-300", "u\t1\t" + "9" * 400]
    check(tmp_path / "a.inter", "\n".join(["\t".join(HEAD), *rows]))
    kinds = {HEAD[0]: str, HEAD[1]: str, HEAD[2]: float}
    read = pd.read_csv(tmp_path / "a.inter", sep="\t", dtype=kinds, nrows=2)  # as RecBole does
    assert read.to_numpy().tolist() == [
        ["B00E4008866", "1e9999", 1e300],
        ["u", "5E9999", -2.5e-300],
    ]


def test_rows_that_would_move_the_columns_are_refused(tmp_path):
    text = "user_id:token\titem_id:token\ttimestamp:float\nu1\ti1\t4\t5\nu1\ti2\t4\t6\n"
    (tmp_path / "a.inter").write_text(text)
    moved = pd.read_csv(tmp_path / "a.inter", sep="\t", usecols=list(HEAD), engine="python")
    assert moved["user_id:token"].tolist() == ["i1", "i2"]  # what the refusal is for
    with pytest.raises(ValueError, match="line 2 has 4 fields, but the first line names 3"):
        check(tmp_path / "a.inter", text)


def test_a_field_much_longer_than_the_others(tmp_path):
    rows = [f"u{i}\ti\t1\n" for i in range(4000)]
    long = "\t".join(HEAD) + "\n" + "".join(rows) + f"{'x' * 50_000}\ti\t1\n"
    with pytest.raises(ValueError, match="column 'user_id': a field is much longer"):
        check(tmp_path / "a.inter", long)
    seq = "item_id:token\tgenre:token_seq\n" + "".join(f"i{i}\ta b\n" for i in range(4000))
    check(tmp_path / "a.item", seq)
    with pytest.raises(ValueError, match="column 'genre': a field is much longer"):
        check(tmp_path / "a.item", seq + f"i\t{'a ' * 20_000}\n")


def test_a_data_set_is_refused_with_its_file(tmp_path):
    mini.write(tmp_path, [*mini.history(8), "u a 1e-4008866899"])
    said = mini.refusal(tmp_path)
    assert "data set 'mini'" in said and "line 10: '1e-4008866899' in column 'timestamp'" in said


def test_times_are_those_that_pandas_gives(tmp_path):
    mini.write(tmp_path, mini.history(8))
    times = mini.load(tmp_path).log.time
    np.testing.assert_array_equal(times, np.arange(8.0))


def test_a_first_row_that_pandas_would_take_for_names_is_refused(tmp_path):
    rows = ["", "x", "u1\ti1\t4\t5", "u1\ti2\t5\t5"]  # 1 field, then 1 + 3
    (tmp_path / "a.inter").write_text("\n".join(["\t".join(HEAD), *rows]))
    taken = pd.read_csv(tmp_path / "a.inter", sep="\t", usecols=list(HEAD), engine="python")
    assert len(taken) == 2 and taken.index.name == "x"  # what the refusal is for
    with pytest.raises(ValueError, match="line 4 has 4 fields, but the first line names 3"):
        check_atomic(tmp_path / "a.inter", "utf-8-sig", ("\t", " "), lambda name: True)


def test_a_refusal_is_one_line_whatever_a_field_holds(tmp_path):
    mini.write(tmp_path, [*mini.history(8), 'u a "1e-9999\nx\n5"'])
    assert "line 12: '1e-9999\\nx\\n5' in column 'timestamp'" in mini.refusal(tmp_path)
