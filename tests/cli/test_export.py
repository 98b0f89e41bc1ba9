"""The command ``export``."""

from __future__ import annotations

import pytest

from recbole_finest.cli.compare import main as compare_main
from recbole_finest.cli.export import main as export_main
from recbole_finest.errors import UserError
from tests.evaluator.lists.runs import lists


def test_export_writes_a_run_that_compares_as_identical(tmp_path):
    ours = lists("uvu", "xyz", [["a", "b"], ["c", "d"], ["e", "f"]])
    ours.save(tmp_path / "ours.npz")
    run = str(tmp_path / "ours.trec")
    assert export_main([str(tmp_path / "ours.npz"), run]) == 0
    assert "u#2 Q0 e 1 " in (tmp_path / "ours.trec").read_text()
    assert compare_main([str(tmp_path / "ours.npz"), run, "--fail-under=rbo@2=1"]) == 0
    with pytest.raises(UserError, match=r"\.trec"):
        export_main([str(tmp_path / "ours.npz"), str(tmp_path / "ours.txt")])
