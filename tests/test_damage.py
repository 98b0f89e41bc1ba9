"""A dozen of the cases of ``benchmarks/damage.py``, and how they are told apart."""

import pytest

from tests.test_benchmarks import load

QUICK = {"epochs": 1, "finest_epochs": 1, "perturbation_ratio": 0, "baselines": "[]"}
CASES = [
    ("resume", "base.pth", "bit flipped", "made again"),
    ("resume", "finest.pth", "another file's", "made again"),
    ("resume", "ranklists/base.npz", "a link", "made again"),
    ("resume", "manifest.json", "a folder", "made again"),
    ("report", "result.json", "bit flipped", "refused"),
    ("report", "ranklists/finest.npz", "another file's", "refused"),
    ("report", "curves.json", "another seed's", "refused"),
    ("report", "report.md", "a link", "harmless"),
    ("base_checkpoint", "base.pth", "another seed's", "refused"),
    ("base_checkpoint", "finest.pth", "a link", "refused"),
]


@pytest.fixture(scope="module")
def damage(tmp_path_factory):
    """The benchmark's module, and a folder with two quick runs."""
    patch, place = pytest.MonkeyPatch(), tmp_path_factory.mktemp("damage")
    toy = load("toy_runs", patch)
    load("ways", patch)
    found = load("damage", patch)
    patch.setattr(toy, "SMALL", {**toy.SMALL, **QUICK})
    found.prepare(place, ("run",))
    yield found, place
    patch.undo()


@pytest.mark.parametrize(("command", "name", "how", "expected"), CASES)
def test_a_damaged_file_never_changes_a_figure(damage, command, name, how, expected):
    module, place = damage
    pristine, other = (place / f"run-{seed}" / "run" for seed in (1, 2))
    found, said = module.case(module.commands(place)[command], pristine, other, name, how, place)
    assert found == expected, said
    if expected == "refused":
        assert name.rpartition("/")[2] in said


def test_cases_are_told_apart(damage):
    classify = damage[0].classify
    line = "error: 'base.pth' is a link; …\n"
    assert classify(2, line, True, lambda: False) == "refused"
    assert classify(2, line + line, True, lambda: True) == "traceback"
    assert classify(99, "Traceback (most recent call last):", True, lambda: True) == "traceback"
    assert classify(0, "it is made again\n", True, lambda: True) == "made again"
    assert classify(0, "", True, lambda: True) == "harmless"
    assert classify(0, "it is made again\n", True, lambda: False) == "WRONG"
    assert classify(2, line, False, lambda: True) == "WRONG"  # written through a link
