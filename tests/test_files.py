"""Files are whole or not there, and what cannot be written is one sentence."""

import errno
import gc
import logging
import os
import resource
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from recbole_finest.errors import Unwritten
from recbole_finest.files import (
    LogFile,
    array_rows,
    check_place,
    write_arrays,
    write_json,
    write_text,
    written_whole,
)

BIG = np.random.default_rng(0).normal(size=(500, 100))  # 400 kB, which hardly compress


@contextmanager
def small_files(limit=20_000):
    """As on a disk with so many bytes left; Python ignores the signal that the system sends, too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), written_whole(path, "w") as file:
        file.write("half")
        assert path.read_text() == "old"
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]
    write_text(path, "new")
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]


def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "outside.txt").write_text("kept")
    (tmp_path / "a.txt").symlink_to(tmp_path / "outside.txt")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "outside.txt").read_text() == "kept"
    assert not (tmp_path / "a.txt").is_symlink() and (tmp_path / "a.txt").read_text() == "new"


def test_unfinished_names_cannot_be_foreseen(tmp_path):
    names = set()
    for _ in range(2):
        with written_whole(tmp_path / "a") as file:
            names.add(file.name)
    assert len(names) == 2


def test_json_and_arrays(tmp_path):
    write_json(tmp_path / "a.json", {"x": 0.1 + 0.2})
    assert (tmp_path / "a.json").read_text() == '{\n  "x": 0.30000000000000004\n}\n'
    for compress in (True, False):
        write_arrays(tmp_path / "a.npz", {"x": np.arange(3)}, compress)
        with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
            assert found["x"].tolist() == [0, 1, 2]
        save = np.savez_compressed if compress else np.savez
        save(tmp_path / "b.npz", x=np.arange(3))
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def torch_file(path):
    with written_whole(path) as file:
        torch.save({"a": torch.from_numpy(BIG)}, file)


def npy_file(path):
    with written_whole(path) as file:
        add = array_rows(file, np.float64, BIG.shape)
        for rows in np.split(BIG, 50):
            add(rows)


def parquet_file(path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    with written_whole(path) as file:
        parquet.write_table(arrow.table({"x": BIG.ravel()}), file)


WRITERS = {
    "a.txt": lambda path: write_text(path, "x" * 100_000),
    "a.json": lambda path: write_json(path, BIG.tolist()),
    "a.npz": lambda path: write_arrays(path, {"x": BIG}),
    "b.npz": lambda path: write_arrays(path, {"x": BIG}, compress=False),
    "a.pth": torch_file,
    "a.npy": npy_file,
    "a.parquet": parquet_file,
}


@pytest.mark.filterwarnings("error")  # as what is printed when an open archive goes
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with small_files(), pytest.raises(Unwritten) as caught:
        WRITERS[name](path)
    assert caught.value.errno == errno.EFBIG
    assert str(caught.value) == (
        f"'{path}' cannot be written: File too large; allow larger files (ulimit -f), then give the "
        "command again"
    )
    del caught
    gc.collect()
    assert path.read_text() == "old" and os.listdir(tmp_path) == [name]
    WRITERS[name](path)
    assert path.stat().st_size >= 100_000


def test_an_error_of_the_block_itself_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, written_whole(tmp_path / "a") as file:
        file.write(b"half")
        (tmp_path / "missing" / "source").read_bytes()
    assert not isinstance(caught.value, Unwritten) and os.listdir(tmp_path) == []


def test_rows_added_to_an_array_are_numpys_file(tmp_path):
    for array in (BIG, BIG.astype(np.float16), np.arange(7), np.empty((0, 4), np.int32)):
        with written_whole(tmp_path / "a.npy") as file:
            add = array_rows(file, array.dtype, array.shape)
            for rows in np.array_split(array, 3):
                add(rows)
        np.save(tmp_path / "b.npy", array)
        assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 300, "File name too long; give a shorter name"),
        ("gone/a", "No such file or directory; leave its folder where it is"),
        ("file/a", "Not a directory; remove it, or choose another place"),
        ("folder", "Is a directory; remove it, or choose another place"),
    ],
)
def test_a_place_where_no_file_can_be_is_refused_at_once(tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    for attempt in (check_place, lambda path: written_whole(path).__enter__()):
        with pytest.raises(Unwritten) as caught:
            attempt(tmp_path / name)
        assert f"'{tmp_path / name}' cannot be written: {why}" in str(caught.value)
        assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    check_place(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept" and len(os.listdir(tmp_path)) == 2


def test_a_log_that_cannot_be_written_ends_the_command_without_a_traceback(tmp_path, capsys):
    log = LogFile(tmp_path / "a.log")
    record = logging.makeLogRecord({"msg": "x" * 5000})
    with small_files(), pytest.raises(Unwritten, match="log' cannot be written: File too large"):
        for _ in range(9):
            log.handle(record)
    log.close()
    LogFile(tmp_path / "a.log").handle(logging.makeLogRecord({"msg": "more"}))
    assert (tmp_path / "a.log").read_text().endswith("more\n")
    assert capsys.readouterr().err == ""


def test_a_log_follows_no_link(tmp_path):
    (tmp_path / "outside.txt").write_text("kept")
    (tmp_path / "a.log").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(Unwritten, match="a link stands there, which is not followed; remove it"):
        LogFile(tmp_path / "a.log")
    assert (tmp_path / "outside.txt").read_text() == "kept"
