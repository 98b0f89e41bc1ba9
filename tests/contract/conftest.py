"""The toy data, written once, and a model of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cases import write_own_model
from .toy_data import write_toy_data


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory) -> Path:
    """Folder of data sets that holds the data set ``toy``; tests only read it."""
    return write_toy_data(tmp_path_factory.mktemp("contract"))


@pytest.fixture
def own_toy_data(tmp_path) -> Path:
    """A toy data set that the test may change."""
    return write_toy_data(tmp_path / "data")


@pytest.fixture(scope="module")
def own_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    write_own_model(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield
