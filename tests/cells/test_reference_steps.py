"""Sag at a stated potential and onset of block, against recordings of the same cells."""

import numpy as np
import pytest

from cleo_like.cells import get_cell
from cleo_like.cells.reference_steps import block_onset, sag_at
from cleo_like.core.errors import InputError
from cleo_like.patch import record
from cleo_like.stimuli import long_square


def test_sag_is_that_of_a_recording():
    found = sag_at(get_cell("sag"), "-100 mV", "0.5 s")
    assert found.peak == pytest.approx(-0.1, abs=1.1e-5)
    step = long_square(
        [f"{found.current * 1e12} pA"], duration="0.5 s", before="0.1 s", after="0.1 s"
    )
    v = record("sag", step, seed=1, progress=False)[0].sweeps[0].response[5000:30000]
    steady = v[-1500:].mean()
    measured = (v.min() - steady) / (v.min() - found.rest)
    assert found.ratio == pytest.approx(measured, abs=1e-3)
    assert found.ratio > 0.3


def test_a_linear_cell_reaches_any_potential_by_ohms_law():
    found = sag_at(get_cell("passive"), "-90 mV")
    assert found.current == pytest.approx(-100e-12, rel=1e-3)


@pytest.mark.slow
def test_block_begins_where_a_recording_stops_firing():
    onset = block_onset(get_cell("wang_buzsaki"), "0.2 s", resolution="20 pA", maximum="3 nA")
    step = long_square(
        [f"{(onset + d) * 1e12} pA" for d in (-30e-12, 30e-12)], duration="0.2 s",
        before="0.1 s", after="0.1 s",
    )  # fmt: skip
    truth = record("wang_buzsaki", step, seed=1, progress=False)[0].truth
    late = [int((t > 0.2).sum()) for t in truth.spike_times]
    assert late[0] > 0
    assert late[1] == 0


@pytest.mark.parametrize(
    ("potential", "said"),
    [
        ("-60 mV", "below the rest of passive at -70.0 mV, got -60.0 mV"),
        ("-1e18 V", "no current brings passive to -1000000000000000000000.0 mV"),
    ],
)
def test_a_potential_that_cannot_be_reached(potential, said):
    with pytest.raises(InputError, match=said):
        sag_at(get_cell("passive"), potential)


def test_a_cell_that_does_not_fire_has_no_block():
    assert np.isnan(block_onset(get_cell("passive"), "20 ms", maximum="10 pA"))
    with pytest.raises(InputError, match="must be positive"):
        block_onset(get_cell("passive"), resolution="0 pA")
