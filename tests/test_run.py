"""The whole run on a small data set: what it promises of its protocol and its files."""

import json

import numpy as np
import pytest
import torch

from recbole_finest import (
    Config,
    FinestTrainer,
    build_model,
    prepare_data,
    reference_lists,
    run_finest,
)
from recbole_finest.cli.main import main
from recbole_finest.evaluator.lists.ranklists import RankLists

PARTS = ("model", "dataset", "seed", "device", "versions", "perturbation", "accuracy", "stability")


def without_times(result):
    return {k: v for k, v in result.items() if k not in ("seconds", "cost", "output_dir")}


@pytest.mark.parametrize("model", ["SASRec", "BERT4Rec"])
def test_a_run_leaves_its_files_and_the_control_is_exact(toy, tmp_path, model):
    result = run_finest(model, "toy", config_dict=toy)
    folder = tmp_path / "run"
    written = json.loads((folder / "result.json").read_text())
    times = {name: written[name] for name in ("seconds", "cost")}
    assert written == without_times(result) | times
    assert set(PARTS) <= set(written)
    assert all(abs(v - 1) <= 1e-12 for v in written["stability"]["control"].values())
    for name in ("base", "plain", "finest"):
        assert set(written["accuracy"]) >= {name, f"{name}_perturbed"}
        assert 0 <= written["stability"][name]["jaccard@10"] <= 1
        state = torch.load(folder / f"{name}.pth", weights_only=True)
        assert state["model"] == model
        lists = RankLists.load(folder / "ranklists" / f"{name}.npz")
        assert lists.users[0].startswith("u") and lists.items[0, 0].startswith("i")
    assert (folder / "report.md").read_text().startswith(f"# {model} on toy")


def test_the_same_command_twice_gives_the_same_bytes(toy, tmp_path):
    first = without_times(run_finest("GRU4Rec", "toy", config_dict=toy))
    again = {**toy, "output_dir": str(tmp_path / "again")}
    second = without_times(run_finest("GRU4Rec", "toy", config_dict=again))
    assert json.dumps(first) == json.dumps(second)
    for lists in (tmp_path / "run" / "ranklists").iterdir():
        one = np.load(lists)
        other = np.load(tmp_path / "again" / "ranklists" / lists.name)
        assert all(np.array_equal(one[name], other[name]) for name in one.files)


def test_ratio_zero_stabilises_only(toy, tmp_path):
    result = run_finest("SASRec", "toy", config_dict={**toy, "perturbation_ratio": 0})
    assert result["perturbation"] is None
    assert set(result["accuracy"]) == {"base", "plain", "finest"}
    assert result["stability"] == {}
    assert not (tmp_path / "run" / "perturbation.json").exists()


def test_packed_and_single_instances_train_alike_on_short_histories(toy, tmp_path):
    quiet = {**toy, "MAX_ITEM_LIST_LENGTH": 20, "perturbation_ratio": 0, "epochs": 1}
    quiet |= {"hidden_dropout_prob": 0.0, "attn_dropout_prob": 0.0, "train_batch_size": 4096}
    quiet |= {"simulation_ratio": 0.0}
    packed = run_finest("SASRec", "toy", config_dict={**quiet, "training_mode": "packed"})
    single = {**quiet, "training_mode": "instance", "output_dir": str(tmp_path / "single")}
    single = run_finest("SASRec", "toy", config_dict=single)
    assert packed["training_mode"] == "packed" and single["training_mode"] == "instance"
    one = torch.load(tmp_path / "run" / "finest.pth", weights_only=True)["state_dict"]
    other = torch.load(tmp_path / "single" / "finest.pth", weights_only=True)["state_dict"]
    for name, weight in one.items():
        assert torch.allclose(weight, other[name], atol=2e-4), name


def test_a_run_starts_from_its_own_checkpoint(toy, tmp_path):
    first = run_finest("SASRec", "toy", config_dict=toy)
    again = {
        "data_path": toy["data_path"],
        "base_checkpoint": str(tmp_path / "run" / "base.pth"),
        "output_dir": str(tmp_path / "from_checkpoint"),
        "show_progress": False,
    }
    second = run_finest("SASRec", "toy", config_dict=again)
    assert second["stability"]["finest"] == first["stability"]["finest"]
    assert second["accuracy"]["base"] == first["accuracy"]["base"]


def test_resume_takes_finished_stages_and_gives_the_same_result(toy, tmp_path):
    first = without_times(run_finest("SASRec", "toy", config_dict=toy))
    for name in ("finest.pth", "base_perturbed.pth", "result.json"):
        (tmp_path / "run" / name).unlink()
    stamp = (tmp_path / "run" / "base.pth").stat().st_mtime_ns
    second = run_finest("SASRec", "toy", config_dict={**toy, "resume": True})
    assert without_times(second) == first
    assert (tmp_path / "run" / "base.pth").stat().st_mtime_ns == stamp


