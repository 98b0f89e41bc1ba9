"""A tiny data set with everything that one of the models asks for: features, knowledge graph, weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

USERS, ITEMS, ENTITY_SIZE = 40, 30, 8


def write_atomic(path: Path, columns: list[str], rows: list[tuple]) -> None:
    """Write one of RecBole's atomic files: a header of ``name:type``, then tab-separated rows."""
    lines = ["\t".join(columns), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_toy_data(folder: Path, name: str = "toy", seed: int = 0) -> Path:
    """Write ``<folder>/<name>/<name>.{inter,item,user,kg,link,ent,rel}``; returns ``folder``.

    40 users with 9 to 15 interactions each walk through 30 items, mostly in order; times are seconds
    since 1970, as large as real ones.
    """
    rng = np.random.default_rng(seed)
    path = folder / name
    path.mkdir(parents=True)
    _write_interactions(path / f"{name}.inter", rng)
    _write_features(path, name, rng)
    _write_knowledge(path, name, rng)
    return folder


def _write_interactions(path: Path, rng: np.random.Generator) -> None:
    rows = []
    for user in range(USERS):
        item, time = int(rng.integers(ITEMS)), 880_000_000 + int(rng.integers(10**6))
        for _ in range(int(rng.integers(9, 16))):
            rows.append((f"u{user}", f"i{item}", int(rng.integers(1, 6)), time))
            item = (item + (1 if rng.random() < 0.8 else int(rng.integers(ITEMS)))) % ITEMS
            time += 60 * int(rng.integers(1, 100))
    columns = ["user_id:token", "item_id:token", "rating:float", "timestamp:float"]
    write_atomic(path, columns, rows)


def _write_features(path: Path, name: str, rng: np.random.Generator) -> None:
    classes = ["Action", "Comedy", "Drama", "War"]
    items = []
    for item in range(ITEMS):
        chosen = rng.choice(classes, int(rng.integers(1, 4)), replace=False)
        items.append((f"i{item}", " ".join(chosen), 1980 + item % 7))
    columns = ["item_id:token", "class:token_seq", "release_year:token"]
    write_atomic(path / f"{name}.item", columns, items)
    users = [(f"u{user}", 20 + user % 9, "FM"[user % 2]) for user in range(USERS)]
    write_atomic(path / f"{name}.user", ["user_id:token", "age:token", "gender:token"], users)


def _write_knowledge(path: Path, name: str, rng: np.random.Generator) -> None:
    """Items are entities ``m<item>``, joined to one another and to ten further entities."""
    entities = [f"m{i}" for i in range(ITEMS)] + [f"x{i}" for i in range(10)]
    relations = ["made_by", "shown_at", "sequel_of"]
    heads = rng.integers(ITEMS, size=80)
    graph = [(f"m{h}", str(rng.choice(relations)), str(rng.choice(entities))) for h in heads]
    graph += [(e, relations[0], "m0") for e in entities]
    columns = ["head_id:token", "relation_id:token", "tail_id:token"]
    write_atomic(path / f"{name}.kg", columns, graph)
    links = [(f"i{i}", f"m{i}") for i in range(ITEMS)]
    write_atomic(path / f"{name}.link", ["item_id:token", "entity_id:token"], links)
    for suffix, names in (("ent", entities), ("rel", relations)):
        vectors = rng.normal(size=(len(names), ENTITY_SIZE)).round(4)
        rows = [(n, " ".join(map(str, v))) for n, v in zip(names, vectors)]
        columns = [f"{suffix}_id:token", f"{suffix}_emb:float_seq"]
        write_atomic(path / f"{name}.{suffix}", columns, rows)
