"""A sweep's variants."""

import doctest

import pytest

from recbole_finest.benchmark.grid import sweep


def test_the_documented_examples():
    assert doctest.testmod(sweep).failed == 0


def test_one_setting_at_a_time_or_the_whole_product():
    axes = {"rank_weight": [1, 10], "reference_k": [50, 100], "simulation_ratio": 0.01}
    single = sweep.swept(axes, False, [])
    assert [list(settings) for _, settings in single] == [["rank_weight"]] * 2 + [
        ["reference_k"]
    ] * 2 + [["simulation_ratio"]]
    full = sweep.swept(axes, True, [])
    assert (
        len(full) == 4
        and ("finest", {**dict.fromkeys(axes, 0.01), "rank_weight": 10, "reference_k": 50}) in full
    )
    both = sweep.swept({"rank_weight": [1], "listmle": {"listmle_weight": [2, 3]}}, True, [])
    assert [method for method, _ in both] == ["finest", "listmle", "listmle"]


@pytest.mark.parametrize("values", [[], None, [1, None]])
def test_a_setting_without_values_is_a_mistake(values):
    mistakes = []
    sweep.swept({"rank_weight": values}, False, mistakes)
    assert len(mistakes) == 1 and "rank_weight" in mistakes[0] and "list of values" in mistakes[0]
