"""A spike is cut off by the end of the step if the potential does not come back."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from cleo_like.features.spikes.detect import clipped


@pytest.mark.parametrize(("above", "is_clipped"), [(0.95, False), (1.05, True)])
def test_back_means_within_1_mv_of_the_threshold(above, is_clipped):
    v = np.full(100, -50.0)
    v[20:25] = [-50, -20, 30, 0, -40]
    v[25:] = -50.0 + above
    trace = SimpleNamespace(v=v, stop=lambda sweeps: np.full(sweeps.size, 99))
    events = SimpleNamespace(sweep=np.array([0]), threshold=np.array([20]), peak=np.array([22]))
    assert clipped(trace, events).tolist() == [is_clipped]
