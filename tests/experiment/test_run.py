"""The whole run on a small data set: what it promises of its protocol and its files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from recbole_finest import (
    Config,
    FinestTrainer,
    UserError,
    build_model,
    prepare_data,
    reference_lists,
    run_finest,
)
from recbole_finest.cli.main import main
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.report.run.collect import collect
from recbole_finest.report.run.run_folder import RunFolder

from ..update.two_days import untrained

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
        state = torch.load(folder / f"{name}.pth", weights_only=True)
        assert state["model"] == model
        lists, other = (
            RankLists.load(folder / "ranklists" / f"{name}{side}.npz")
            for side in ("", "_perturbed")
        )
        shared = np.array(
            [len({*a} & {*b}) for a, b in zip(lists.items[:, :10], other.items[:, :10])]
        )
        jaccard = written["stability"][name]["jaccard@10"]
        assert jaccard == pytest.approx((shared / (20 - shared)).mean(), abs=1e-12)
        assert lists.users[0].startswith("u") and lists.items[0, 0].startswith("i")
    assert (folder / "report.md").read_text().startswith(f"# {model} on toy")
    removed = collect(RunFolder(folder)).removed  # what is printed is the report's own interval
    assert written["removed"]["finest"]["jaccard@10"] == removed["jaccard@10"]["finest"]
    check_plasticity(folder, written)


def check_plasticity(folder, result):
    """Against sets of the tokens in the rank lists."""
    names = ["base", "base_perturbed", "finest", "finest_perturbed"]
    lists = [RankLists.load(folder / "ranklists" / f"{name}.npz") for name in names]
    kept, chance, lost, gained = [], [], [], []
    for target, *rows in zip(lists[0].targets, *(one.items[:, :10] for one in lists)):
        base, retrained, clean, changed = map(set, rows)
        if news := retrained - base:
            kept.append(len(news & changed) / len(news))
            chance.append(len(news & clean) / len(news))
        lost.append(target in base and target not in changed)
        gained.append(target in changed and target not in base)
    found = result["plasticity"]["finest"]
    assert found["kept_news@10"] == (pytest.approx(np.mean(kept)) if kept else None)
    assert found["kept_news_by_chance@10"] == (pytest.approx(np.mean(chance)) if kept else None)
    assert (found["lost@10"], found["gained@10"]) == (np.mean(lost), np.mean(gained))
    of_base = result["plasticity"]["base"]
    assert (of_base["kept_news@10"], of_base["kept_news_by_chance@10"]) in [(1, 0), (None, None)]
    recall = [result["accuracy"][name]["recall@10"] for name in ("base", "finest_perturbed")]
    assert found["gained@10"] - found["lost@10"] == pytest.approx(recall[1] - recall[0])


def test_measured_on_valid_nothing_follows_from_test(toy, tmp_path):
    given = {**toy, "measured_on": "valid", "epochs": 1, "finest_epochs": 1}
    first = without_times(run_finest("GRU4Rec", "toy", config_dict=given))
    lists = RankLists.load(tmp_path / "run" / "ranklists" / "finest.npz")
    file = tmp_path / "data" / "toy" / "toy.inter"
    header, *rows = file.read_text().splitlines()
    by_user = {}
    for row in rows:
        by_user.setdefault(row.split("\t")[0], []).append(row)
    targets = {user: part[-2].split("\t")[1] for user, part in by_user.items()}
    assert dict(zip(lists.users.tolist(), lists.targets.tolist())) == targets
    items = [part[-1].split("\t")[1] for part in by_user.values()]
    for part, item in zip(by_user.values(), items[1:] + items[:1]):  # others' next items
        user, _, time = part[-1].split("\t")
        part[-1] = f"{user}\t{item}\t{time}"
    file.write_text("\n".join([header, *(row for part in by_user.values() for row in part)]) + "\n")
    again = run_finest("GRU4Rec", "toy", config_dict={**given, "output_dir": str(tmp_path / "b")})
    again = without_times(again)
    assert again["accuracy"] == first["accuracy"] and again["stability"] == first["stability"]
    third = {**given, "measured_on": "test", "output_dir": str(tmp_path / "c")}
    assert run_finest("GRU4Rec", "toy", config_dict=third)["accuracy"] != first["accuracy"]


def test_a_trend_is_measured_by_who_sees_its_item(toy, tmp_path):
    given = {**toy, "perturbation_kind": "trend", "perturbation_ratio": 0.05, "epochs": 1}
    result = run_finest("GRU4Rec", "toy", config_dict=given)
    changes = json.loads((tmp_path / "run" / "perturbation.json").read_text())["changes"]
    (hit,) = {change["item_after"] for change in changes}
    assert (
        len({change["user"] for change in changes})
        == len(changes)
        == result["perturbation"]["count"]
    )
    for name in ("base", "finest"):
        for key, side in (("trend@10", "_perturbed"), ("trend_before@10", "")):
            lists = RankLists.load(tmp_path / "run" / "ranklists" / f"{name}{side}.npz")
            shown = (lists.items[:, :10] == hit).any(1).mean()
            assert result["plasticity"][name][key] == shown


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


def test_a_recipe_beside_a_given_base_is_not_validated_by_stability(toy, tmp_path):
    given = {name: toy[name] for name in ("data_path", "output_dir")}
    path = untrained("GRU4Rec", tmp_path, Path(toy["data_path"]), hidden_size=8)
    given |= {"base_checkpoint": str(path), "perturbation_ratio": 0, "topk": [5]}
    given |= {"valid_metric": "RBO@5", "baselines": ["recipe"]}
    with pytest.raises(UserError, match="valid_metric is 'RBO@5', a measure of stability"):
        run_finest("GRU4Rec", "toy", config_dict=given)
    assert not (tmp_path / "run").exists()


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


def test_validation_follows_topk(toy):
    result = run_finest("SASRec", "toy", config_dict={**toy, "topk": [5], "perturbation_ratio": 0})
    assert "ndcg@5" in result["accuracy"]["finest"]


def test_lists_are_as_deep_as_the_largest_topk_or_hold_all_items(toy, tmp_path):
    settings = {**toy, "epochs": 1, "finest_epochs": 1, "baselines": [], "control": False}
    settings |= {"topk": [10, 40], "list_depth": 5}
    result = run_finest("GRU4Rec", "toy", config_dict=settings)
    assert {"jaccard@10", "rbo@10"} <= set(result["stability"]["base"])
    items = RankLists.load(tmp_path / "run" / "ranklists" / "base.npz").items
    catalogue = len(np.unique(items))
    assert items.shape == (30, 40) and catalogue == 40
    found = result["lists"]["base"]
    assert found["coverage@10"] == len(np.unique(items[:, :10])) / catalogue < 1
    assert found["coverage@40"] == 1
    data = prepare_data(Config("GRU4Rec", "toy", config_dict=settings))
    assert found["popularity@40"] == pytest.approx(len(data.log.train_positions) / catalogue)


def test_test_by_sampled_items_is_full_and_said(toy, caplog):
    """``mode: uni100`` leaves validation as it asks; test, ``config.yaml`` and the log say full."""
    short = {**toy, "finest_epochs": 0, "baselines": [], "perturbation_ratio": 0, "control": False}
    short |= {"simulation_ratio": 0, "eval_args": {"mode": "uni10"}, "valid_metric": "NDCG@10"}
    result = run_finest("SASRec", "toy", config_dict=short)
    assert "asks for mode uni10 in test" in caplog.text and "validation uni10" in caplog.text
    written = yaml.safe_load((Path(toy["output_dir"]) / "config.yaml").read_text())
    assert written["eval_args"]["mode"] == {"valid": "uni10", "test": "full"}
    caplog.clear()
    given = {**short, "output_dir": toy["output_dir"] + "-full", "eval_args": {"mode": "full"}}
    full = run_finest("SASRec", "toy", config_dict={**given, "epochs": 1, "eval_step": 0})
    assert "asks for mode" not in caplog.text
    once = {**short, "output_dir": toy["output_dir"] + "-once", "epochs": 1, "eval_step": 0}
    assert run_finest("SASRec", "toy", config_dict=once)["accuracy"] == full["accuracy"]
    assert result["accuracy"]["base"].keys() == full["accuracy"]["base"].keys()


def test_a_wild_learning_rate_ends_in_lists_that_are_said_not_to_count(toy, tmp_path, caplog):
    """Fine-tuned with 10 instead of 1e-4, a model gives everybody one list, on both sides."""
    settings = {**toy, "epochs": 1, "finest_epochs": 1, "baselines": [], "control": False}
    settings |= {"finest_learning_rate": 10, "training_mode": "instance"}
    result = run_finest("SASRec", "toy", config_dict=settings)
    assert set(result["collapsed"]) == {"finest", "finest_perturbed"}
    assert "30 of 30 test instances" in result["collapsed"]["finest"]
    assert "finest has collapsed: 30 of 30" in caplog.text
    assert "finest_perturbed has collapsed" in caplog.text and "base has" not in caplog.text
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["collapsed"] == result["collapsed"]
    table = pd.read_csv(tmp_path / "run" / "tables" / "stability.csv")
    assert set(table["model"]) == {"base", "finest"} and table["removed"].isna().all()
    text = (tmp_path / "run" / "report.md").read_text()
    assert text.count("finest has collapsed") == 1
    removed = written["removed"]["finest"]["jaccard@10"]
    assert removed == {"mean": None, "low": None, "high": None}
