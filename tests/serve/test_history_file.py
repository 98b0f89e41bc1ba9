"""Histories and people from text files."""

from __future__ import annotations

import numpy as np
import pytest

from recbole_finest.errors import UserError
from recbole_finest.serve import history_file
from recbole_finest.serve.history_file import read_histories, read_users
from recbole_finest.serve.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    np.array(["[PAD]", "ann", "bob"], object), np.array(["[PAD]", "a", "b", "007"], object)
)
ROWS = "ann,b,20\nann,a,10\nann,zz,5\nbob,007,1\ncy,a,7\ncy,b,7\n"


def read(path, text, wanted=None):
    path.write_text(text, encoding="utf-8")
    parts = list(read_histories(path, VOCABULARY, wanted))
    users = np.concatenate([part.users for part in parts]).tolist()
    items = [part.items[a:b].tolist() for part in parts for a, b in zip(part.begin, part.begin[1:])]
    return dict(zip(users, items)), [int(n) for part in parts for n in part.unknown]


@pytest.mark.parametrize("rows_at_a_time", [1, 2, 3, 100])
def test_a_persons_rows_come_together_in_the_order_of_time(tmp_path, monkeypatch, rows_at_a_time):
    monkeypatch.setattr(history_file, "AT_A_TIME", rows_at_a_time)
    found, unknown = read(tmp_path / "h.csv", "user,item,time\n" + ROWS)
    assert found == {"ann": [1, 2], "bob": [3], "cy": [1, 2]}
    assert unknown == [1, 0, 0]


def test_without_times_the_rows_are_in_order(tmp_path):
    found, _ = read(tmp_path / "h.csv", "item,user\nb,ann\na,ann\nb,ann\n")
    assert found == {"ann": [2, 1, 2]}


def test_names_of_columns_and_suffixes(tmp_path):
    text = (
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\nann\tb\t1\t2\nann\ta\t1\t1\n"
    )
    assert read(tmp_path / "toy.inter", text)[0] == {"ann": [1, 2]}
    assert read(tmp_path / "h.tsv", 'user\titem\n"a\tb"\ta\n')[0] == {"a\tb": [1]}
    assert read(tmp_path / "h.csv", 'user,item\n"a,""b",a\nNA,b\n')[0] == {'a,"b': [1], "NA": [2]}


def test_only_those_who_are_wanted(tmp_path):
    found, unknown = read(tmp_path / "h.csv", "user,item,time\n" + ROWS, {"cy", "bob", "dee"})
    assert found == {"bob": [3], "cy": [1, 2]} and unknown == [0, 0]


REFUSED = {
    "user,thing\nann,a\n": "has no column item (its first line: user, thing); name the columns",
    "ann,a\nbob,b\n": "has no column user and no item",
    "user,item\n": "holds no interaction below its first line",
    "": "cannot be read: No columns",
    "user,item\nann,a\nann,\n": "row 3 of .* has no item",
    "user,item\nann,a\n,a\n": "row 3 of .* has no user",
    "user,item\nann,a\nann\n": "row 3 of .* has no item",
    "user,item\nann,a,b\n": "cannot be read: ",
    "user,item,time\nann,a,1\nann,a,noon\n": "row 3 of .* has the time 'noon', which is no number",
    "user,item,time\nann,a,inf\n": "row 2 of .* has the time 'inf'",
    "user,item\nann,a\nbob,a\nann,b\n": "rows of user 'ann' in .* do not stand together; sort the file",
}


@pytest.mark.parametrize("rows_at_a_time", [1, 100])
@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_files_that_cannot_be_read(tmp_path, monkeypatch, text, rows_at_a_time):
    monkeypatch.setattr(history_file, "AT_A_TIME", rows_at_a_time)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "h.csv", text)
    assert caught.match(REFUSED[text].replace("(", r"\(").replace(")", r"\)"))


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "h.csv"
    path.write_bytes(b"user,item\n\xff\xfe,a\n")
    with pytest.raises(UserError, match="cannot be read"):
        list(read_histories(path, VOCABULARY))
    with pytest.raises(UserError, match="does not exist"):
        list(read_histories(tmp_path / "absent.csv", VOCABULARY))


def test_people(tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("bob\n\n ann \nbob\n")
    assert read_users(path) == ["bob", "ann"]
    path.write_text("\n")
    with pytest.raises(UserError, match="names nobody"):
        read_users(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_users(tmp_path)
