"""Protocols of this package: the family found is the family described."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cleo_like import stimuli
from cleo_like.matching import match, match_arrays

_STEPS = ["-60 pA", "-20 pA", "0 pA", "20 pA", "60 pA"]
PROTOCOLS = {
    "long_square": lambda **k: stimuli.long_square(_STEPS, rate="20 kHz", **k),
    "sag_ladder": lambda **k: stimuli.sag_ladder(rate="20 kHz", **k),
    "single": lambda **k: stimuli.long_square("100 pA", rate="20 kHz", **k),
    "short_square": lambda **k: stimuli.short_square(["100 pA", "200 pA"], **k),
    "ramp": lambda **k: stimuli.ramp(duration="2 s", repeats=2, rate="20 kHz", **k),
    "chirp": lambda **k: stimuli.chirp("30 pA", duration="5 s", rate="10 kHz", **k),
    "sine": lambda **k: stimuli.sine("20 pA", "5 Hz", duration="2 s", rate="20 kHz", **k),
    "white": lambda **k: stimuli.noise("20 pA", seed=1, duration="2 s", rate="20 kHz", **k),
    "ou": lambda **k: stimuli.noise(
        "20 pA", seed=2, tau="3 ms", mean="80 pA", duration="2 s", rate="20 kHz", **k
    ),
    "train": lambda **k: stimuli.pulse_train(
        ["100 pA", "200 pA"], frequency="20 Hz", count=8, rate="20 kHz", **k
    ),
}
NOT_A_SQUARE = {"ramp", "chirp", "sine", "white", "ou"}


def picture():
    grey = np.add.outer(np.linspace(0, 1, 8), np.sin(np.linspace(0, 12, 60)))
    return stimuli.from_image(grey, "1 s", "20 kHz")


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("extra", [{}, {"test_pulse": "-25 pA", "holding": "-20 pA"}])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_found_without_the_description(name, extra, noise, record, rng):
    protocol = PROTOCOLS[name](**extra)
    commands = protocol.waveforms * 1e12 + noise * rng.standard_normal(protocol.waveforms.shape)
    found = match(record(commands, rate=protocol.rate))
    assert found.family == protocol.family
    if name not in NOT_A_SQUARE and protocol.family != "pulse_train":
        step = protocol.epoch("step")
        told = (step.start / protocol.rate, step.stop / protocol.rate)
        assert np.allclose(found.window, told, rtol=0, atol=0.5e-3)
        expected = step.levels - protocol.holding
        assert np.allclose(found.amplitudes, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_description_agrees(name, record):
    protocol = PROTOCOLS[name]()
    found = match(record(protocol.waveforms * 1e12, rate=protocol.rate, protocol=protocol))
    assert found.family == protocol.family
    assert found.agrees
    assert "as the file describes it" in found.reason


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_pictures_are_no_squares_and_agree(record, rng, noise):
    protocol = picture()
    commands = protocol.waveforms * 1e12 + noise * rng.standard_normal(protocol.waveforms.shape)
    bare = match(record(commands, rate=protocol.rate))
    assert bare.family not in ("long_square", "short_square", "pulse_train", "none")
    if not noise:
        assert bare.family == "picture"
    told = match(record(commands, rate=protocol.rate, protocol=protocol))
    assert told.family == "picture"
    assert told.agrees


def test_a_wrong_family_is_a_finding(record):
    protocol = PROTOCOLS["ramp"]()
    squares = PROTOCOLS["long_square"]().waveforms
    found = match(record(squares * 1e12, protocol=protocol))
    assert found.family == "ramp"
    assert found.found == "long_square"
    assert not found.agrees
    assert "describes a ramp but its commands show a long_square" in found.reason


def test_a_wrong_window_is_a_finding(record):
    protocol = PROTOCOLS["long_square"]()
    (step,) = protocol.epochs
    late = attrs.evolve(protocol, epochs=[attrs.evolve(step, stop=step.stop + 2000)])
    found = match(record(protocol.waveforms * 1e12, protocol=late))
    assert found.family == "long_square"
    assert "describes a step at 0.5 to 1.6 s" in found.reason
    assert not found.agrees


def test_arbitrary_tells_nothing(record):
    protocol = attrs.evolve(PROTOCOLS["long_square"](), family="arbitrary")
    found = match(record(protocol.waveforms * 1e12, protocol=protocol))
    assert found.family == "long_square"
    assert found.agrees


@pytest.mark.parametrize("frequency", [7.0, 50.0])
def test_a_sine_is_told_its_frequency(frequency):
    t = np.arange(40_000) / 20e3
    wave = np.where((t > 0.5) & (t < 1.5), 40 * np.sin(2 * np.pi * frequency * (t - 0.5)), 0.0)
    (verdict,) = match_arrays([wave], "20 kHz").sweeps
    assert verdict.family == "sine"
    assert f"{frequency:.3g} Hz" in verdict.reason
