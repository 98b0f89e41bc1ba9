import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_finest.config.config import Config
from recbole_finest.data.convert.atomic_file import format_time, format_token
from recbole_finest.data.convert.convert import convert, write_atomic
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation import perturb
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from tests.data.logs import logs, make_log

TYPES = {"user_id:token": str, "item_id:token": str, "timestamp:float": np.float64}


def read(path):
    """As RecBole reads atomic files."""
    return pd.read_csv(path, delimiter="\t", dtype=TYPES, engine="python")


def converted(tmp_path, text, **options):
    """The report, and the rows written as tuples."""
    source = tmp_path / "source.txt"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    report = convert(source, output_dir=tmp_path / "out", dataset="toy", **options)
    return report, list(read(tmp_path / "out/toy/toy.inter").itertuples(index=False, name=None))


def test_file_is_written_as_documented(tmp_path):
    report, _ = converted(tmp_path, "u1\ti1\t3\nu2\ti1\t2.5\n\nu1\ti1\t3\n")
    path = tmp_path / "out/toy/toy.inter"
    assert path.read_text() == (
        "user_id:token\titem_id:token\ttimestamp:float\nu1\ti1\t3\nu2\ti1\t2.5\nu1\ti1\t3\n"
    )
    assert (report.path, report.rows, report.users, report.items) == (path, 3, 2, 1)
    assert (report.dropped, report.reasons) == (0, [])
    assert "3 interactions, 2 users, 1 items" in str(report)
    assert [file.name for file in path.parent.iterdir()] == ["toy.inter"]


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|", "::", " "])
@pytest.mark.parametrize("header", [True, False])
def test_separator_and_header_are_found(tmp_path, separator, header):
    lines = ["a,b,1", "c,d,2"]
    text = "\n".join((["user,item,time"] if header else []) + lines).replace(",", separator)
    report, rows = converted(tmp_path, text)
    assert rows == [("a", "b", 1), ("c", "d", 2)]
    assert report.layout.header == header and report.layout.separator == separator


def test_columns_name_the_last_ones(tmp_path):
    text = "0,x,u1,i1,5\n1,y,u2,i2,6\n"
    assert converted(tmp_path, text)[1] == [("u1", "i1", 5), ("u2", "i2", 6)]
    text = "5,i1,9,u1\n"
    columns = ["time", "item", "other", "user"]
    rows = converted(tmp_path, text, columns=columns, overwrite=True)[1]
    assert rows == [("u1", "i1", 5)]


def test_ids_keep_their_text(tmp_path):
    text = 'user,item,time\n007,1.0,1\n7, 1e3 ,2\n"a,b","say ""x""",3\nü,-,4\n'
    rows = converted(tmp_path, text)[1]
    assert rows == [("007", "1.0", 1), ("7", "1e3", 2), ("a,b", 'say "x"', 3), ("ü", "-", 4)]


def test_ids_called_like_missing_values_are_kept_and_loaded(tmp_path):
    names = ["NA", "null", "nan", "u"]
    lines = [
        f"{user},{item},{time}" for user in names for time, item in enumerate(["None", *"abc"])
    ]
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    report = convert(tmp_path / "log.csv", output_dir=tmp_path, dataset="toy")
    assert (report.rows, report.users, report.items, report.dropped) == (16, 4, 4, 0)
    given = {"data_path": str(tmp_path), "MAX_ITEM_LIST_LENGTH": 5, "state": "ERROR"}
    data = prepare(Config("SASRec", "toy", None, given))
    assert data.dataset.field2id_token["user_id"].tolist() == ["[PAD]", *names]
    assert len(data.log) == 16


def test_byte_order_mark_and_windows_lines(tmp_path):
    assert converted(tmp_path, b"\xef\xbb\xbfu1,i1,1\r\nu2,i2,2\r\n")[1][0] == ("u1", "i1", 1)


def test_malformed_rows_are_named_by_line(tmp_path):
    lines = [
        b"u1,i1,1",
        b"u2,i2",
        b"u3,i3,3,3",
        b"",
        b",i5,5",
        b"u6,,6",
        b"u7,i7,soon",
        b"u8,i8,nan",
        b"u9,i9,-inf",
        b"[PAD],i10,10",
        b"u\x01,i11,11",
        b"u\xff,i12,12",
        b'u13,"i13,13',
        b"u14,i14,1_4",
        b"u15,i15,15",
    ]
    report, rows = converted(tmp_path, b"\n".join(lines))
    assert [row[0] for row in rows] == ["u1", "u15"]
    assert report.dropped == 12
    assert [line for line, _ in report.reasons] == [2, 3, *range(5, 15)]
    reasons = dict(report.reasons)
    assert reasons[2] == "2 columns instead of 3"
    assert reasons[5] == "no user" and reasons[6] == "no item"
    assert reasons[8] == "time 'nan' is not a finite number"
    assert "padding" in reasons[10]
    assert "line 7: time 'soon' is not a finite number" in str(report)


