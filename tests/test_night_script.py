"""The nights of README.md, run as they are written there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recbole
import yaml

from recbole_finest.evaluator.lists.ranklists import RankLists

from .conftest import write_toy

ROOT = Path(__file__).resolve().parents[1]
TIME = "timestamp:float"
SMALL = {"epochs": 2, "finest_epochs": 1, "MAX_ITEM_LIST_LENGTH": 8, "hidden_size": 16}
SMALL |= {"inner_size": 16, "reference_k": 5, "baselines": [], "control": False}
SMALL |= {"perturbation_ratio": 0, "simulation_ratio": 0.05}
LARGER = SMALL | {"epochs": 10, "MAX_ITEM_LIST_LENGTH": 20, "reference_k": 20}


def blocks() -> list[str]:
    """The section's code: the first night, every other one, the policy."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("### Every night\n")[2]
    section = section.partition("\n### ")[0]
    return re.findall(r"```(?:sh|yaml)\n(.*?)```", section, re.DOTALL)


def cut(log: pd.DataFrame, ends: list[float], folder: Path) -> None:
    """Three days, each with all before it."""
    for name, end in zip(("monday", "tuesday", "wednesday"), ends):
        (folder / f"dataset/{name}").mkdir(parents=True)
        day = log[log[TIME] <= end]
        day.to_csv(folder / f"dataset/{name}/{name}.inter", sep="\t", index=False)


def run(folder: Path, script: str, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "-e", "-c", script, "night.sh", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def nights(folder: Path, settings: dict, least: str) -> None:
    """Monday, Tuesday deployed, Wednesday refused by a policy that no change can meet."""
    first, night, policy = blocks()
    (folder / "run_finest.py").symlink_to(ROOT / "run_finest.py")
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    (folder / "gate.yaml").write_text(policy.replace("jaccard@10=0.8", f"jaccard@10={least}"))
    begun = run(folder, first)
    assert begun.returncode == 0, begun.stderr
    monday = RankLists.load(folder / "serving.npz")
    tuesday = run(folder, night, "tuesday")
    assert tuesday.returncode == 0, tuesday.stderr
    assert (folder / "runs/deployed").resolve().name == "tuesday"
    served = RankLists.load(folder / "serving.npz")
    news = set((folder / "runs/tuesday/people_with_news.txt").read_text().split())
    before, now = (dict(zip(x.users.tolist(), x.items.tolist())) for x in (monday, served))
    quiet = set(before) - news
    assert quiet and all(now[user] == before[user] for user in quiet)
    assert news and any(now[user] != before.get(user) for user in news)
    (folder / "gate.yaml").write_text("fail:\n  - jaccard@10=1\n")
    wednesday = run(folder, night, "wednesday")
    assert wednesday.returncode == 1
    assert "jaccard@10 of tonight.npz" in wednesday.stderr and "is not deployed" in wednesday.stderr
    assert json.loads((folder / "compare.json").read_text())["exit_code"] == 1
    assert (folder / "runs/deployed").resolve().name == "tuesday"
    assert np.array_equal(RankLists.load(folder / "serving.npz").items, served.items)


def test_three_days_in_short(tmp_path):
    log = pd.read_csv(write_toy(tmp_path / "raw") / "toy/toy.inter", sep="\t")
    late = log["user_id:token"].str[1:].astype(int) % 3
    log[TIME] += 1000 * late  # so that some people have no news
    cut(log, log[TIME].quantile([0.7, 0.85, 1]).tolist(), tmp_path)
    nights(tmp_path, SMALL, "0.3")  # most people here have news


@pytest.mark.slow
def test_three_days_of_movielens(tmp_path):
    path = Path(recbole.__file__).parent / "dataset_example/ml-100k/ml-100k.inter"
    log = pd.read_csv(path, sep="\t", dtype={"user_id:token": str, "item_id:token": str})
    day = 24 * 60 * 60
    cut(log, [log[TIME].max() - n * day for n in (2, 1, 0)], tmp_path)
    nights(tmp_path, LARGER, "0.8")
