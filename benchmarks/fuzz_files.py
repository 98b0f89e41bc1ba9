"""The readers that are fuzzed: valid files of each, and the ways to damage them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import torch
from fuzz_damage import arrays, bytewise, cells, frames, json_like, members

from recbole_finest.config.config import Config
from recbole_finest.config.settings import read_yaml
from recbole_finest.data.perturbation import load_changes, perturb, save_changes
from recbole_finest.data.prepare import prepare
from recbole_finest.evaluator.lists.policy import Policy
from recbole_finest.evaluator.lists.ranklists import RankLists
from recbole_finest.evaluator.lists.readers import read_lists
from recbole_finest.formats.checkpoint import read_checkpoint
from recbole_finest.reference.lists import ReferenceLists
from recbole_finest.report.run.run_folder import RunFolder
from recbole_finest.serve.history_file import read_histories
from recbole_finest.serve.vocabulary import Vocabulary


class Case:
    """A reader, the name of its file, valid files, and the ways to damage them."""

    def __init__(
        self, read: Callable[[Path], object], name: str, valid: list[bytes], *ways: Callable
    ):
        self.read, self.name, self.valid = read, name, valid
        self.damaged = st.one_of(*(way(valid) for way in (bytewise, *ways)))


def _saved(save: Callable[[Path], object], path: Path) -> bytes:
    save(path)
    return path.read_bytes()


def _lists() -> RankLists:
    items = np.array([[f"i{(u + r) % 7}" for r in range(3)] for u in range(6)])
    scores = np.tile([3.0, 2.0, 1.0], (6, 1))
    return RankLists.from_tokens(
        np.array([f"u{u}" for u in range(6)]), np.array(["i1"] * 6), items, scores
    )


def _list_rows() -> pd.DataFrame:
    lists = _lists()
    return pd.DataFrame(
        {
            "user": np.repeat(lists.users, 3),
            "item": lists.items.reshape(-1),
            "rank": np.tile([1, 2, 3], 6),
            "score": lists.scores.reshape(-1),
            "target": np.repeat(lists.targets, 3),
        }
    )


def checkpoint(folder: Path) -> Case:
    model = {
        "state_dict": {"w": torch.ones(3, 2), "b": torch.arange(4)},
        "config": {"model": "SASRec"},
    }
    valid = [
        _saved(lambda p: torch.save(model, p), folder / "a.pth"),
        _saved(
            lambda p: torch.save(model, p, _use_new_zipfile_serialization=False), folder / "a.pth"
        ),
    ]
    zipped = lambda _: members(valid[:1])  # noqa: E731
    return Case(read_checkpoint, "a.pth", valid, zipped)


def npz(folder: Path) -> Case:
    return Case(read_lists, "a.npz", [_saved(_lists().save, folder / "a.npz")], arrays, members)


def npy(folder: Path) -> Case:
    every = [np.ones((6, 4), "i2"), np.array(["a", "bc"]), np.asfortranarray(np.ones((6, 4), "f4"))]
    valid = [_saved(lambda p, a=a: np.save(p, a), folder / "items.npy") for a in every]
    np.save(folder / "slot.npy", np.arange(6))
    return Case(lambda path: ReferenceLists.load(path.parent), "items.npy", valid)


def yaml_settings(folder: Path) -> Case:
    valid = [
        b"epochs: 3\nlearning_rate: 1e-3\ntopk: [10, 20]\neval_args: {split: {LS: valid_and_test}}\n",
        b"a: &a {x: 1, y: [1, 2]}\nb: *a\nc:\n  <<: *a\n  z: 2020-01-01\nd: !!binary aGk=\n",
        b"fail:\n- jaccard@10:low=0.8\n- ndcg@10:change=-0.01\nwarn: [rbo@20=0.5]\nmin_coverage: 0.9\n",
    ]

    def read(path: Path) -> None:
        Policy.from_mapping(read_yaml(path), str(path))

    return Case(read, "a.yaml", valid)


def run_json(folder: Path) -> Case:
    """``result.json`` of a run folder as JSON; what its parts mean is for the report's own tests."""
    result = {
        "model": "SASRec",
        "dataset": "x",
        "accuracy": {},
        "stability": {},
        "perturbation": {},
    }
    (folder / "config.yaml").write_text("model: SASRec\n")
    valid = [json.dumps(result).encode()]
    return Case(lambda path: RunFolder(path.parent), "result.json", valid, json_like)


def _mini(folder: Path) -> tuple[Config, bytes]:
    rows = ["user_id:token\titem_id:token\ttimestamp:float\trating:float"]
    rows += [
        f"u{u}\ti{(u + s) % 9}\t{1000 + 10 * s}.5\t{s % 5}" for u in range(8) for s in range(8)
    ]
    (folder / "mini").mkdir()
    text = ("\n".join(rows) + "\n").encode()
    (folder / "mini" / "mini.inter").write_bytes(text)
    given = {"data_path": str(folder), "show_progress": False, "state": "ERROR"}
    return Config("SASRec", "mini", None, {**given, "load_col": {"inter": "*"}}), text


def inter(folder: Path) -> Case:
    config, text = _mini(folder)
    return Case(lambda path: prepare(config), "mini/mini.inter", [text], cells("\t"))


def perturbation(folder: Path) -> Case:
    config, _ = _mini(folder)
    data = prepare(config)
    tokens = data.dataset.field2id_token
    names = tokens["user_id"], tokens["item_id"]
    valid = []
    for kind in ("deletion", "insertion", "replacement"):
        _, changes = perturb(data.log, kind, rng=1, count=3)
        save = lambda p, c=changes: save_changes(p, c, *names, "mini")  # noqa: E731
        valid.append(_saved(save, folder / "a.json"))
    return Case(
        lambda path: load_changes(path, data.log, *names, "mini"), "a.json", valid, json_like
    )


def csv_lists(folder: Path) -> Case:
    return Case(read_lists, "a.csv", [_list_rows().to_csv(index=False).encode()], cells(","))


def trec(folder: Path) -> Case:
    rows = [f"u{u} Q0 i{(u + r) % 7} {r} {9 - r} tag" for u in range(5) for r in range(1, 4)]
    return Case(read_lists, "a.trec", ["\n".join(rows).encode()], cells(" "))


def parquet(folder: Path) -> Case:
    valid = [_saved(lambda p: _list_rows().to_parquet(p, index=False), folder / "a.parquet")]
    return Case(read_lists, "a.parquet", valid, frames)


def histories(folder: Path) -> Case:
    rows = ["user_id:token\titem_id:token\ttimestamp:float"]
    rows += [f"u{u}\ti{(u + s) % 9}\t{1000 + 10 * s}.5" for u in range(8) for s in range(8)]
    known = Vocabulary(np.array(["[PAD]", "u0"]), np.array(["[PAD]", *(f"i{i}" for i in range(9))]))
    read = lambda path: list(read_histories(path, known))  # noqa: E731
    return Case(read, "a.tsv", ["\n".join(rows).encode()], cells("\t"))


READERS = (
    checkpoint,
    npz,
    npy,
    yaml_settings,
    perturbation,
    run_json,
    csv_lists,
    trec,
    parquet,
    inter,
    histories,
)
