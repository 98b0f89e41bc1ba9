"""The toy data, written once."""

from __future__ import annotations

from pathlib import Path

import pytest

from .toy_data import write_toy_data


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory) -> Path:
    """Folder of data sets that holds the data set ``toy``; tests only read it."""
    return write_toy_data(tmp_path_factory.mktemp("contract"))


@pytest.fixture
def own_toy_data(tmp_path) -> Path:
    """A toy data set that the test may change."""
    return write_toy_data(tmp_path / "data")