def test_recbole_order_and_other_seed_stand_beside(toy):
    extra = {"recbole_order_baseline": True, "seed_control": True, "control": False}
    result = run_finest("GRU4Rec", "toy", config_dict={**toy, **extra})
    assert {"base_recbole_order", "seed_control"} <= set(result["stability"])
    assert result["stability"]["seed_control"]["jaccard@10"] < 1


def test_the_pieces_give_what_the_command_gives(toy, tmp_path):
    run_finest("SASRec", "toy", config_dict={**toy, "perturbation_ratio": 0})
    config = Config("SASRec", "toy", config_dict=toy)
    data = prepare_data(config)
    model = build_model(config, data.train)
    base = torch.load(tmp_path / "run" / "base.pth", weights_only=True)["state_dict"]
    model.load_state_dict(base)
    references = reference_lists(config, data, model, tmp_path / "references")
    trainer = FinestTrainer(config, model, references)
    trainer.fit(data.train_loader("fine-tuning"), data.valid_loader())
    finest = torch.load(tmp_path / "run" / "finest.pth", weights_only=True)["state_dict"]
    assert all(torch.equal(finest[name], weight) for name, weight in model.state_dict().items())
    assert set(trainer.evaluate(data.test_loader(), load_best_model=False)) >= {"ndcg@10"}


def test_a_replayed_perturbation_keeps_its_seed(toy, tmp_path):
    data = [f"--data_path={toy['data_path']}", "--dataset=toy"]
    drawing = ["--perturbation_seed=5", "--perturbation_ratio=0.02", "--output=c.json"]
    assert main(["perturb", *data, *drawing]) == 0
    settings = {**toy, "epochs": 1, "finest_epochs": 1, "baselines": [], "control": False}
    result = run_finest("GRU4Rec", "toy", config_dict={**settings, "perturbation_file": "c.json"})
    assert result["perturbation"]["seed"] == 5
    text = (tmp_path / "run" / "report.md").read_text()
    assert "selection random, seed 5)" in text


def test_catalogue_overlap_stands_beside_the_other_measures(toy):
    result = run_finest("SASRec", "toy", config_dict={**toy, "catalogue_overlap": True})
    key = next(k for k in result["stability"]["control"] if int(k.split("@")[1]) > 10)
    assert key.startswith("averageoverlap@") and result["stability"]["control"][key] == 1
    assert 0.5 < result["stability"]["base"][key] < 1


