"""A model of one's own whose settings begin like ours: each value gets a base of its own."""

import json
from pathlib import Path

import pytest
import torch

from recbole_finest.cli.benchmark import main

MODEL = """
import torch
from recbole.model.sequential_recommender.gru4rec import GRU4Rec


class Mine(GRU4Rec):
    def __init__(self, config, dataset):
        super().__init__(config, dataset)
        for name in ("rank_dim", "plain_x", "ensemble_y"):
            setattr(self, name, torch.nn.Parameter(torch.ones(config[name])))
"""
SHIPPED = "loss_type: CE\nnum_layers: 1\ndropout_prob: 0.3\n"


@pytest.fixture
def own_grid(small_grid, write_grid, tmp_path, monkeypatch):
    (tmp_path / "my_ranked_model.py").write_text(MODEL)
    (tmp_path / "Mine.yaml").write_text(SHIPPED)
    monkeypatch.syspath_prepend(tmp_path)

    def write(**settings):
        own = {"rank_dim": 8, "plain_x": 3, "ensemble_y": 2, **settings}
        models = {"my_ranked_model:Mine": own}
        return write_grid({**small_grid, "models": list(models), "model_settings": models})

    return write


def weights_of_bases(folder: Path) -> list[dict[str, torch.Tensor]]:
    found = []
    for file in sorted(folder.glob("cells/*/cell.json")):
        if json.loads(file.read_text())["kind"] == "base":
            state = torch.load(file.parent / "model.pth", weights_only=True)
            found.append(state["state_dict"])
    return found


def test_two_commands_on_one_folder_never_share_a_base(own_grid, tmp_path):
    assert main([f"--config={own_grid()}", "--jobs=1"]) == 0
    folder = tmp_path / "out"
    assert [len(w["rank_dim"]) for w in weights_of_bases(folder)] == [8, 8]  # base and base'
    for change, name, sizes in [
        ({"rank_dim": 16}, "rank_dim", [8, 8, 16, 16]),
        ({"plain_x": 5}, "plain_x", [3, 3, 3, 3, 5, 5]),
        ({"ensemble_y": 7}, "ensemble_y", [2, 2, 2, 2, 2, 2, 7, 7]),
    ]:
        assert main([f"--config={own_grid(**change)}", "--jobs=1"]) == 0
        assert sorted(len(w[name]) for w in weights_of_bases(folder)) == sizes
