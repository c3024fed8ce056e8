"""A model's folder as its makers give it away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny import tiny_model


@pytest.fixture(scope="session")
def original(tmp_path_factory) -> Path:
    """A tiny random model. Not to be changed."""
    return tiny_model(tmp_path_factory.mktemp("tiny"), ["Paris"])


@pytest.fixture
def model(original, tmp_path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(original, tmp_path / "model")
