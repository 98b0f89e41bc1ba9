"""One writer a folder, in two processes."""

import os
import subprocess
import sys

import pytest

from recbole_finest.errors import UserError
from recbole_finest.folders.lock import LOCK, only_writer

HOLD = """
import sys
from pathlib import Path
from recbole_finest.folders.lock import only_writer
with only_writer(Path(sys.argv[1]), "output_dir"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_writer_is_refused_by_the_name_of_the_first(tmp_path):
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        text = (
            rf"output_dir '{tmp_path}' is being written .*process {other.pid} on .*choose another"
        )
        with pytest.raises(UserError, match=text), only_writer(tmp_path, "output_dir"):
            pass
        other.kill()
        other.wait()
        with only_writer(tmp_path, "output_dir"):  # the system has released it
            pass
    assert os.listdir(tmp_path) == [LOCK]


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "theirs").write_text("theirs")
    for name in (LOCK, ".writer"):
        (tmp_path / "run" / name).symlink_to(tmp_path / "theirs")
    with (
        pytest.raises(UserError, match="written: a link"),
        only_writer(tmp_path / "run", "x"),
    ):
        pass
    (tmp_path / "run" / LOCK).unlink()
    with only_writer(tmp_path / "run", "output_dir"):
        assert not (tmp_path / "run" / ".writer").is_symlink()
    assert (tmp_path / "theirs").read_text() == "theirs"
