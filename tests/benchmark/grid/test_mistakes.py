"""All mistakes of a grid at once, before anything is written."""

from pathlib import Path

import pytest

from recbole_finest.cli.benchmark import main

WRONG = {
    "models": ["GRU4Rec", "SASRek", "BPR"],
    "datasets": ["toy", "nowhere"],
    "methods": ["none", "finesst"],
    "perturbations": ["delete", {"kind": "deletion", "amount": 3}],
    "seeds": [0, -1],
    "shuffle_orders": ["random"],
    "turbo": True,
}
SAID = [
    "did you mean 'SASRec'",
    "'BPR' is not a sequential",
    "data set 'nowhere'",
    "did you mean 'finest'",
    "'delete', which does not exist",
    "unknown entry 'amount'",
    "seed is -1",
    "shuffle_order is 'random'",
    "unknown entry 'turbo'",
    "did you mean 'epochs'",
    "seed cannot be a setting",
    "engine is 'cloud'",
]


def test_all_mistakes_are_listed_and_nothing_runs(small_grid, write_grid, tmp_path, capsys):
    file = write_grid({**small_grid, **WRONG})
    words = [f"--config={file}", "--epoch=3", "--seed=1", "--engine=cloud"]
    assert main(words) == 2
    error = capsys.readouterr().err
    for said in SAID:
        assert said in error, said
    assert f"the grid has {len(SAID)} mistakes" in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


ONE = [
    ({"settings": {"epochs": "many"}}, [], "epochs is 'many'"),
    ({"models": ["GRU4Rec", "SASRec"]}, ["--reference_k=1"], "reference_k is 1"),
    ({"model_settings": {"GRU4Rec": {"n_heads": 2}}}, [], "GRU4Rec: unknown setting 'n_heads'"),
    ({"model_settings": {"GRU": {"n_heads": 2}}}, [], "unknown model 'GRU'"),
    ({"models": ["KSR"]}, [], "needs the files"),
    ({"models": []}, [], "models is empty"),
    ({"datasets": []}, [], "datasets is empty"),
    ({"methods": []}, [], "methods is empty"),
    ({"settings": {"perturbation_kind": "deletion"}}, [], "perturbation_kind cannot be"),
    ({"settings": {"metrics": ["Jacard"]}}, [], "Jacard"),
    ({"methods": ["finest:"]}, [], "method 'finest:' cannot be imported"),
    (
        {"perturbations": [{"file": "gone.json"}]},
        [],
        "perturbation file 'gone.json' does not exist",
    ),
    ({"perturbations": [{"kind": ["deletion"]}]}, [], "perturbation kind is ['deletion']"),
    ({"perturbations": [3]}, [], "perturbation kind is 3"),
    ({"max_accuracy_loss": 7}, [], "max_accuracy_loss is 7"),
    ({"sweep": {"finest": {"rank_weight": []}}}, [], "sweep: rank_weight is []"),
    ({"sweep": {"finest": {"rank_wait": [1]}}}, [], "unknown setting 'rank_wait'"),
    ({"seeds": [1, 1]}, [], "seeds holds 1 more than once"),
    ({"settings": {"base_checkpoint": "base.pth"}}, [], "base_checkpoint cannot be"),
    ({}, ["--jobs=many"], "jobs is 'many'"),
    ({}, ["--config_files=a.yaml"], "--config"),
    ({}, ["stray"], "stray"),
    ({"perturbations": [{"kind": "deletion", "ratio": 2}]}, [], "perturbation_ratio is 2"),
    ({}, ["--perturbation_ratio=0"], "perturbation_ratio is 0, so there is nothing to measure"),
    ({"perturbations": [{"kind": "deletion", "ratio": 0}]}, [], "perturbation_ratio is 0, so"),
    (
        {"perturbations": [{"kind": "deletion", "count": 3, "per_user": 1}]},
        [],
        "perturbation_count and perturbation_per_user are both given",
    ),
    ({"method_settings": {"finst": {"rank_weight": 2}}}, [], "did you mean 'finest'"),
    ({"method_settings": {"mine": {"rank_weight": 2}}}, [], "'mine', which is none of the methods"),
    ({"dataset_settings": {"toyy": {"epochs": 2}}}, [], "dataset_settings: data set 'toyy'"),
]


