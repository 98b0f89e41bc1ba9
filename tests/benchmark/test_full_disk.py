"""A benchmark on a disk without room: one sentence, exit code 1, and the same command continues."""

from concurrent.futures import Future

import pytest

from recbole_finest.benchmark.engine.local import _outcome
from recbole_finest.cli.benchmark import main
from recbole_finest.errors import Unwritten
from tests.benchmark.test_run import finished, records, without_times
from tests.full_disk import Disk


def test_a_full_disk_ends_a_benchmark_that_the_same_command_continues(
    small_grid, write_grid, tmp_path, capsys
):
    words = [f"--config={write_grid(small_grid)}", "--jobs=1"]
    with Disk().mounted() as disk:
        assert main([*words, "--output_dir=whole"]) == 0
    page = (tmp_path / "whole/leaderboard.html").stat().st_size
    for room in (disk.used - page) // 2, disk.used - page:
        capsys.readouterr()
        with Disk(room).mounted():
            assert main(words) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        where = f"output_dir '{tmp_path / 'out'}' cannot be written: No space left on device ("
        assert said.startswith(f"error: {where}") and "Traceback" not in said
        assert said.endswith("; make room, then give the same command, which continues")
        assert len(finished("out")) > 0
        assert not list((tmp_path / "out").glob("cells/*.error.json"))
    assert main(words) == 0
    assert without_times(records("out")["records"]) == without_times(records("whole")["records"])


def test_a_worker_that_cannot_write_ends_the_benchmark():
    future = Future()
    future.set_exception(Unwritten(28, "No space left on device", "cells/a"))
    with pytest.raises(Unwritten, match="cells/a"):
        _outcome(future)


@pytest.mark.parametrize(("name", "code"), [("cells", 2), ("locks", 2), ("tensorboard", 1)])
def test_a_link_in_a_benchmark_is_not_followed(
    small_grid, write_grid, tmp_path, capsys, name, code
):
    (tmp_path / "outside").mkdir()
    (tmp_path / "out" / "cells").mkdir(parents=True)
    (tmp_path / "out" / "cells").rmdir()
    (tmp_path / "out" / name).symlink_to(tmp_path / "outside")
    if name != "cells":
        (tmp_path / "out" / "cells").mkdir()
    assert main([f"--config={write_grid(small_grid)}", "--jobs=1"]) == code
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"a link stands there, which is not followed ('{name}" in said
    assert list((tmp_path / "outside").iterdir()) == []
