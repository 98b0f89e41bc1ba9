"""Folders in a run's folder: no link leads out of it, and each is whole or not there."""

import os

import pytest

from recbole_finest.errors import Unwritten
from recbole_finest.files import write_text
from recbole_finest.folders.own import folder_whole, inside, own_folder, sweep


@pytest.fixture
def outside(tmp_path):
    """A folder that nothing may be written into; ``run`` is empty, ``run/link`` leads to it."""
    for name in ("outside", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "outside" / "a.csv").write_text("kept")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "outside")
    return tmp_path / "outside"


def untouched(folder):
    return os.listdir(folder) == ["a.csv"] and (folder / "a.csv").read_text() == "kept"


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path, outside):
    for make in (True, False):
        for names in (["link"], ["link", "more"]):
            with pytest.raises(Unwritten, match=r"run/link' cannot be written: a link"):
                own_folder(tmp_path / "run", *names, make=make)
        with pytest.raises(Unwritten, match=r"a\.csv' cannot be written: a file"):
            own_folder(outside, "a.csv", make=make)
        with pytest.raises(Unwritten, match="gone' cannot be written: No such file or directory"):
            own_folder(tmp_path / "gone", "tables", make=make)
    assert untouched(outside) and not (tmp_path / "gone").exists()


def test_the_first_folder_may_be_a_link_and_the_others_are_made(tmp_path, outside):
    (tmp_path / "mine").symlink_to(tmp_path / "run")
    assert own_folder(tmp_path / "mine", "tables", "more").is_dir()
    assert own_folder(tmp_path / "mine", "tables", "more").is_dir()
    assert own_folder(tmp_path / "mine", "lists", make=False) == tmp_path / "mine" / "lists"
    assert sorted(os.listdir(tmp_path / "run")) == ["link", "tables"]


@pytest.mark.parametrize("there", ["nothing", "a link", "a file", "a folder"])
def test_a_folder_takes_its_place_when_it_is_whole(tmp_path, outside, there):
    path = tmp_path / "run" / "new"
    if there == "a link":
        path.symlink_to(outside)
    elif there == "a file":
        path.write_text("old")
    elif there == "a folder":
        own_folder(path.parent, "new", "deep")
    before = sorted(os.listdir(tmp_path / "run"))
    with pytest.raises(RuntimeError), folder_whole(path) as part:
        write_text(part / "b", "half")
        raise RuntimeError
    assert sorted(os.listdir(tmp_path / "run")) == before
    with folder_whole(path) as part:
        write_text(part / "b", "whole")
    assert not path.is_symlink() and os.listdir(path) == ["b"]
    assert sorted(os.listdir(tmp_path / "run")) == ["link", "new"] and untouched(outside)


def test_what_is_unwritten_in_a_folder_is_told_by_the_folders_name(tmp_path):
    with pytest.raises(Unwritten) as caught, folder_whole(tmp_path / "new") as part:
        write_text(part / "gone" / "b", "")
    assert str(caught.value).startswith(f"'{tmp_path / 'new'}' cannot be written: No such file")
    assert os.listdir(tmp_path) == []


def test_what_is_looked_for_inside_stands_inside(tmp_path, outside):
    own_folder(tmp_path / "run", "tables")
    write_text(tmp_path / "run" / "tables" / "b.csv", "")
    assert inside(tmp_path / "run", "*/*.csv") == [tmp_path / "run" / "tables" / "b.csv"]
    assert inside(tmp_path / "run", "link") == [tmp_path / "run" / "link"]


def test_unfinished_files_and_folders_are_swept_and_nothing_else(tmp_path, outside):
    run, end = tmp_path / "run", f".{8 * 'ab'}.part"
    for folder in (run, own_folder(run, "tables"), outside):
        write_text(folder / f".a.json{end}", "half")
        own_folder(folder, f".reference{end}", "more")
        write_text(folder / ".mine.part", "")
        write_text(folder / "a.part", "")
    (run / f".link{end}").symlink_to(outside)
    sweep(run)
    assert sorted(os.listdir(run)) == [".mine.part", "a.part", "link", "tables"]
    assert sorted(os.listdir(run / "tables")) == [".mine.part", "a.part"]
    assert len(os.listdir(outside)) == 5
