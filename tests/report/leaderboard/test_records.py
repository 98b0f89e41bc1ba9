"""What is no benchmark's records is refused by name."""

import pytest

from recbole_finest.errors import UserError
from recbole_finest.report.leaderboard import write_leaderboard
from tests.report.leaderboard.made_up import record, write_records


@pytest.mark.parametrize("contents", [None, "{", "[]", '{"records": [{"model": "x"}]}'])
def test_what_is_no_benchmark_is_refused(tmp_path, contents):
    if contents is not None:
        (tmp_path / "records.json").write_text(contents, encoding="utf-8")
    with pytest.raises(UserError, match=r"records\.json"):
        write_leaderboard(tmp_path)


def test_one_training_recorded_twice_is_refused(tmp_path):
    folder = write_records(tmp_path, [record("none", 0.6), record("none", 0.7)])
    with pytest.raises(UserError, match="two records of dataset toy"):
        write_leaderboard(folder)
