"""For tests and doctests alike."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A property is true or not, however slow the machine is today.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _plain_numpy_printing() -> Iterator[None]:
    """Print arrays as numpy does; importing pyabf changes it for the whole process."""
    with np.printoptions(precision=8, suppress=False, threshold=1000):
        yield


@pytest.fixture(autouse=True)
def _brian2_target_stays() -> Iterator[None]:
    """Put back the code generation target that a doctest or test of Brian2 changed."""
    loaded = sys.modules.get("brian2")
    before = loaded.prefs["codegen.target"] if loaded is not None else "auto"
    yield
    loaded = sys.modules.get("brian2")
    if loaded is not None and hasattr(loaded, "prefs"):
        loaded.prefs["codegen.target"] = before
