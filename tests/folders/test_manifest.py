"""The manifest: what was written is told from what was not, whatever stands there instead."""

import hashlib
import json
import os

import pytest

from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import MANIFEST, Manifest, check_listed, set_aside


@pytest.fixture
def folder(tmp_path):
    """A folder with two files in its manifest."""
    (tmp_path / "run" / "lists").mkdir(parents=True)
    (tmp_path / "run" / "a.pth").write_bytes(b"weights")
    (tmp_path / "run" / "lists" / "a.npz").write_bytes(b"lists")
    Manifest(tmp_path / "run", {"seed": 1}).add(tmp_path / "run" / "a.pth", tmp_path / "run/lists")
    return tmp_path / "run"


def test_entries_are_hashes_and_sizes(folder):
    content = json.loads((folder / MANIFEST).read_text())
    assert content["about"] == {"seed": 1}
    assert content["files"] == {
        "a.pth": {"sha256": hashlib.sha256(b"weights").hexdigest(), "bytes": 7},
        "lists/a.npz": {"sha256": hashlib.sha256(b"lists").hexdigest(), "bytes": 5},
    }
    assert list(Manifest.read(folder).wrong()) == []


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def as_folder(path):
    path.unlink()
    path.mkdir()


WRONG = [
    (truncate, "has 4 bytes, not 5"),
    (flip, "has another SHA-256"),
    (empty, "has 0 bytes, not 5"),
    (remove, "is missing"),
    (link, "is a link"),
    (as_folder, "is no file"),
]


@pytest.mark.parametrize(("damage", "reason"), WRONG)
def test_what_is_not_as_it_was_is_named(folder, damage, reason):
    path = folder / "lists" / "a.npz"
    damage(path)
    found = Manifest.read(folder)
    assert list(found.wrong()) == [(path, reason)]
    assert found.why_not(path) == found.why_not(folder / "lists") == reason
    assert found.why_not(folder / "a.pth") is None
    with pytest.raises(UserError, match=reason):
        check_listed(path)


def test_a_folder_that_is_a_link_holds_no_file_of_the_run(folder, tmp_path):
    (folder / "lists").rename(tmp_path / "lists")
    (folder / "lists").symlink_to(tmp_path / "lists")
    assert list(Manifest.read(folder).wrong()) == [(folder / "lists", "is a link")]


@pytest.mark.parametrize("change", ["flip", "empty", "truncate", "hash", "link", "folder", "list"])
def test_a_damaged_manifest_is_refused(folder, change):
    path = folder / MANIFEST
    if change == "hash":
        path.write_text(path.read_text().replace(hashlib.sha256(b"lists").hexdigest(), "0" * 64))
    elif change == "list":
        path.write_text("[" * 100_000)
    elif change == "folder":
        as_folder(path)
    else:
        {
            "flip": flip,
            "empty": empty,
            "truncate": lambda p: p.write_bytes(p.read_bytes()[:-9]),
        }.get(change, link)(path)
    with pytest.raises(UserError, match="cannot be verified"):
        Manifest.read(folder)


def test_a_file_that_is_replaced_is_struck_out_until_it_is_there(folder):
    found = Manifest.read(folder)
    with found.replacing(folder / "a.pth", stage="base"):
        assert set(Manifest.read(folder).files) == {"lists/a.npz"}  # as a kill here would leave it
        (folder / "a.pth").write_bytes(b"others")
    entry = Manifest.read(folder).files["a.pth"]
    assert entry == {
        "sha256": hashlib.sha256(b"others").hexdigest(),
        "bytes": 6,
        "stage": "base",
    }


def test_a_block_that_fails_leaves_its_files_struck_out(folder):
    with pytest.raises(OSError, match="full"), Manifest.read(folder).replacing(folder / "a.pth"):
        raise OSError("full")
    assert set(Manifest.read(folder).files) == {"lists/a.npz"}


def test_a_file_without_an_entry_is_not_finished_and_not_refused(folder):
    (folder / "b.pth").write_bytes(b"x")
    assert Manifest.read(folder).why_not(folder / "b.pth") == "is not in the manifest"
    check_listed(folder / "b.pth")
    assert Manifest.read(folder / "lists") is None


def test_what_is_set_aside_never_takes_anothers_place(tmp_path):
    for content in ("one", "two", "three"):
        (tmp_path / "a").write_text(content)
        set_aside(tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == ["a.damaged", "a.damaged2", "a.damaged3"]
    assert (tmp_path / "a.damaged2").read_text() == "two"


def test_what_was_set_aside_in_a_folder_is_no_file_of_it(folder):
    set_aside(folder / "lists" / "a.npz")
    (folder / "lists" / "a.npz").write_bytes(b"anew")
    found = Manifest.read(folder)
    found.add(folder / "lists")
    assert set(found.files) == {"a.pth", "lists/a.npz"}
