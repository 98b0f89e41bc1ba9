"""A cell: one piece of work, named by a hash of everything that its result depends on."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recbole_finest import __version__
from recbole_finest.config.config import Config
from recbole_finest.data.requirements import FILES

KINDS = ("base", "control", "reference", "method", "evaluation", "measure")
LENGTH = 20  # hexadecimal digits of a hash


@dataclass(frozen=True)
class Cell:
    """One piece of work.

    Attributes:
        kind: one of ``KINDS``.
        label: what people call it; not part of the hash.
        settings: the resolved settings that the result depends on.
        inputs: hashes of the cells whose results it uses, by what they are to it.
        perturbation: settings of the perturbation of the training log; None for the clean log.
        method: name of the fine-tuning method, for kind ``method`` and for an average of models.
        data: fingerprint of the data set's files.
        code: hashes of the user's own classes, by what they are.
        threads: threads of each process; sums of floating-point numbers depend on it.
        given: settings as :class:`Config` takes them, for the worker; not part of the hash.
        own: those that it does not know, which a method of the user's own reads; part of ``settings``.
    """

    kind: str
    label: str
    settings: dict[str, Any]
    inputs: dict[str, list[str]] = field(default_factory=dict)
    perturbation: dict[str, Any] | None = None
    method: str | None = None
    data: str = ""
    code: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    given: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """The cell's name: the first digits of SHA-256 of its content as canonical JSON."""
        return digest(self.content())

    def content(self) -> dict[str, Any]:
        """Everything that the result depends on."""
        return {
            "kind": self.kind,
            "settings": self.settings,
            "perturbation": self.perturbation,
            "method": self.method,
            "inputs": self.inputs,
            "data": self.data,
            "code": self.code,
            "threads": self.threads,
            "versions": versions(),
        }

    def needs(self) -> list[str]:
        """Hashes of all inputs, each once."""
        return list(dict.fromkeys(h for hashes in self.inputs.values() for h in hashes))


def digest(content: object) -> str:
    """The first ``LENGTH`` digits of the SHA-256 of plain values, whatever the order of keys.

    A whole number counts the same as ``10`` and as ``10.0``.
    """
    text = json.dumps(_whole(content), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _whole(value: object) -> Any:
    """Plain values with whole floating-point numbers as integers."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@lru_cache(maxsize=None)
def versions() -> dict[str, str]:
    """Versions of the packages that compute a result."""
    found = {"recbole-finest": __version__}
    for package in ("recbole", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def data_fingerprint(config: Config) -> str:
    """Hash of the atomic files that a run of these settings reads; "" where there is none."""
    folder, token = Path(config["data_path"]), config["dataset"]
    columns = config["load_col"]
    suffixes = {"inter", "user", "item"} if columns is None else {"inter", *columns}
    suffixes |= {"kg", "link", *FILES[config["model"]]} if config["model"] in FILES else set()
    suffixes |= set(config["additional_feat_suffix"] or ())
    files = [folder / f"{token}.{suffix}" for suffix in sorted(suffixes)]
    return digest([(f.suffix, file_hash(str(f))) for f in files if f.is_file()])


@lru_cache(maxsize=None)
def file_hash(path: str) -> str:
    """SHA-256 of a file's bytes; a path that is no file stands for itself."""
    if not Path(path).is_file():
        return path
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            found.update(block)
    return found.hexdigest()[:LENGTH]


def own_code(what: Mapping[str, type]) -> dict[str, str]:
    """Hashes of the files that define classes of the user's own, by what they are."""
    own = {name: cls for name, cls in what.items() if not _shipped(cls)}
    return {name: file_hash(inspect.getfile(cls)) for name, cls in own.items()}


def _shipped(cls: type) -> bool:
    return cls.__module__.startswith(("recbole.", "recbole_finest."))
