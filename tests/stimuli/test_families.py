"""Families against hand-made commands."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from brian2 import pA
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cleo_like import Protocol, stimuli
from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.provenance import to_json
from cleo_like.stimuli import spec

EXAMPLES = {
    "long_square": lambda **k: stimuli.long_square(["-50 pA", "100 pA"], **k),
    "short_square": lambda **k: stimuli.short_square(["500 pA"], **k),
    "sag_ladder": lambda **k: stimuli.sag_ladder(**k),
    "ramp": lambda **k: stimuli.ramp(duration="2 s", **k),
    "chirp": lambda **k: stimuli.chirp("20 pA", duration="2 s", **k),
    "sine": lambda **k: stimuli.sine("20 pA", "5 Hz", **k),
    "noise": lambda **k: stimuli.noise("20 pA", seed=1, tau="3 ms", **k),
    "pulse_train": lambda **k: stimuli.pulse_train(["500 pA"], frequency="50 Hz", **k),
}


def test_every_family_has_an_example_here():
    elsewhere = {"picture", "voltage_steps"}  # images/test_image, features/clamp/test_clamp
    assert set(EXAMPLES) == set(spec.FAMILY_MAKERS) - elsewhere


@pytest.mark.parametrize("name", EXAMPLES)
def test_outside_its_epochs_every_family_is_at_holding(name):
    protocol = EXAMPLES[name](rate="10 kHz", holding="-30 pA", test_pulse="-20 pA")
    outside = np.ones(protocol.n_samples, dtype=bool)
    for epoch in protocol.epochs:
        outside[epoch.start : epoch.stop] = False
        if epoch.levels is not None:
            part = protocol.waveforms[:, epoch.start : epoch.stop]
            assert (part == epoch.levels[:, np.newaxis]).all()
    assert (protocol.waveforms[:, outside] == -30e-12).all()
    assert outside[:400].all()
    assert outside[-5000:].all()  # half a second after the stimulus
    assert protocol.epochs[0].name == "test_pulse"
    assert protocol.epochs[0].levels * 1e12 == pytest.approx([-50] * protocol.n_sweeps)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_family_names_its_source_and_writes_its_parameters(name):
    protocol = EXAMPLES[name](test_pulse="-25 pA")
    assert protocol.source
    assert json.loads(to_json(protocol.description()))["parameters"]["rate"] == protocol.rate
    again = Protocol.from_description(protocol.description(), protocol.waveforms)
    assert again == protocol


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_family_takes_brian2_quantities_and_no_bare_number(name):
    moved = EXAMPLES[name](holding=5 * pA, rate="10 kHz").waveforms
    assert_allclose(moved, EXAMPLES[name](rate="10 kHz").waveforms + 5e-12, rtol=0, atol=1e-24)
    with pytest.raises(UnitError, match="holding=5 has no unit"):
        EXAMPLES[name](holding=5)


@pytest.mark.parametrize("maker", spec.FAMILY_MAKERS.values())
def test_only_the_main_arguments_are_positional(maker):
    kinds = [p.kind for p in inspect.signature(maker).parameters.values()]
    assert sum(kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for kind in kinds) <= 3


def test_long_square_by_hand():
    protocol = stimuli.long_square(
        [-50 * pA, 0 * pA, 100 * pA],
        duration="20 ms", before="10 ms", after="30 ms", rate="1 kHz", holding="-10 pA",
    )  # fmt: skip
    expected = np.full((3, 60), -10.0)
    expected[:, 10:30] += np.array([[-50], [0], [100]])
    assert protocol.waveforms * 1e12 == pytest.approx(expected)
    assert protocol.epoch("step").levels * 1e12 == pytest.approx([-60, -10, 90])
    assert protocol.is_steps
    assert protocol.parameters["amplitudes"] == pytest.approx([-50e-12, 0, 100e-12], abs=1e-24)


@settings(max_examples=25)
@given(
    amplitudes=st.lists(st.floats(-1e-9, 1e-9), min_size=1, max_size=5),
    before=st.integers(0, 300),
    duration=st.integers(1, 300),
)
def test_a_long_square_is_its_epoch(amplitudes, before, duration):
    protocol = stimuli.long_square(
        [f"{a!r} A" for a in amplitudes],
        duration=f"{duration} ms", before=f"{before} ms", after="5 ms", rate="2 kHz",
    )  # fmt: skip
    step = protocol.epoch("step")
    assert (step.start, step.stop) == (2 * before, 2 * (before + duration))
    assert protocol.waveforms.sum(axis=1) == pytest.approx(
        np.array(amplitudes) * 2 * duration, abs=1e-18
    )


def test_default_long_square_suits_extractors_that_want_a_test_pulse():
    protocol = stimuli.long_square(["50 pA"], test_pulse="-25 pA")
    pulse, step = protocol.epochs
    assert (pulse.stop - pulse.start) / protocol.rate == pytest.approx(0.010)
    assert pulse.start > 0
    assert step.start / protocol.rate == pytest.approx(1.0)
    assert (protocol.n_samples - step.stop) / protocol.rate >= 0.5
    edges = np.flatnonzero(np.diff(protocol.waveforms[0]))
    assert edges.size == 4  # two of the pulse, two of the step


def test_sag_ladder_is_hyperpolarising():
    with pytest.raises(InputError, match="below 0 pA, got up to 20 pA; use long_square"):
        stimuli.sag_ladder(["-20 pA", "20 pA"])


def test_ramp_reaches_slope_times_duration():
    protocol = stimuli.ramp("25 pA/s", duration="4 s", rate="1 kHz", before="0 s", after="1 ms")
    assert_allclose(
        protocol.waveforms[0, :-1], 25e-12 * np.arange(4000) / 1000, rtol=0, atol=1e-24
    )


def test_frozen_noise_is_the_same_in_every_sweep():
    protocol = stimuli.noise("20 pA", seed=4, tau="3 ms", duration="1 s", repeats=3)
    assert protocol.n_sweeps == 3
    assert (protocol.waveforms == protocol.waveforms[0]).all()
    assert np.ptp(protocol.waveforms[0]) > 20e-12
    with pytest.raises(InputError, match="not both"):
        stimuli.noise("20 pA", seed=4, tau="3 ms", bandwidth="1 kHz")


def test_a_pulse_train_has_one_epoch_per_pulse():
    train = stimuli.pulse_train(["100 pA", "200 pA"], frequency="30 Hz", count=4, rate="20 kHz")
    starts = np.array([e.start for e in train.epochs]) - train.epochs[0].start
    assert [e.name for e in train.epochs] == ["pulse"] * 4
    assert np.abs(starts - np.arange(4) * 20_000 / 30).max() <= 0.5
    assert train.n_samples - train.epochs[-1].stop == 10_000
    with pytest.raises(InputError, match="run into each other"):
        stimuli.pulse_train(["1 pA"], frequency="400 Hz")


def test_a_test_pulse_moves_everything_by_its_front():
    plain = stimuli.chirp("20 pA", duration="1 s")
    front = stimuli.with_test_pulse(
        plain, "-20 pA", before="10 ms", duration="5 ms", after="85 ms"
    )
    assert front.epoch("chirp").start == plain.epoch("chirp").start + 2000
    assert np.array_equal(front.waveforms[:, 2000:], plain.waveforms)
    with pytest.raises(InputError, match="has a test pulse already"):
        stimuli.with_test_pulse(front)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"amplitudes": [100, 200]}, UnitError, "has no unit"),
        ({"amplitudes": []}, UnitError, "amplitudes must be a value in pA"),
        ({"amplitudes": ["1 mV"]}, UnitError, "expected a unit of A"),
        ({"amplitudes": ["nan pA"]}, UnitError, "not a number with a unit"),
        ({"amplitudes": [np.nan * pA]}, InputError, "must be finite"),
        ({"amplitudes": ["1 pA"], "duration": "1.00001 s"}, InputError, "use 1000 ms"),
        ({"amplitudes": ["1 pA"], "before": "-1 ms"}, InputError, "before must be at least"),
        ({"amplitudes": ["1 pA"], "gap": "-1 ms"}, InputError, "gap must be 0 s or more"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        stimuli.long_square(**arguments)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: stimuli.sine("50 pA", "0 Hz"), "above 0 Hz"),
        (lambda: stimuli.sine("50 pA", "10 kHz", rate="20 kHz"), "0 at every sample"),
        (lambda: stimuli.chirp("50 pA", start="0 Hz", stop="0 Hz"), "above 0 Hz"),
        (lambda: stimuli.pulse_train(["1 nA"], frequency="-1 Hz", count=3), "above 0"),
    ],
)
def test_waves_that_would_be_flat_are_refused(make, match):
    with pytest.raises(InputError, match=match):
        make()


def test_the_highest_sine_that_can_be_drawn():
    assert stimuli.sine("50 pA", "9.9 kHz", rate="20 kHz").waveforms.max() > 4e-11
