"""What a side of a method is made of, by hand for every shipped method."""

import pytest

from recbole_finest.config.config import Config
from recbole_finest.errors import UserError
from recbole_finest.experiment.protocol import (
    Base,
    Side,
    check_bases,
    declared_question,
    lists_name,
    question,
    side_of,
)
from recbole_finest.method import make_method

CLEAN, OTHER = Base(7, False), Base(7, True)


def made(name, on_perturbed, **settings):
    config = Config("SASRec", "ml-100k", None, {"seed": 7, **settings})
    return side_of(make_method(name, config), on_perturbed, config)


@pytest.mark.parametrize(
    ("name", "clean", "other"),
    [
        ("none", Side((CLEAN,), False, (), False), Side((OTHER,), False, (), False)),
        (
            "recipe",
            Side((Base(7, False, True),), False, (), False),
            Side((Base(7, True, True),), False, (), False),
        ),
        ("plain", Side((CLEAN,), True, (), False), Side((OTHER,), True, (), False)),
        ("keep", Side((CLEAN,), False, (), False), Side((CLEAN,), False, (), False)),
        ("warm_start", Side((CLEAN,), True, (), False), Side((CLEAN,), True, (), False)),
        (
            "finest_own",
            Side((CLEAN,), True, (CLEAN,), False),
            Side((OTHER,), True, (OTHER,), False),
        ),
        ("finest", Side((CLEAN,), True, (CLEAN,), False), Side((OTHER,), True, (CLEAN,), False)),
        ("listmle", Side((CLEAN,), True, (CLEAN,), False), Side((OTHER,), True, (CLEAN,), False)),
        (
            "distillation",
            Side((CLEAN,), True, (CLEAN,), True),
            Side((OTHER,), True, (CLEAN,), True),
        ),
        ("adversarial", Side((CLEAN,), True, (), False), Side((OTHER,), True, (), False)),
        (
            "finest_no_regularizer",
            Side((CLEAN,), True, (), False),
            Side((OTHER,), True, (), False),
        ),
    ],
)
def test_both_sides(name, clean, other):
    assert made(name, False) == clean
    assert made(name, True) == other


def test_an_ensemble_is_the_bases_of_several_seeds():
    side = made("ensemble", True, ensemble_size=2)
    assert side == Side((Base(7, True), Base(8, True)), False, (), False)
    assert [base.name(7) for base in side.bases] == ["base_perturbed", "base_seed8_perturbed"]
    assert [base.name(7) for base in made("ensemble", False).bases][:2] == ["base", "base_seed8"]


def test_an_ensembles_lists_are_those_of_its_own_side_and_one_model_is_trained():
    assert made("finest_ensemble", True, ensemble_size=2) == Side(
        (OTHER,), True, (OTHER, Base(8, True)), False
    )
    for settings in ({}, {"reference_model": "own"}):
        clean = made("finest_ensemble", False, **settings)
        assert clean == Side((CLEAN,), True, (CLEAN, Base(8, False), Base(9, False)), False)
        for on_perturbed in (False, True):
            side = made("finest_ensemble", on_perturbed, **settings)
            assert {base.perturbed for base in side.known()} == {on_perturbed}


def test_the_names_of_bases():
    names = [Base(seed, False, recipe).name(7) for recipe in (False, True) for seed in (7, 8)]
    assert names == ["base", "base_seed8", "base_recipe", "base_recipe_seed8"]
    assert Base(7, True, True).name(7) == "base_recipe_perturbed"


def test_the_folders_of_reference_lists():
    names = [lists_name(one, 7) for one in ((CLEAN,), (OTHER,))]
    assert names == ["reference", "reference_perturbed"]
    clean, other = (made("finest_ensemble", side).lists for side in (False, True))
    assert lists_name(clean, 7) == "reference_seeds7-8-9"
    assert lists_name(other, 7) == "reference_seeds7-8-9_perturbed"
    assert lists_name((CLEAN,), 6) == "reference_seeds7"


def test_own_lists_are_the_sides_own():
    assert made("finest", True, reference_model="own").lists == (OTHER,)
    assert made("finest", False, reference_model="own").lists == (CLEAN,)


@pytest.mark.parametrize(
    ("name", "settings", "answer"),
    [
        ("none", {}, "alone"),
        ("plain", {}, "alone"),
        ("recipe", {}, "alone"),
        ("ensemble", {}, "alone"),
        ("adversarial", {}, "alone"),
        ("warm_start", {}, "anchored"),
        ("keep", {}, "anchored"),
        ("finest_own", {}, "alone"),
        ("finest_ensemble", {}, "alone"),
        ("distillation_own", {}, "alone"),
        ("listmle_own", {}, "alone"),
        ("finest", {}, "anchored"),
        ("distillation", {}, "anchored"),
        ("finest", {"reference_model": "own"}, "alone"),
        ("warm_start", {"reference_model": "own"}, "anchored"),
    ],
)
def test_which_question_a_method_answers(name, settings, answer):
    config = Config("SASRec", "ml-100k", None, settings)
    assert question(make_method(name, config), config) == answer
    assert declared_question(name, settings) == answer  # without a whole Config


def test_the_question_of_what_a_result_names_without_saying_it():
    for name in ("base", "control", "seed_control", "base_recbole_order"):
        assert declared_question(name, {}) == "alone"
    assert declared_question("os:path", {}) == "unknown"  # nothing that a file names is imported


@pytest.mark.parametrize(
    ("given", "settings", "methods", "trained"),
    [
        (True, {}, ["none", "keep", "plain", "finest", "distillation"], False),
        (True, {"perturbation_ratio": 0.001}, ["plain"], True),  # base'
        (True, {"seeds": [7, 8]}, ["plain"], True),
        (True, {}, ["recipe"], True),
        (True, {}, ["ensemble"], True),
        (True, {}, ["finest_ensemble"], True),
        (False, {}, ["plain"], True),
    ],
)
def test_no_base_is_trained_with_a_measure_of_stability(given, settings, methods, trained):
    known = {"seed": 7, "perturbation_ratio": 0, "topk": [5], "valid_metric": "RBO@5", **settings}
    config = Config("SASRec", "ml-100k", None, known)
    made = [make_method(name, config) for name in methods]
    if not trained:
        return check_bases(config, made, given)
    with pytest.raises(UserError, match="valid_metric is 'RBO@5', a measure of stability"):
        check_bases(config, made, given)
