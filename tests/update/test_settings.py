"""Tonight's settings: the deployed model's, those of a night, and the user's."""

import pytest

from recbole_finest.update.deployed import load_deployed
from recbole_finest.update.settings import Given, tonight

from .two_days import untrained


@pytest.fixture(scope="module")
def path(days, tmp_path_factory):
    """A GRU4Rec of yesterday with a rank_margin of its own."""
    folder = tmp_path_factory.mktemp("deployed")
    return untrained("GRU4Rec", folder, days, rank_margin=0.3)


@pytest.mark.parametrize(
    ("settings", "command_line", "margin"),
    [({}, {}, 0), ({"rank_margin": 0.2}, {}, 0.2), ({}, {"rank_margin": "0.4"}, 0.4)],
)
def test_lists_are_held_as_they_are_unless_a_margin_is_given(
    path, days, settings, command_line, margin
):
    given = Given.of(None, {"data_path": str(days), **settings}, command_line)
    config = tonight(load_deployed(path), "today", False, given)
    assert config["rank_margin"] == margin
    assert config["rank_weight"] == 10  # the default


def test_a_margin_in_a_file_counts(path, days, tmp_path):
    (tmp_path / "night.yaml").write_text("rank_margin: 0.05\n")
    given = Given.of([str(tmp_path / "night.yaml")], {"data_path": str(days)}, None)
    assert tonight(load_deployed(path), "today", False, given)["rank_margin"] == 0.05


@pytest.mark.parametrize(
    ("everything", "given", "epochs"), [(True, {}, 4), (False, {}, 2), (True, {"epochs": 7}, 7)]
)
def test_where_nothing_stops_training_it_takes_the_deployed_models_epochs(
    path, days, everything, given, epochs
):
    """Whose setting is 2, of which early stopping could have left fewer; its checkpoint says 4."""
    words = Given.of(None, {"data_path": str(days), **given}, None)
    assert tonight(load_deployed(path), "today", everything, words)["epochs"] == epochs