@pytest.mark.parametrize(("changes", "words", "said"), ONE, ids=[said for *_, said in ONE])
def test_one_mistake_is_one_sentence(small_grid, write_grid, capsys, changes, words, said):
    settings = {**small_grid["settings"], **changes.pop("settings", {})}
    file = write_grid({**small_grid, **changes, "settings": settings})
    assert main([f"--config={file}", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("error: ") == 1
    assert "Traceback" not in error


def test_wrong_values_are_listed_beside_wrong_names(small_grid, write_grid, capsys):
    words = ["--epochs=abc", "--hiden_size=3", "--reference_k=1", "--perturbation_seeds=-1"]
    assert main([f"--config={write_grid(small_grid)}", *words]) == 2
    error = capsys.readouterr().err
    for said in ("epochs is 'abc'", "'hiden_size'", "reference_k is 1", "seed is -1", "4 mistakes"):
        assert said in error, said


def test_a_model_without_its_settings_is_named_beside_the_rest(small_grid, write_grid, capsys):
    Path("broken_model.py").write_text(
        "from recbole.model.sequential_recommender.gru4rec import GRU4Rec\n"
        "class Broken(GRU4Rec): pass\n"
    )
    small_grid["models"] = ["broken_model:Broken", "GRU4Rec"]
    assert main([f"--config={write_grid(small_grid)}", "--reference_k=1"]) == 2
    error = capsys.readouterr().err
    assert "broken_model:Broken: Either Model has attr 'input_type'" in error
    assert "reference_k is 1" in error and "2 mistakes" in error


def test_settings_of_what_is_not_chosen_now_are_no_mistake(small_grid, write_grid):
    small_grid |= {"datasets": ["toy", "elsewhere"], "methods": ["none", "finest", "strong"]}
    small_grid["dataset_settings"] = {"elsewhere": {"epochs": 2}}
    small_grid["method_settings"] = {
        "strong": {"method": "finest", "rank_weight": 9},
        "listmle": {"listmle_weight": 2},
    }
    words = [f"--config={write_grid(small_grid)}", "--datasets=toy", "--methods=none,finest"]
    assert main([*words, "--dry-run"]) == 0


def test_another_folder_is_left_alone(small_grid, write_grid, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert main([f"--config={write_grid(small_grid)}", "--jobs=1"]) == 2
    assert "no benchmark's" in capsys.readouterr().err
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_missing_config_file(capsys):
    assert main(["--config=nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err


SWEEP = {"sweep": {"rank_weight": [1, 10]}}
OWN = {
    "methods": ["none", "finest", "strong"],
    "method_settings": {"strong": {"method": "finest", "rank_weight": 9}},
}
RATIO = {"perturbations": [{"kind": "insertion", "ratio": 0.05}]}
RELABELLED = [
    (SWEEP, "--rank_weight=5", "rank_weight that finest(rank_weight=1), finest(rank_weight=10)"),
    (OWN, "--rank_weight=5", "rank_weight that strong has"),
    (RATIO, "--perturbation_ratio=0.1", "{'kind': 'insertion', 'ratio': 0.05} of perturbations"),
    (RATIO, "--perturbation_count=3", "{'kind': 'insertion', 'ratio': 0.05} of perturbations"),
]


@pytest.mark.parametrize(("changes", "word", "said"), RELABELLED, ids=[s for *_, s in RELABELLED])
def test_the_command_line_does_not_relabel_a_row(
    small_grid, write_grid, capsys, changes, word, said
):
    file = write_grid({**small_grid, **changes})
    assert main([f"--config={file}", "--dry-run", word, "--rank_margin=0.2"]) == 2
    error = capsys.readouterr().err
    assert f"error: {word} would override" in error and said in error
    assert "rank_margin" not in error  # that of all of them


def test_a_count_in_the_settings_does_not_replace_the_ratio_of_a_perturbation(
    small_grid, write_grid, capsys
):
    settings = {**small_grid["settings"], "perturbation_count": 3}
    file = write_grid({**small_grid, **RATIO, "settings": settings})
    assert main([f"--config={file}", "--dry-run"]) == 2
    error = capsys.readouterr().err
    assert (
        "settings: perturbation_count: 3 would override the ratio of {'kind': 'insertion'" in error
    )
    both = {"perturbations": [{"kind": "insertion", "count": 5}], "settings": settings}
    assert main([f"--config={write_grid({**small_grid, **both})}", "--dry-run"]) == 0


def test_a_setting_that_no_chosen_row_has_of_its_own_is_taken(small_grid, write_grid):
    words = [f"--config={write_grid({**small_grid, **OWN, **RATIO})}", "--dry-run"]
    words += ["--methods=none,finest", "--perturbation_kinds=deletion"]
    assert main([*words, "--rank_weight=5", "--perturbation_ratio=0.1"]) == 0
