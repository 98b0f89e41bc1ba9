"""Files are whole or not there."""

import os

import numpy as np
import pytest

from recbole_finest.files import write_arrays, write_json, write_text, written_whole


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