BAD = [
    (["--model=SASRec", "--dataset=toy", "--finest_epoch=3"], "did you mean 'finest_epochs'"),
    (["--model=SASRek", "--dataset=toy"], "did you mean 'SASRec'"),
    (["--model=BPR", "--dataset=toy"], "not a sequential recommender"),
    (["--dataset=toy"], "model is not set"),
    (["--model=SASRec"], "dataset is not set"),
    (["--model=SASRec", "--dataset=toy", "--epochs=many"], "epochs is 'many'"),
    (["--model=SASRec", "--dataset=toy", "--hidden_size=big"], "hidden_size is 'big'"),
    (["--model=SASRec", "--dataset=toy", "--rbo_p=1"], "rbo_p is 1"),
    (["--model=SASRec", "--dataset=toy", "--reference_k=30"], "largest that fits is 20"),
    (["--model=SASRec", "--dataset=toy", "--perturbation_kind=delete"], "perturbation_kind"),
    (["--model=SASRec", "--dataset=toy", "--perturbation_ratio=0.00001"], "perturbation_ratio"),
    (["--model=SASRec", "--dataset=toy", "--baselines=[plane]"], "did you mean 'plain'"),
    (["--model=SASRec", "--dataset=toy", "--baselines=[no_module:Mine]"], "cannot be imported"),
    (["--model=SASRec", "--dataset=toy", "--ensemble_size=1"], "ensemble_size is 1"),
    (["--model=SASRec", "--dataset=toy", "--metrics=[NDCG,Jacard]"], "Jacard"),
    (["--model=SASRec", "--dataset=toy", "--valid_metric=NDCG@7"], "valid_metric is 'NDCG@7'"),
    (["--model=SASRec", "--dataset=toy", "--base_checkpoint=no.pth"], "does not exist"),
    (["--model=SASRec", "--dataset=toy", "--config_files=no.yaml"], "cannot be read"),
    (["--model=SASRec", "--dataset=nowhere"], "nowhere.inter"),
    (["--model=SASRec", "--dataset=toy", "--TIME_FIELD=when"], "no column 'when'"),
    (["--model=SASRec", "--dataset=toy", "epochs=3"], "epochs=3"),
    (["--model=SASRec", "--dataset=toy", "--seed=1", "--seed=2"], "given twice"),
    (["--model=BERT4Rec", "--dataset=toy", "--training_mode=packed"], "training_mode is packed"),
    (["perturbe"], "did you mean 'perturb'"),
    (["--model=sasrec", "--dataset=toy"], "unknown model 'sasrec'; did you mean 'SASRec'?"),
    (["--model=SASREC", "--dataset=toy"], "unknown model 'SASREC'; did you mean 'SASRec'?"),
    *[
        (["--model=SASRec", "--dataset=toy", word], said)
        for word, said in {
            "--load_col=foo": "load_col is 'foo', but must be a mapping",
            "--load_col={inter: [user_id, colour]}": "load_col names the column 'colour'",
            "--unused_col=foo": "unused_col is 'foo', but must be a mapping",
            "--val_interval=foo": "val_interval is 'foo', but must be a mapping",
            "--val_interval={item_id: '[0,5]'}": "val_interval of 'item_id' is '[0,5]', but must be a",
            "--val_interval={timestamp: many}": "val_interval of 'timestamp' is 'many', but must be",
            "--user_inter_num_interval=foo": "user_inter_num_interval is 'foo', but must be an",
            "--clip_grad_norm=5": "clip_grad_norm is 5, but must be a mapping",
            "--learner=foo": "learner is 'foo', but must be one of adam, ",
            "--state=foo": "state is 'foo', but must be one of debug, ",
            "--metrics=5": "metrics is 5, but must be a list of names",
            "--metrics=foo": "metrics names 'foo', which does not exist",
            "--metrics=[NDCG,MRR,Jacard]": "metrics names 'Jacard', which does not exist; did you mean "
            "'Jaccard'?",
            "--n_layers=0": "n_layers is 0, but must be a whole number of at least 1",
        }.items()
    ],
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[" ".join(w)[:60] for w, _ in BAD])
def test_bad_input_is_one_sentence_and_exit_code_2(toy, capsys, words, said, tmp_path):
    common = [
        f"--{k}={v}" for k, v in toy.items() if not any(w.startswith(f"--{k}=") for w in words)
    ]
    code = main(words + (common if words[0].startswith("--") else []))
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert code == 2
    assert len(lines) == 1 and said in lines[0]
    assert "Traceback" not in error


def test_validation_follows_topk(toy):
    result = run_finest("SASRec", "toy", config_dict={**toy, "topk": [5], "perturbation_ratio": 0})
    assert "ndcg@5" in result["accuracy"]["finest"]


def test_lists_are_as_deep_as_the_largest_topk_or_hold_all_items(toy, tmp_path):
    settings = {**toy, "epochs": 1, "finest_epochs": 1, "baselines": [], "control": False}
    settings |= {"topk": [10, 5000], "list_depth": 5}
    result = run_finest("GRU4Rec", "toy", config_dict=settings)
    assert {"jaccard@10", "rbo@10"} <= set(result["stability"]["base"])
    items = RankLists.load(tmp_path / "run" / "ranklists" / "base.npz").items
    catalogue = len(np.unique(items))
    assert items.shape == (30, 40) and catalogue == 40
    found = result["lists"]["base"]
    assert found["coverage@10"] == len(np.unique(items[:, :10])) / catalogue < 1
    assert found["coverage@5000"] == 1
    data = prepare_data(Config("GRU4Rec", "toy", config_dict=settings))
    assert found["popularity@5000"] == pytest.approx(len(data.log.train_positions) / catalogue)


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


QUICK = {"epochs": 1, "finest_epochs": 1, "baselines": "[]", "perturbation_ratio": 0}
REFUSED = [
    ["--dataset=nope"],
    ["--dataset=toy", "--reference_k=2000"],
    ["--dataset=toy", "--perturbation_ratio=0.00001"],
    ["--dataset=toy", "--n_heads=3"],
    ["--dataset=toy", "--base_checkpoint=other.pth", "--hidden_size=4"],
]


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
    assert contents(folder)[folder / "result.json"] != before[folder / "result.json"]


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
    assert main([again[0], "--resume=True", f"--output_dir={tmp_path / 'b'}"]) == 0
    assert main([again[0], "--reference_k=2000", f"--output_dir={tmp_path / 'c'}"]) == 2


def test_help_names_every_setting(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "--rank_weight" in text and "(float) Weight of the rank-preserving loss" in text
