"""For tests and doctests alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _plain_numpy_printing() -> Iterator[None]:
    """Print arrays as numpy does; importing pyabf changes it for the whole process."""
    with np.printoptions(precision=8, suppress=False, threshold=1000):
        yield
