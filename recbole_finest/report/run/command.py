"""The command that repeats a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from recbole_finest.compat import parse_value
from recbole_finest.config.seeds import SEED_LISTS
from recbole_finest.config.settings import EXPLICIT

SAME_RUN = "The same run again, into a folder of its own, with this version:"
FIRST = ("model", "dataset")
# where this run's files are, and what was there before: a repetition has a folder of its own
LEFT_OUT = {"config_files", "output_dir", "overwrite", "resume", *FIRST}


def repeating_command(settings: Mapping[str, Any]) -> list[str]:
    """The words, quoted for a shell, that repeat a run in a folder of its own.

    There are none where nobody knows what was given, as in a folder of an earlier version.

    Args:
        settings: those of ``config.yaml``, which names what the user gave under ``explicit``.

    >>> given = {"model": "SASRec", "dataset": "ml-100k", "topk": [5, 10], "seed": 1, "epochs": 20}
    >>> " ".join(repeating_command({**given, "explicit": ["model", "dataset", "topk"]}))
    "python run_finest.py --model=SASRec --dataset=ml-100k --seed=1 '--topk=[5, 10]'"
    """
    if EXPLICIT not in settings:
        return []
    given = set(settings[EXPLICIT]) - LEFT_OUT
    for one, many in SEED_LISTS.items():  # of a replicate these are its own
        given = given - {many} | ({one} if settings.get(many) is None else {one, many})
    names = [name for name in (*FIRST, *sorted(given)) if name in settings]
    words = [f"--{name}={text_of(settings[name])}" for name in names]
    return [shlex.quote(word) for word in ("python", "run_finest.py", *words)]


def text_of(value: object) -> str:
    """A value as the command line reads it back.

    >>> text_of(True), text_of(1e-5), text_of("1e-3"), text_of({"inter": ["user_id", "item_id"]})
    ('True', '1e-05', '"1e-3"', '{inter: [user_id, item_id]}')
    """
    plain = str(value)
    if isinstance(value, list):
        plain = f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, Mapping):
        plain = f"{{{', '.join(f'{text_of(k)}: {text_of(v)}' for k, v in value.items())}}}"
    back = parse_value(plain)
    same = type(back) is type(value) and back == value
    return plain if same else json.dumps(value, ensure_ascii=False)
