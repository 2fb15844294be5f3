"""For tests and doctests alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _plain_numpy_printing() -> Iterator[None]:
    """Print arrays as numpy does; importing pyabf changes it for the whole process."""
    with np.printoptions(precision=8, suppress=False, threshold=1000):
        yield
