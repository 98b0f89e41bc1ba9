"""Two more days of ml-100k: how far the lists of people of both days move, from their whole histories.

python benchmarks/nights.py two_days
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from logs import TIME, USER, Folder, Row, read, table, write

from recbole_finest import Recommender, compare
from recbole_finest.config.config import Config
from recbole_finest.data.perturbation.draw import perturb
from recbole_finest.data.perturbation.files import save_changes
from recbole_finest.data.prepare import prepare
from recbole_finest.evaluator.lists.ranklists import RankLists

DAY = 24 * 60 * 60
LAST = 192  # the last whole day of yesterday's log, from its first one


def two_days(source: Path, place: Path, model: str, settings: dict[str, Any]) -> str:
    """Two runs, and one whose perturbation deletes the same training rows; the table.

    Args:
        source: the atomic file.
        place: where runs are kept.
        model, settings: of all runs.
    """
    folder = Folder(place / f"two-days-{model}", model, settings)
    log = read(source)
    day = log[TIME].astype(int) // DAY
    day -= day.min()
    before, now = log[day <= LAST], log[day <= LAST + 2]
    write(before, folder.path / "data", "before")
    write(now, folder.path / "data", "now")
    changes = folder.path / "changes.json"
    _save_deletion(folder, before, changes)
    folder.run("yesterday", "before", perturbation_ratio=0)
    replayed = {"perturbation_selection": "file", "perturbation_file": str(changes)}
    folder.run("today", "now", **replayed)
    people = sorted(set(before[USER]))
    rows: list[Row] = []
    for name in ("base", "finest"):
        today = _lists(folder, f"today/{name}.pth", people)
        for label, other in (
            (f"two runs, {name} against {name}", f"yesterday/{name}.pth"),
            (f"the same rows deleted inside one run, {name}", f"today/{name}_perturbed.pth"),
        ):
            found = compare(_lists(folder, other, people), today, metrics=["Jaccard"], topk=[10])
            rows.append([label, float(found.values["jaccard@10"].mean())])
    new = len(set(now[USER]) - set(people)), now.iloc[:, 1].nunique() - before.iloc[:, 1].nunique()
    news = f"{len(now) - len(before)} rows more, {new[0]} new users, {new[1]} new items"
    return f"{table(rows, ['', 'Jaccard@10'])}\n\n{len(people)} people; {news}."


def _save_deletion(folder: Folder, before: pd.DataFrame, path: Path) -> None:
    """Today's training rows that yesterday's log does not have, as a perturbation to replay."""
    config = Config(folder.model, "now", config_dict={**folder.settings, **folder.common})
    data = prepare(config)
    log, last = data.log, float(before[TIME].astype(float).max())
    train = log.train_positions
    rows = log.row[train[log.time[train] > last]]
    _, changes = perturb(log, kind="deletion", selection="file", rows=np.asarray(rows), rng=0)
    tokens = data.dataset.field2id_token
    save_changes(path, changes, tokens["user_id"], tokens["item_id"], "now")


def _lists(folder: Folder, model: str, people: list[str]) -> RankLists:
    """Lists of people from today's whole histories."""
    place = {"data_path": folder.common["data_path"]}
    recommender = Recommender.load(folder.path / model, "now", **place)
    tokens = recommender.dataset.field2id_token["user_id"]
    ids = np.flatnonzero(np.isin(tokens, people))
    (found,) = recommender.stream([*recommender.whole_histories(ids)], 10)
    users, items = found.users, recommender.vocabulary.items[found.items]
    return RankLists.from_tokens(users, np.full(len(users), ""), items)
