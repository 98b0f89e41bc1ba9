"""A file with its sum beside it: another file, a link or a damaged sum is refused."""

import hashlib
import shutil
import subprocess

import pytest

from recbole_finest.errors import UserError
from recbole_finest.folders.sums import check_sum, make_way, write_sum


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "records.json"
    path.write_text('{"records": []}')
    write_sum(path)
    return path


def test_the_sum_is_what_sha256sum_reads(file, tmp_path):
    said = (tmp_path / "records.json.sha256").read_text()
    assert said == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  records.json\n"
    assert check_sum(file, "run again") is True
    if shutil.which("sha256sum"):
        done = subprocess.run(["sha256sum", "-c", "records.json.sha256"], cwd=tmp_path, check=False)
        assert done.returncode == 0


def test_a_file_without_a_sum_is_not_checked(file, tmp_path):
    (tmp_path / "records.json.sha256").unlink()
    assert check_sum(file, "run again") is False


@pytest.mark.parametrize("what", ["file", "sum", "empty sum", "link", "linked sum", "folder"])
def test_another_file_is_refused(file, tmp_path, what):
    beside = tmp_path / "records.json.sha256"
    if what == "file":
        file.write_text('{"records": {}}')
    elif what == "sum":
        beside.write_text(beside.read_text().replace("records", "Records"))
    elif what == "empty sum":
        beside.write_text("")
    else:
        path = file if what == "link" else beside
        path.rename(tmp_path / "elsewhere")
        path.mkdir() if what == "folder" else path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="run again") as error:
        check_sum(file, "run again")
    assert str(file) in str(error.value)


def test_a_folder_in_the_way_is_set_aside(tmp_path):
    for name in ("records.json", "records.json.sha256"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("kept")
    make_way(tmp_path / "records.json")
    assert not (tmp_path / "records.json").exists()
    assert (tmp_path / "records.json.damaged" / "mine").read_text() == "kept"
    assert (tmp_path / "records.json.sha256.damaged" / "mine").read_text() == "kept"
