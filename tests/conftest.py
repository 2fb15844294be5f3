"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """The generator of every random test: seed 42."""
    return np.random.default_rng(42)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real recordings; the test skips where it is absent.

    It is ``CLEO_LIKE_DATA`` or ``shared/data`` beside the repository.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CLEO_LIKE_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"real recordings not found in {folder}; set CLEO_LIKE_DATA")
    return folder
