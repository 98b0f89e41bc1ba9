"""The folder of a finished run on four users and five items, small enough to work out by hand.

Lists before and after the perturbation, k = 2, list depth 4; ``a`` … ``e`` stand for the tokens:

    user   target   base   base'   Jaccard@2   finest'   Jaccard@2
    u1     a        abcd   abcd    1           abcd      1
    u2     b        abcd   bacd    1           bacd      1
    u3     d        abcd   acbd    1/3         acbd      1/3
    u4     e        abcd   cdab    0           acbd      1/3

finest before the perturbation gives the lists of base. u4 has the changed interaction.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import yaml

from recbole_finest.evaluator.lists.instances import Instances
from recbole_finest.evaluator.lists.ranklists import RankLists

EVIL = "<script>alert('x')</script>|[y](http://evil.example/z)&amp;"
TOKENS = {"a": EVIL, "b": "b", "c": "c", "d": "d", "e": "e"}
USERS = ["u1", "u2", "u3", "<b>u4</b>"]
CLEAN = ["abcd", "abcd", "abcd", "abcd"]
LISTS = {
    "base": CLEAN,
    "finest": CLEAN,
    "base_perturbed": ["abcd", "bacd", "acbd", "cdab"],
    "finest_perturbed": ["abcd", "bacd", "acbd", "acbd"],
    "control": CLEAN,
}
SCORES = (1.0, 0.995, 0.95, 0.4)
NDCG = (1 + 1 / np.log2(3)) / 4  # targets at 1, 2, 4 and nowhere
MEAN = {"base": (1 + 1 + 1 / 3) / 4, "finest": (1 + 1 + 1 / 3 + 1 / 3) / 4, "control": 1.0}


def write_run(path: Path, perturbed: bool = True, **more: object) -> Path:
    """Write the run's files into a new folder; without a perturbation only base and finest.

    Base is retrained alone and finest knows the deployed model, as nothing says that it has lists of
    its own; ``more`` are further settings.
    """
    names = [name for name in LISTS if perturbed or name in ("base", "finest")]
    path.mkdir()
    for folder in ("ranklists", "ranklists_unseen"):
        (path / folder).mkdir()
        for name in names:
            scores = np.tile(SCORES, (4, 1)) if folder == "ranklists" else None
            as_lists(LISTS[name], scores).save(path / folder / f"{name}.npz")
    Instances(np.array([3, 5, 8, 9]), np.array([7, 1, 1, 0])).save(path / "instances.npz")
    perturbation = {"kind": "deletion", "selection": "random", "item_choice": None}
    perturbation |= {"ratio": 0.1, "count": 1, "seed": 0, "n_interactions": 20}
    change = {"row": 3, "user": USERS[3], "item_before": "c", "item_after": None, "time": 1.0}
    if perturbed:
        _json(path / "perturbation.json", {**perturbation, "changes": [change]})
    accuracy = {"ndcg@2": NDCG, "hit@2": 0.5, "recall@2": 0.5}
    stability = {name: {"jaccard@2": mean} for name, mean in MEAN.items()} if perturbed else {}
    epochs = [{"epoch": i, "ndcg@2": 0.1 + i / 10, "jaccard@2": 0.9} for i in range(3)]
    result = {
        "model": "SASRec",
        "dataset": "toy & <co>",
        "seed": 7,
        "perturbation": perturbation if perturbed else None,
        "accuracy": dict.fromkeys(names, accuracy),
        "stability": stability,
        "lists": {"base": {"coverage@2": 0.8, "popularity@2": 12.34}},
        "epochs": {"base": 3, "finest": 3},
        "versions": {"recbole-finest": "0"},
    }
    _json(path / "result.json", result)
    _json(path / "curves.json", {"base": [{"epoch": 0}], "finest": epochs})
    settings = {"topk": [2], "metrics": ["NDCG", "Jaccard", "RBO"], "rbo_p": 0.9}
    settings |= {"data_path": str(path / "data"), "dataset": "toy", "ITEM_ID_FIELD": "item_id"}
    settings |= more
    (path / "config.yaml").write_text(yaml.safe_dump(settings))
    return path


def add_replicates(folder: Path) -> Path:
    """Let the run have two test perturbations: Jaccard@2 of base 0.5, 0.6, of finest 0.75, 0.8."""
    result = json.loads((folder / "result.json").read_text())
    rows = []
    for drawn, (base, finest) in enumerate([(0.5, 0.75), (0.6, 0.8)]):
        stable = {"base": {"jaccard@2": base}, "finest": {"jaccard@2": finest}}
        row = {"seed": 7, "perturbation_seed": drawn, "folder": ".", "stability": stable}
        rows.append({**row, "accuracy": result["accuracy"]})
    _json(folder / "result.json", {**result, "replicates": rows})
    return folder


def add_method(folder: Path, name: str, after: list[str]) -> Path:
    """Let the run have one more method: its clean side gives base's lists, its perturbed side these."""
    result = json.loads((folder / "result.json").read_text())
    for side, lists in ((name, CLEAN), (f"{name}_perturbed", after)):
        as_lists(lists, np.tile(SCORES, (4, 1))).save(folder / "ranklists" / f"{side}.npz")
        as_lists(lists, None).save(folder / "ranklists_unseen" / f"{side}.npz")
        result["accuracy"][side] = result["accuracy"]["base"]
    result["stability"][name] = {"jaccard@2": 0.0}
    _json(folder / "result.json", result)
    return folder


def as_lists(lists: list[str], scores: np.ndarray | None) -> RankLists:
    items = np.array([[TOKENS[letter] for letter in text] for text in lists])
    targets = np.array([TOKENS[letter] for letter in "abde"])
    return RankLists.from_tokens(np.array(USERS), targets, items, scores)


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))
