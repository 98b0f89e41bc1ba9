"""Reference lists that an interrupted run has built, and whether they are what would be built now."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from recbole_finest.config.config import Config
from recbole_finest.config.digest import settings_digest
from recbole_finest.data.log import InteractionLog
from recbole_finest.data.prepare import Data
from recbole_finest.files import write_json
from recbole_finest.formats.json_file import read_json
from recbole_finest.model.weights import weights_digest
from recbole_finest.parallel import distributed

ABOUT = "about.json"  # beside the lists: what they were built from, and the checksum of each file


def about(
    config: Config,
    data: Data,
    model: nn.Module,
    log: InteractionLog,
    k: int,
    keep_scores: bool,
    hidden: np.ndarray | None,
) -> dict[str, Any]:
    """What the lists depend on, as plain values."""
    return {
        "weights": weights_digest(model),
        "log": log.fingerprint(),
        "k": k,
        "scores": keep_scores,
        "hidden": None if hidden is None else hidden.tolist(),
        "settings": settings_digest(config),
        "packed": data.packed,
        "processes": distributed.world_size(),
        "threads": torch.get_num_threads(),
    }


def earlier_seconds(folder: Path, built_from: Mapping[str, Any]) -> list[float] | None:
    """What the lists in ``folder`` took, as :func:`describe` got it.

    None unless they are whole and were built from this.
    """
    try:
        found = read_json(folder / ABOUT)
        fits = found["built_from"] == built_from and found["files"] == _checksums(folder)
        wall, cpu = map(float, found["seconds"])
        return [wall, cpu] if fits else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def describe(folder: Path, built_from: Mapping[str, Any], seconds: Sequence[float]) -> None:
    """Write what the lists in ``folder`` were built from, in how many seconds of wall clock and of CPU."""
    found = {"built_from": built_from, "files": _checksums(folder), "seconds": list(seconds)}
    write_json(folder / ABOUT, found)


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every array in a folder."""
    found = {}
    for path in sorted(folder.glob("*.npy")):
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while part := file.read(2**20):
                digest.update(part)
        found[path.name] = digest.hexdigest()
    return found
