"""Models of one's own, in the manner of published ones, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from recbole_finest.cli.main import main

SIZES = [
    "--loss_type=CE",
    "--hidden_size=8",
    "--n_layers=1",
    "--n_heads=2",
    "--hidden_dropout_prob=0.2",
]
HERE = "tests.contract.outside"


@pytest.fixture
def command(toy, tmp_path, capsys):
    """Runs ``run_finest.py`` on toy data with a class of :mod:`tests.contract.outside`."""

    def run(name: str, *words: str) -> tuple[int, str, dict]:
        given = {**toy, "baselines": "[]", "state": "INFO"}
        given |= dict(word[2:].split("=", 1) for word in words)
        common = [f"--{k}={v}" for k, v in given.items()]
        code = main([f"--model={HERE}:{name}", "--dataset=toy", *common, *SIZES])
        found = Path(toy["output_dir"]) / "result.json"
        result = json.loads(found.read_text()) if found.is_file() else {}
        return code, capsys.readouterr().err, result

    return run


@pytest.mark.parametrize(
    ("name", "words", "mode", "why"),
    [
        ("DropoutViews", ["--lmd=0.1", "--tau=1"], "instance", "compares the instances of a batch"),
        ("FilterMixer", [], "instance", "causality test"),
        ("Gated", [], "instance", "causality test"),
        ("WithSettings", ["--contrast=un"], "packed", None),
    ],
)
def test_a_model_as_its_authors_publish_it_is_trained_in_the_right_mode(
    command, name, words, mode, why
):
    code, said, result = command(name, *words)
    assert code == 0, said
    assert result["training_mode"] == mode
    assert f"training mode {mode}" in said
    if why is None:
        assert result["why_not_packed"] is None
    else:
        assert why in result["why_not_packed"] and result["why_not_packed"] in said
    assert result["stability"]["control"]["jaccard@10"] == 1
    assert 0 < result["stability"]["finest"]["jaccard@10"] <= 1


@pytest.mark.parametrize(
    ("name", "words", "passes"),
    [
        ("WithSettings", [], 1),
        ("FilterMixer", [], 1),
        ("FilterMixer", ["--finest_dropout=next_item"], 2),
    ],
)
def test_one_or_two_forward_passes_of_fine_tuning_are_logged_and_in_the_report(
    command, name, words, passes, toy
):
    code, said, result = command(name, "--perturbation_ratio=0", *words)
    assert code == 0, said
    assert result["forward_passes"] == {"finest": passes}
    sentence = {
        1: "one forward pass serves the next-item loss and the reference lists",
        2: "the next-item loss and the reference lists take a forward pass each",
    }[passes]
    assert said.count(sentence) == 1
    report = " ".join((Path(toy["output_dir"]) / "report.md").read_text().split())
    assert f"| forward passes of fine-tuning | finest {passes} |" in report
    mode = (
        "packed (one pass scores all positions)" if name == "WithSettings" else "instance (one pass"
    )
    assert f"training mode {mode}" in said and f"| training mode | {mode}" in report


def test_its_own_settings_are_taken_and_change_what_it_learns(command, toy):
    words = ["--perturbation_ratio=0", "--control=False"]
    code, said, _ = command("WithSettings", *words)
    assert code == 0, said
    plain = _losses(toy)
    code, said, _ = command(
        "WithSettings", *words, "--contrast=un", "--temperature=0.5", "--overwrite=True"
    )
    assert code == 0, said
    settings = yaml.safe_load((Path(toy["output_dir"]) / "config.yaml").read_text())
    assert (settings["contrast"], settings["temperature"]) == ("un", 0.5)
    assert {"contrast", "temperature"} <= set(settings["explicit"])
    assert all(found > loss for found, loss in zip(_losses(toy), plain))  # a term is added


def _losses(toy: dict) -> list[float]:
    curves = json.loads((Path(toy["output_dir"]) / "curves.json").read_text())
    return [row["train_loss"] for row in curves["base"]]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--finest_epoch=3", "unknown setting 'finest_epoch'; did you mean 'finest_epochs'?"),
        ("--contrats=un", "unknown setting 'contrats'; did you mean 'contrast'?"),
        (
            "--zzz=1",
            "unknown setting 'zzz'; the source of model 'WithSettings' does not name it, but a",
        ),
        (
            "--contrast=vn",
            "'WithSettings' cannot be made with these settings and data: contrast is vn",
        ),
    ],
)
def test_other_settings_are_refused_with_the_nearest(command, word, said):
    code, error, result = command("WithSettings", word)
    assert code == 2 and not result
    assert said in next(line for line in error.splitlines() if line.startswith("error: "))


@pytest.mark.parametrize(
    ("name", "field", "remedy"),
    [
        ("ReadsAugmented", "aug1", "has to be made in calculate_loss, from these"),
        ("ReadsNegatives", "neg_item_id", "negative items are drawn for a loss_type of BPR"),
    ],
)
def test_a_field_that_no_batch_has_is_named(command, name, field, remedy):
    code, error, result = command(name)
    assert code == 2 and not result
    there = "which a batch does not have (it has user_id, item_id,"
    assert f"it reads the field '{field}', {there}" in error
    assert error.strip().endswith(remedy)
    assert "Traceback" not in error and error.count("error: ") == 1
