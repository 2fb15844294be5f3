"""Recordings with known contents, made without the simulator."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cleo_like import Cell, Epoch, GroundTruth, Protocol, Provenance, Recording, Sweep
from cleo_like.core.protocol import levels_from_epochs


def make_steps(rate: float = 20_000.0, n_samples: int = 20_000, *, test_pulse: bool = True):
    """Nine sweeps: -20 pA holding, a 10 ms test pulse, a 0.5 s step of -100..300 pA."""
    levels = np.arange(-100, 301, 50) * 1e-12
    ms = n_samples // 1000
    epochs = [Epoch(name="step", start=250 * ms, stop=750 * ms, levels=levels)]
    if test_pulse:
        pulse = np.full(len(levels), -70e-12)
        epochs.insert(0, Epoch(name="test_pulse", start=40 * ms, stop=50 * ms, levels=pulse))
    return Protocol(
        waveforms=levels_from_epochs(epochs, len(levels), n_samples, -20e-12),
        rate=rate,
        family="long_square",
        epochs=epochs,
        holding=-20e-12,
        gap=0.5,
        name="steps",
        source="these tests",
        parameters={"step": 5e-11},
    )


def make_recording(protocol: Protocol, rng: np.random.Generator) -> Recording:
    """Noise of 2 mV around -70 mV, with invented spike times as truth."""
    shape = protocol.waveforms.shape
    responses = (-0.07 + 2e-3 * rng.standard_normal(shape)).astype(np.float32)
    sweeps = [
        Sweep(
            response=response,
            command=command,
            rate=protocol.rate,
            number=number,
            start_time=float(protocol.start_times[number]),
            stimulus="steps",
            settings={"bridge_balance": 1e7, "capacitance_compensation": 4e-12, "gain": 5.0},
        )
        for number, (response, command) in enumerate(
            zip(responses, protocol.waveforms, strict=True)
        )
    ]
    truth = GroundTruth(
        spike_times=[np.linspace(0.3, 0.6, n) for n in range(shape[0])],
        voltage=[np.full(shape[1], -0.07 + 1e-4 * n) for n in range(shape[0])],
        model="rs",
        parameters={"C": 1e-10},
        answers={"rheobase": 4.5e-11},
    )
    return Recording(
        sweeps=sweeps,
        cell=Cell(id="c/1", species="Mus musculus", region="VISp", donor="m_1", age="P30D"),
        provenance=Provenance(
            source="simulation",
            software={"cleo_like": "0.1.0"},
            parameters={"dt": 2e-5, "noise": {"sd": 0.002}, "list": [1, 2]},
            seed=7,
            created="2025-03-01T10:00:00+01:00",
        ),
        protocol=protocol,
        truth=truth,
        session_start="2025-03-01T09:30:00.250000+01:00",
        device={"electrode": "pipette 1", "name": "amplifier", "filtering": "10 kHz Bessel"},
        findings=("made for a test",),
    )


@pytest.fixture
def build_steps():
    """`make_steps`, for tests that need other rates or lengths."""
    return make_steps


@pytest.fixture
def steps() -> Protocol:
    """Nine square steps with a test pulse."""
    return make_steps()


@pytest.fixture
def recording(steps, rng) -> Recording:
    """A recording of `steps` with everything a simulator knows."""
    return make_recording(steps, rng)


@pytest.fixture
def picture(rng) -> Protocol:
    """Five sweeps that draw the rows of a 5 x 40 picture, -10..10 pA."""
    grey = rng.random((5, 40))
    return Protocol(
        waveforms=np.repeat(grey * 20e-12 - 10e-12, 25, axis=1),
        rate=10_000.0,
        family="picture",
        epochs=[Epoch(name="picture", start=0, stop=1000)],
        picture=grey,
        name="noise picture",
    )


@pytest.fixture
def in_voltage_clamp(recording) -> Recording:
    """The same sweeps read as currents under commanded potentials."""
    sweeps = [
        attrs.evolve(
            s,
            mode="voltage_clamp",
            response=s.response * 1e-8,
            command=s.command * 1e9,
            settings={},
        )
        for s in recording.sweeps
    ]
    return attrs.evolve(recording, sweeps=sweeps, protocol=None, truth=None)
