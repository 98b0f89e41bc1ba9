"""Numbers of stages and the time that is left, against a clock that is set by hand."""

from __future__ import annotations

import re

import pytest

from recbole_finest import run_finest
from recbole_finest.config.config import Config
from recbole_finest.experiment.progress import Progress, duration, planned
from recbole_finest.method import make_method

STAGES = ["data", "base", "reference", "finest", "base_perturbed", "finest_perturbed", "control"]
STAGES += ["comparison"]


def said(took: dict[str, float], epochs: dict[str, int], **settings) -> list[str]:
    """What a run says whose stages take these seconds."""
    now, seconds, known = [0.0], {}, {}
    progress = Progress(STAGES, 5, clock=lambda: now[0], **settings)
    lines = []
    for name in STAGES:
        lines.append(progress.begin(name, seconds, known))
        now[0] += took.get(name, 0)
        known.update({name: epochs[name]} if name in epochs else {})
    return lines


def test_what_is_left_follows_from_what_was_measured():
    took = {"data": 1, "base": 600, "reference": 60, "finest": 300}
    took |= {"base_perturbed": 660, "finest_perturbed": 300, "control": 600}
    epochs = {"base": 10, "finest": 5, "base_perturbed": 11, "finest_perturbed": 5}
    assert said(took, epochs) == [
        "1 of 8: data …",  # nothing tells yet
        "2 of 8: base …",
        # 2 x 5 epochs of 60 s, and two more bases of 600 s
        "3 of 8: reference …, about 30 min left",
        "4 of 8: finest …, about 30 min left",
        "5 of 8: base_perturbed …, about 25 min left",  # 600 + 300 + 600
        "6 of 8: finest_perturbed …, about 16 min left",  # the slower base
        "7 of 8: control …, about 11 min left",
        "8 of 8: comparison …, a few seconds left",
    ]


def test_a_base_that_was_loaded_tells_nothing():
    lines = said({"base": 0.5, "finest": 300, "base_perturbed": 900}, {"base": 0, "finest": 5})
    assert "left" not in "".join(lines[:5])
    epochs = {"base": 0, "finest": 5, "base_perturbed": 10}
    lines = said({"base": 0.5, "finest": 300, "base_perturbed": 900}, epochs)
    assert lines[5] == "6 of 8: finest_perturbed …, about 20 min left"  # 300, and 900 of control


def test_finished_stages_of_a_resumed_run_take_no_time():
    epochs = {"base": 10, "finest": 5}
    lines = said({"base": 600}, epochs, finished={"finest", "base_perturbed", "control"})
    assert lines[2] == "3 of 8: reference …, about 5 min left"  # finest_perturbed: 5 epochs of 60 s


def test_words_of_a_duration():
    assert [duration(s) for s in (9, 10, 89, 90, 240, 5399, 5400)] == [
        *("a few seconds", "about 10 s", "about 90 s", "about 2 min"),
        *("about 4 min", "about 90 min", "about 1.5 h"),
    ]


@pytest.mark.parametrize(
    ("settings", "sides"),
    [
        ({}, [False, True]),
        ({"perturbation_ratio": 0}, [False]),
        (
            {
                "baselines": ["none", "recipe", "finest_own", "finest_ensemble", "ensemble"],
                "ensemble_size": 2,
                "seed_control": True,
                "recbole_order_baseline": True,
            },
            [False, True],
        ),
        ({"perturbation_seeds": [0, 1]}, [False, True]),
    ],
)
def test_a_run_begins_the_stages_that_are_planned(toy, caplog, settings, sides):
    given = {**toy, "epochs": 1, "finest_epochs": 1, "state": "INFO", **settings}
    run_finest("GRU4Rec", "toy", config_dict=given)
    begun = [re.match(r"(\d+) of (\d+): (\S+) …", r.getMessage()) for r in caplog.records]
    found = [(int(m[1]), int(m[2]), m[3]) for m in begun if m]
    config = Config("GRU4Rec", "toy", config_dict=given)
    methods = {n: make_method(n, config) for n in [*config["baselines"], "finest"]}
    plan = planned(config, methods, sides)
    first = [(n, len(plan), name) for n, name in enumerate(plan, 1)]
    assert found[: len(plan)] == first
    if "perturbation_seeds" in settings:
        there = ["base", "plain", "finest", "reference"]
        plan = planned(config.but(control=False), methods, [True], there)
        assert len(plan) == 5
        assert found[len(first) :] == [(n, len(plan), name) for n, name in enumerate(plan, 1)]
        assert "pair 2 of 2: seed 2020, perturbation seed 1 …, a few seconds left" in caplog.text
    else:
        assert len(found) == len(plan)
