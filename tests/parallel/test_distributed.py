"""One training in several processes: the same batches, lists and metrics as in one."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp

from recbole_finest import run_finest
from recbole_finest.cli.main import main
from recbole_finest.config.config import Config
from recbole_finest.data import share
from recbole_finest.data.instances import ROW_FIELD
from recbole_finest.data.prepare import prepare
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.parallel import distributed
from recbole_finest.train.mode import choose_training_mode
from tests.conftest import SMALL, write_toy

RUNS: dict[str, dict[str, Any]] = {
    "SASRec": {
        "hidden_dropout_prob": 0.0,
        "attn_dropout_prob": 0.0,
        "hidden_size": 16,
    },
    # single histories with negatives drawn for them, and everything that counts within a batch
    "GRU4Rec": {
        "loss_type": "BPR",
        "dropout_prob": 0.0,
        "rank_instances_per_batch": 20,
        "rank_reduction": "sum_over_users",
        "shuffle_order": "recbole",
    },
}


def settings(folder: Path, model: str, processes: int) -> dict[str, Any]:
    return {
        **SMALL,
        "data_path": str(folder / "data"),
        "output_dir": str(folder / f"{model}-{processes}"),
        "epochs": 1,
        "finest_epochs": 1,
        "baselines": [],
        "control": False,
        "weight_average": "ema",
        "weight_average_decay": 0.9,
        "train_batch_size": 41,  # 288 = 7 · 41 + 1 instances: a share of the last batch is empty
        "eval_batch_size": 7,  # 30 test instances: 5 batches, the last one of 2
        **RUNS[model],
    }


def batches(config: Config) -> list[dict[str, np.ndarray]]:
    """What this process trains on in one epoch; stand-ins left out."""
    data = prepare(config)
    choose_training_mode(data)
    wanted = [ROW_FIELD, "item_id", "neg_item_id"]
    found = []
    for batch in data.train_loader("base"):
        counted = (batch[ROW_FIELD] != share.STAND_IN).numpy()
        found.append({f: batch[f].numpy()[counted] for f in wanted if f in batch})
    return found


def environment(rank: int, port: int) -> dict[str, str]:
    """What torchrun sets."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
    where = {"MASTER_ADDR": "localhost", "MASTER_PORT": port}
    return {name: str(value) for name, value in {**numbers, **where}.items()}


def process(rank: int, port: int, folder: Path) -> None:
    torch.set_num_threads(1)
    os.environ.update(environment(rank, port))
    os.chdir(folder)
    results = {}
    with distributed.joined({"device": "cpu", "process_timeout": 60}):
        for model in RUNS:
            given = settings(folder, model, 2)
            np.save(
                folder / f"{model}.{rank}", np.array(batches(Config(model, "toy", None, given)))
            )
            results[model] = run_finest(model, "toy", config_dict=given)
    (folder / f"results.{rank}").write_text(json.dumps(results))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """Folder in which two processes ran, in the environment that torchrun gives."""
    folder = tmp_path_factory.mktemp("distributed")
    write_toy(folder / "data")
    mp.spawn(process, (free_port(), folder), nprocs=2)
    return folder


@pytest.mark.parametrize("model", RUNS)
def test_two_processes_give_the_lists_and_metrics_of_one(two, monkeypatch, model):
    monkeypatch.chdir(two)
    given = settings(two, model, 1)
    one = run_finest(model, "toy", config_dict=given)
    found = [json.loads((two / f"results.{rank}").read_text())[model] for rank in (0, 1)]
    assert one["training_mode"] == ("packed" if model == "SASRec" else "instance")
    assert found[0]["processes"] == 2 and "processes" not in one
    for part in ("accuracy", "stability"):
        assert found[0][part] == found[1][part]
        for name, values in one[part].items():
            assert found[0][part][name] == pytest.approx(values, abs=1e-6), name
    for name in one["accuracy"]:
        lists = [RankLists.load(two / f"{model}-{n}" / f"ranklists/{name}.npz") for n in (1, 2)]
        assert (lists[0].users == lists[1].users).all() and len(lists[0].users) == 30
        assert (lists[0].items[:, :10] == lists[1].items[:, :10]).all()
        assert np.abs(lists[0].scores - lists[1].scores).max() < 1e-4
    references = [np.load(two / f"{model}-{n}" / "reference/items.npy") for n in (1, 2)]
    assert np.array_equal(*references)

    parts = [np.load(two / f"{model}.{rank}.npy", allow_pickle=True) for rank in (0, 1)]
    whole = batches(Config(model, "toy", None, given))
    assert len(parts[0]) == len(parts[1]) == len(whole)
    for batch, *cut in zip(whole, *parts):
        for field, values in batch.items():
            assert np.array_equal(np.concatenate([part[field] for part in cut]), values), field


def test_only_the_first_process_writes(two):
    assert not (two / "log_tensorboard").exists()
    stages = list((two / "SASRec-2" / "tensorboard").iterdir())
    assert {"base", "finest"} <= {stage.name for stage in stages}
    writers = {file.name.split(".")[-2] for stage in stages for file in stage.rglob("events.*")}
    assert len(writers) == 1  # the number of the process
    assert len(list((two / "SASRec-2").glob("*.log"))) == 1


def test_the_launcher_gives_the_result_and_an_error_ends_all(toy, tmp_path, capsys):
    few = {"epochs": 1, "baselines": [], "perturbation_ratio": 0, "nproc": 2, "port": free_port()}
    result = run_finest("SASRec", "toy", config_dict={**toy, **few, "finest_epochs": 0})
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result == {**written, "output_dir": str(tmp_path / "run")}
    words = [
        f"--{k}={v}" for k, v in {**toy, **few, "overwrite": True, "port": free_port()}.items()
    ]
    assert main(["--model=TransRec", "--dataset=toy", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("error: ") == 1 and "Traceback" not in error
    assert "'TransRec' cannot be trained in several processes: its loss is not a mean" in error


def test_bad_settings_are_one_sentence(toy, capsys, tmp_path):
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words, said in (
            ([f"--port={port}"], f"port {port} of this machine cannot be used"),
            (["--world_size=1"], "world_size is 1, but nproc is 2"),
            (["--world_size=3", "--group_offset=2"], "makes 4 processes"),
            (["--ip=no.such.host.invalid"], "no known address"),
            (["--world_size=0"], "world_size is 0"),
        ):
            common = [f"--{k}={v}" for k, v in toy.items()]
            assert main(["--model=SASRec", "--dataset=toy", "--nproc=2", *words, *common]) == 2
            error = capsys.readouterr().err
            assert error.count("error: ") == 1 and said in error
    assert not (tmp_path / "run").exists()


def test_nobody_comes(toy, capsys, monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ, **environment(0, free_port())})
    words = [f"--{k}={v}" for k, v in {**toy, "process_timeout": 1}.items()]
    assert main(["--model=SASRec", "--dataset=toy", *words]) == 2
    assert "the 2 processes did not meet at localhost:" in capsys.readouterr().err


def test_batches_dealt_out_in_turn_come_back_in_order():
    dealt = [list(range(7))[rank::3] for rank in range(3)]
    assert distributed.in_order(dealt) == list(range(7))
    assert distributed.in_order([[], []]) == []
