"""Small movies."""

import numpy as np
import pytest

from cleo_like.core import Traces
from cleo_like.imaging import Optics
from cleo_like.imaging.movie import (
    Illumination,
    Neuropil,
    Photomultiplier,
    Scan,
    Scene,
    TissueMotion,
    simulate_movie,
    spike_trains,
)


@pytest.fixture
def alone():
    """The cells given and nothing else, all alike."""
    return Scene(
        expression=0, radius_spread=0, elongation=0, nuclear=0, dark=0, dendrites=0, blobs=0,
        resting=0, attenuation="1 m",
    )  # fmt: skip


@pytest.fixture
def quiet():
    """Traces of n cells that do nothing, at 30 Hz."""

    def make(n, frames=300, dff=None):
        values = np.zeros((n, frames)) if dff is None else dff
        return Traces(fluorescence=values, times=np.arange(values.shape[1]) / 30)

    return make


@pytest.fixture
def everything():
    """A movie with every stage on."""

    def make(n=12, seconds=2, **given):
        settings = {
            "scan": Scan(rows=64, columns=80, line_phase=1.3),
            "optics": Optics(pixel_size="1.5 um", brightness="20 MHz", dwell_time="100 ns", read_noise=0.2),
            "scene": Scene(overexpressing=1, depth="10 um"),
            "neuropil": Neuropil(),
            "illumination": Illumination(vessels=1, haemodynamics=0.02, flicker=0.01),
            "motion": TissueMotion(nonrigid="1 um", axial="2 um"),
            "detector": Photomultiplier(
                offset=50, dark_rate="100 kHz", hum=3, offset_drift=2, gain_drift=0.02,
                row_correlation=0.2, resampling=(0.1, -0.02),
            ),
            "indicator": "jgcamp8s",
            "duration": f"{seconds} s",
            "seed": 5,
        }  # fmt: skip
        spikes = spike_trains(n, f"{seconds} s", rate="1 Hz", seed=5)
        return simulate_movie(spikes, **settings | given)

    return make
