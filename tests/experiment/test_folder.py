"""A run's folder: another's is refused, an earlier run is replaced only by one that can run."""

import json
import shlex

import pytest
import torch

from recbole_finest.cli.main import main
from tests.experiment.test_run import without_times

QUICK = {"epochs": 1, "finest_epochs": 1, "baselines": "[]", "perturbation_ratio": 0}
REFUSED = [
    ["--dataset=nope"],
    ["--dataset=toy", "--reference_k=2000"],
    ["--dataset=toy", "--perturbation_ratio=0.00001"],
    ["--dataset=toy", "--n_heads=3"],
    ["--dataset=toy", "--base_checkpoint=other.pth", "--hidden_size=4"],
]


def test_another_runs_folder_is_refused_and_untouched(toy, tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "thesis.json").write_text("mine")
    words = ["--model=SASRec", "--dataset=toy"] + [f"--{k}={v}" for k, v in toy.items()]
    assert main(words) == 2
    assert "overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite=True"]) == 2
    assert "no run that --overwrite=True could replace" in capsys.readouterr().err
    assert [f.name for f in folder.iterdir()] == ["thesis.json"]
    assert (folder / "thesis.json").read_text() == "mine"


def test_what_a_kill_left_before_the_folder_was_the_runs_own_is_in_nobodys_way(toy, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    left = [".lock", "..writer.0123456789abcdef.part"]
    for name in left:
        (folder / name).touch()
    assert main(command(toy, ["--dataset=toy", "--finest_epochs=0"])) == 0
    assert not (folder / left[1]).exists() and (folder / "result.json").is_file()


def command(toy, words):
    given = {k: v for k, v in {**toy, **QUICK}.items() if not any(f"--{k}=" in w for w in words)}
    return ["--model=SASRec", *words, *(f"--{k}={v}" for k, v in given.items())]


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_refused_overwrite_leaves_the_earlier_run_and_the_right_one_replaces_it(toy, tmp_path):
    folder = tmp_path / "run"
    assert main(command(toy, ["--dataset=toy"])) == 0
    before = contents(folder)
    weights = torch.load(folder / "base.pth", weights_only=True)["state_dict"]
    torch.save(weights, tmp_path / "other.pth")
    assert {folder / "base.pth", folder / "report.html", folder / "SASRec-toy.log"} <= set(before)
    for words in REFUSED:
        assert main(command(toy, [*words, "--overwrite=True"])) == 2
        assert contents(folder) == before, words
    assert main(command(toy, ["--dataset=toy", "--overwrite=True", "--finest_epochs=0"])) == 0
    after = contents(folder)
    assert after[folder / "result.json"] != before[folder / "result.json"]
    curves = {path for path in before if "tensorboard" in path.parts}
    assert curves and not curves & set(after)


def test_a_refused_first_attempt_leaves_nothing(toy, tmp_path, capsys):
    for words in (["--dataset=nope"], ["--dataset=toy", "--perturbation_ratio=0.00001"]):
        assert main(command(toy, words)) == 2
        assert not (tmp_path / "run").exists()
    assert main(command(toy, ["--dataset=toy", "--state=INFO"])) == 0
    log = (tmp_path / "run" / "SASRec-toy.log").read_text()
    assert log.index("30 users, ") < log.index("base …")  # from before the folder was there, too
    (tmp_path / "file").touch()
    capsys.readouterr()
    assert main(command(toy, ["--dataset=toy", f"--output_dir={tmp_path / 'file' / 'run'}"])) == 2
    assert f"cannot be written: '{tmp_path / 'file'}' is a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("SASRec", ["--n_layers=1", "--reference_source=last_training_epoch"]),
        ("GRU4Rec", ["--loss_type=BPR", "--perturbation_ratio=0.05", "--topk=[5]"]),
    ],
)
def test_a_runs_config_file_repeats_it(toy, tmp_path, model, words):
    toy = {k: v for k, v in toy.items() if k != "reference_k"}  # reduced to the 40 items
    given = [w.replace("SASRec", model) for w in command(toy, ["--dataset=toy", *words])]
    assert main(given) == 0
    again = [f"--config_files={tmp_path / 'run' / 'config.yaml'}", f"--output_dir={tmp_path / 'b'}"]
    assert main(again) == 0
    first, second = (
        without_times(json.loads((tmp_path / folder / "result.json").read_text()))
        for folder in ("run", "b")
    )
    assert first == second
    report = (tmp_path / "run" / "report.md").read_text()
    again_alone = next(line for line in report.splitlines() if line.startswith("    python "))
    python, script, *words = shlex.split(again_alone)
    assert (python, script) == ("python", "run_finest.py")
    assert not any(word.startswith(("--output_dir", "--config_files")) for word in words)
    assert main([*words, f"--output_dir={tmp_path / 'd'}"]) == 0
    assert without_times(json.loads((tmp_path / "d" / "result.json").read_text())) == first
    assert main([again[0], "--resume=True", f"--output_dir={tmp_path / 'b'}"]) == 0
    assert main([again[0], "--reference_k=2000", f"--output_dir={tmp_path / 'c'}"]) == 2
