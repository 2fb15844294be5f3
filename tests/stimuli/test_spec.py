"""Protocols as text."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cleo_like import stimuli
from cleo_like.core.errors import InputError, UnitError, UnknownNameError
from cleo_like.stimuli import parse_protocol

SAME = [
    (
        "long_square amplitudes=-100:100:50pA duration=1s rate=20kHz",
        lambda: stimuli.long_square(
            ["-100 pA", "-50 pA", "0 pA", "50 pA", "100 pA"], duration="1 s", rate="20 kHz"
        ),
    ),
    (
        "long_square: amplitudes=-50,50,100pA, test_pulse=-25pA,rate=20kHz",
        lambda: stimuli.long_square(
            ["-50 pA", "50 pA", "100 pA"], test_pulse="-25 pA", rate="20 kHz"
        ),
    ),
    ("short_square amplitudes=0.5nA,600pA", lambda: stimuli.short_square(["0.5 nA", "600 pA"])),
    ("long_square amplitudes=50pA test_pulse=none", lambda: stimuli.long_square(["50 pA"])),
    ("ramp", lambda: stimuli.ramp()),
    ("ramp slope=50pA/s duration=2s", lambda: stimuli.ramp("50 pA/s", duration="2 s")),
    ("sag_ladder", lambda: stimuli.sag_ladder()),
    (
        "noise sd=20pA tau=3ms seed=7 repeats=3 duration=1s",
        lambda: stimuli.noise("20 pA", tau="3 ms", seed=7, repeats=3, duration="1 s"),
    ),
    (
        "chirp amplitude=20pA sweep=exponential start=0.5Hz duration=2s",
        lambda: stimuli.chirp("20 pA", sweep="exponential", start="0.5 Hz", duration="2 s"),
    ),
    (
        "sine amplitude=20pA frequency=8Hz phase=1.5",
        lambda: stimuli.sine("20 pA", "8 Hz", phase=1.5),
    ),
    (
        "pulse_train amplitudes=500pA frequency=30Hz count=4",
        lambda: stimuli.pulse_train(["500 pA"], frequency="30 Hz", count=4),
    ),
]


@pytest.mark.parametrize(("text", "make"), SAME, ids=[text for text, _ in SAME])
def test_text_makes_what_the_function_makes(text, make):
    found, expected = parse_protocol(text), make()
    assert found.description() == expected.description()
    assert np.array_equal(found.waveforms, expected.waveforms)


def test_a_picture_is_named_by_its_path(tmp_path):
    path = tmp_path / "a photo.png"
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(path)
    found = parse_protocol(
        f"picture '{path}' sweep_duration=1s sample_rate=1kHz amplitude=-5,15pA rows=3 "
        "subsample=yes percentiles=0,100 rotate=90"
    )
    expected = stimuli.from_image(
        path, "1 s", "1 kHz", amplitude=("-5 pA", "15 pA"), rows=3, subsample=True,
        percentiles=(0, 100), rotate=90,
    )  # fmt: skip
    assert found == expected


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("", InputError, "cannot read the protocol ''"),
        ("long_sqare amplitudes=1pA", UnknownNameError, "did you mean 'long_square'"),
        ("long_square amplitude=1pA", UnknownNameError, "did you mean 'amplitudes'"),
        ("long_square", InputError, r"long_square needs amplitudes=\.\.\."),
        ("long_square amplitudes=100", UnitError, "has no unit"),
        ("long_square amplitudes=100mV", UnitError, "expected a unit of A"),
        ("long_square amplitudes=abc", InputError, "cannot read 'abc' as a number"),
        ("long_square amplitudes=1:2:3:4pA", InputError, "first:last:step"),
        ("long_square amplitudes=1pA:2nA:3pA", InputError, "one unit"),
        ("long_square amplitudes=-100:300:-50pA", InputError, "does not lead from -100 to 300"),
        ("long_square amplitudes=0:300:0pA", InputError, "a step of 0"),
        ("long_square amplitudes=1pA amplitudes=2pA", InputError, "given twice"),
        ("long_square amplitudes=1pA 5", InputError, "expected argument=value"),
        ("noise sd=1pA seed=x", InputError, "seed='x' must be a whole number"),
        ("sine amplitude=1pA frequency=8Hz phase=x", UnitError, "phase='x' is not a number"),
        ("picture 'a.png", InputError, "No closing quotation"),
        (
            "picture a.png sweep_duration=1s sample_rate=1kHz subsample=maybe",
            InputError,
            "yes or no",
        ),
        ("picture a.png sweep_duration=1s sample_rate=1kHz dac=x", UnknownNameError, "'dac'"),
    ],
)
def test_mistakes_are_explained(text, error, match):
    with pytest.raises(error, match=match):
        parse_protocol(text)
