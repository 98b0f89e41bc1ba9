"""The settings that a result depends on, as one word."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from recbole_finest.config.roles import Role, having

if TYPE_CHECKING:
    from recbole_finest.config.config import Config

_ELSEWHERE = Role.PLACE | Role.RESUMABLE | Role.PATH | Role.DERIVED


def settings_digest(config: Config) -> str:
    """SHA-256 of all settings that must not differ between a run and its continuation.

    Places, paths and what is worked out from others are left out: a folder may be moved.
    """
    left_out = having(_ELSEWHERE)
    kept = {name: value for name, value in config.plain().items() if name not in left_out}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
