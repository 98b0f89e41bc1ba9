"""A connection to a Ray cluster."""

import sys

import pytest

from recbole_finest.errors import UserError
from recbole_finest.parallel.cluster import connect


def test_ray_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"needs Ray.*pip install 'recbole-finest\[ray\]'"):
        connect("local")