def test_only_the_first_dropped_rows_are_named(tmp_path):
    report, rows = converted(tmp_path, "u,i,1\n" * 30 + "bad\n" * 30)
    assert (len(rows), report.dropped, len(report.reasons)) == (30, 30, 20)
    assert str(report).endswith("and 10 more")


@pytest.mark.parametrize(
    "text, options, words",
    [
        ("", {}, "is empty"),
        ("\n \n", {}, "is empty"),
        ("user,item,time\n", {}, "no usable row .*only a header"),
        ("u,i,soon\nu,i,late\n", {"header": False}, r"no usable row \(line 1: time 'soon'"),
        ("a,b\n1,2\n", {}, "has 2 columns.*fewer than columns=user,item,time|has 1 columns"),
        ("u,i,1\n", {"columns": ["user", "item"]}, "each of user, item and time exactly once"),
        ("u,i,1\n", {"columns": ["user", "item", "time", "time"]}, "exactly once"),
        ("u,i,1\n", {"separator": "\t"}, "has 1 columns separated by"),
        ("user_id,item_id,rating,timestamp\nu,i,5,1\n", {}, "'user_id' in column 1.*column 2"),
        ("u,i,1\n", {"dataset": "../x"}, "cannot be the name of a folder"),
        ("u,i,1\n", {"dataset": ""}, "cannot be the name of a folder"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(tmp_path, text, options, words):
    source = tmp_path / "source.csv"
    source.write_text(text)
    with pytest.raises(UserError, match=words):
        convert(source, **{"output_dir": tmp_path / "out", "dataset": "toy", **options})
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != source]


def test_missing_and_existing_files_are_refused(tmp_path):
    for source in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError, match="cannot be read"):
            convert(source, output_dir=tmp_path, dataset="toy")
    converted(tmp_path, "u,i,1\n")
    with pytest.raises(UserError, match="exists"):
        converted(tmp_path, "u,i,2\n")
    assert converted(tmp_path, "u,i,3\n", overwrite=True)[1] == [("u", "i", 3)]
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        convert(tmp_path / "source.txt", output_dir=tmp_path / "file", dataset="toy")


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_times_read_back_exactly(time):
    assert float(format_time(time)) == time
    whole = float(round(time))
    assert float(format_time(whole)) == whole
    assert "." not in format_time(float(round(time % 1e9)))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1), min_size=1),
    st.builds(
        lambda digits, shift: digits / 10**shift, st.integers(0, 2**53 - 1), st.integers(0, 9)
    ),
)
def test_tokens_and_times_survive_the_reader(tmp_path_factory, tokens, time):
    path = tmp_path_factory.mktemp("tokens") / "toy.inter"
    tokens = [f"x{token}" if k % 2 else f'"{token}' for k, token in enumerate(tokens)]
    n = len(tokens)
    log = InteractionLog.from_columns(np.arange(1, n + 1), np.arange(1, n + 1), np.full(n, time))
    write_atomic(log, ["[PAD]", *tokens], ["[PAD]", *tokens], path)
    frame = read(path)
    assert frame["user_id:token"].tolist() == frame["item_id:token"].tolist() == tokens
    assert frame["timestamp:float"].tolist() == [time] * n
    assert format_token("plain") == "plain"


@settings(max_examples=50, deadline=None)
@given(log=logs(), kind=st.sampled_from(["deletion", "replacement", "insertion"]))
def test_perturbed_log_reads_back_in_order(tmp_path_factory, log, kind):
    perturbed, _ = perturb(log, kind, count=1, rng=0)
    path = tmp_path_factory.mktemp("log") / "deep" / "toy.inter"
    tokens = ["[PAD]", *map(str, range(1, 10))]
    write_atomic(perturbed, tokens, tokens, path)
    frame = read(path)
    again = InteractionLog.from_columns(
        *(frame[name].to_numpy().astype(float) for name in TYPES), n_users=log.n_users
    )
    for name in ("user", "item", "time"):
        np.testing.assert_array_equal(getattr(again, name), getattr(perturbed, name))


def test_existing_atomic_file_is_kept(tmp_path):
    log, path, tokens = make_log("12"), tmp_path / "toy.inter", ["[PAD]", "a", "b"]
    write_atomic(log, tokens, tokens, path)
    with pytest.raises(UserError, match="exists"):
        write_atomic(log, tokens, tokens, path)
    write_atomic(log, tokens, tokens, path, overwrite=True)
    assert path.read_text().endswith("\na\ta\t0\na\tb\t1\n")
