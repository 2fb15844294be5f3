"""Impedance by the window that is matched: that of the protocol."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy.signal import lfilter

from cleo_like import Cell, Provenance, Recording, Sweep, stimuli
from cleo_like.core import InputError
from cleo_like.features import impedance
from cleo_like.features.stack import SweepStack

R, TAU = 100e6, 0.01


def rc(command, rate, tau=TAU):
    """Exact answer of an RC cell to a command held over each sample (V)."""
    keep = np.exp(-1 / rate / tau)
    return lfilter([0, R * (1 - keep)], [1, -keep], command) - 0.07


def chirped(**k):
    protocol = stimuli.chirp("20 pA", stop="40 Hz", duration="10 s", rate="5 kHz", **k)
    sweeps = [
        Sweep(response=rc(w, protocol.rate), command=w, rate=protocol.rate, number=n)
        for n, w in enumerate(protocol.waveforms)
    ]
    return protocol, Recording(
        sweeps=sweeps, cell=Cell(id="rc"), provenance=Provenance(source="test")
    )


def test_the_matched_window_is_that_of_the_protocol():
    protocol, recording = chirped(test_pulse="-20 pA", holding="-30 pA")
    epoch = protocol.epoch("chirp")
    own = impedance(recording, f"{epoch.start / 5e3} s", f"{epoch.stop / 5e3} s")
    found = impedance(recording)
    assert np.array_equal(own.magnitude, found.magnitude)
    assert own.values == found.values


def test_no_window_to_be_found():
    _, recording = chirped()
    ramp = stimuli.ramp(duration="1 s", rate="5 kHz").waveforms[0]
    other = attrs.evolve(
        recording, sweeps=[Sweep(response=ramp * 0 - 0.07, command=ramp, rate=5e3)]
    )
    with pytest.raises(
        InputError, match="expected a recording of a chirp or noise, found ramp"
    ):
        impedance(other)
    stack = SweepStack(voltage_mv=np.zeros((1, 99)), current_pa=np.zeros((1, 99)), rate=1e3)
    with pytest.raises(InputError, match="give start and end"):
        impedance(stack)
    with pytest.raises(InputError, match="both start= and end=,"):
        impedance(recording, "1 s")
