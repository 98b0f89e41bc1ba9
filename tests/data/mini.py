"""The data set ``mini``: a few rows written and loaded."""

import pytest

from recbole_finest.config.config import Config
from recbole_finest.config.settings import properties_dir
from recbole_finest.data.prepare import prepare
from recbole_finest.errors import UserError
from tests.data.stock import settings, write_atomic

PAPER = properties_dir() / "benchmark" / "paper_split.yaml"
LAST = {"eval_args": {"split": {"last_ratio": 0.25}, "order": "TO", "mode": "full"}}


def write(folder, rows, header=("user_id:token", "item_id:token", "timestamp:float")):
    """Write rows of text, words apart, as the data set ``mini``."""
    columns = list(zip(*(row.split(" ") for row in rows)))
    write_atomic(folder / "mini" / "mini.inter", dict(zip(header, columns)))
    return folder


def load(folder, files=None, **changes):
    return prepare(Config("SASRec", "mini", files, settings(folder, **changes)))


def history(n, user="u", start=0):
    """``n`` interactions of one user with items a, b, … at times from ``start`` on."""
    return [f"{user} {chr(97 + i)} {start + i}" for i in range(n)]


def refusal(folder, **changes):
    with pytest.raises(UserError) as error:
        load(folder, **changes)
    return str(error.value)


def items_of(data, log=None):
    log = log or data.log
    return data.dataset.field2id_token["item_id"][log.item].tolist()
