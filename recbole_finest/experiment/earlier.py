"""What an earlier run left in its folder: verified, and set aside where it is not what that run wrote."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, having
from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import MANIFEST, Manifest, digest, set_aside
from recbole_finest.formats.yaml_file import read_yaml
from recbole_finest.names import MARK, STATE, TRAINING

Warn = Callable[[str], object]


class Earlier:
    """The files of an earlier run that is to go on.

    Args:
        path: the run's folder.

    Attributes:
        manifest: what can be relied on; empty where nothing can.
        wrong: what has to be set aside, with the reasons.
        unverified: whether the folder is of a version that wrote no manifest.
    """

    def __init__(self, path: Path):
        self.path = path
        self.wrong: dict[Path, str] = {}
        self.unverified = False
        try:
            found = Manifest.read(path)
        except UserError as error:
            found, self.wrong[path / MANIFEST] = Manifest(path), str(error)
        if found is None:
            self.unverified = (path / MARK).is_file()
            found = Manifest(path)
        self.manifest = found
        self.wrong |= dict(found.wrong())
        for name in list(found.files):
            if {path / name, *(path / name).parents} & set(self.wrong):
                del found.files[name]

    def check_settings(self, now: Mapping[str, Any]) -> None:
        """Refuse to go on with other settings.

        Args:
            now: of this run, as :meth:`Config.repeatable` gives them.

        Raises:
            UserError: they differ, or which they were cannot be told any more.
        """
        if MARK in self.manifest.files or self.unverified or MANIFEST in map(_name, self.wrong):
            self._compare(_settings(self.path / MARK), now)
        elif self.manifest.about.get("settings") != identity(now):
            raise UserError(
                f"'{self.path / MARK}' is damaged, and by its manifest the run there has other settings "
                "than these; resume with the same settings, or choose another output_dir"
            )

    def _compare(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        for name in sorted(set(before) & set(now) - having(Role.RESUMABLE)):
            if before[name] != now[name]:
                raise UserError(
                    f"the run in '{self.path}' has {name}={before[name]!r}, not {now[name]!r}; resume with "
                    "the same settings, or choose another output_dir"
                )

    def take_over(self, warn: Warn) -> Manifest:
        """Set aside what is wrong and enter what cannot be verified; the manifest to go on with."""
        for path, reason in self.wrong.items():
            there = os.path.lexists(path)
            kept = f"kept as '{set_aside(path).name}', and " if there else ""
            about = reason if path.name == MANIFEST else f"'{path}' {reason}"
            warn(f"{about}: {kept}{'all' if path.name == MANIFEST else 'it'} is made again")
        if self.unverified:
            warn(
                f"'{self.path}' is of a version that wrote no {MANIFEST}: its files are taken as they are"
            )
            found = [*self.path.glob("*.pth"), *self.path.glob("*.json"), self.path / MARK]
            self.manifest.add(*(p for p in found if not p.name.endswith((TRAINING, STATE))))
        return self.manifest


def identity(settings: Mapping[str, Any]) -> str:
    """SHA-256 over the settings that a run and its continuation share.

    Args:
        settings: as :meth:`Config.repeatable` gives them.
    """
    kept = {k: v for k, v in settings.items() if k not in having(Role.RESUMABLE)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def same_data(manifest: Manifest, config: Config, data: Data) -> dict[str, str]:
    """SHA-256 of what the stages begin with: the log with its ids, and a trained base that was given.

    Raises:
        UserError: one of them differs from what the run in the folder was begun with.
    """
    tokens = hashlib.sha256()
    for name in (data.train.fields.user, data.train.fields.item):
        tokens.update("\n".join(map(str, data.dataset.field2id_token[name])).encode())
    now = {"log": data.log.fingerprint(), "tokens": tokens.hexdigest()}
    if config["base_checkpoint"]:
        now["base_checkpoint"] = digest(config["base_checkpoint"])
    words = {
        "log": f"data set '{config['dataset']}' has other interactions",
        "tokens": f"data set '{config['dataset']}' has other users or items",
        "base_checkpoint": f"base_checkpoint '{config['base_checkpoint']}' is another file",
    }
    for name, text in words.items():
        if manifest.about.get(name, now.get(name)) != now.get(name):
            raise UserError(
                f"{text} than when the run in '{manifest.folder}' was begun; put it back as it was, or "
                "choose another output_dir"
            )
    return now


def _settings(path: Path) -> dict[str, Any]:
    try:
        found = read_yaml(path)
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or "model" not in found:
        raise UserError(
            f"'{path}' is damaged, so which run it was of cannot be told; choose another output_dir, or "
            "give --overwrite=True to begin again"
        )
    return found


def _name(path: Path) -> str:
    return path.name
