"""What a file says of its protocol, beside commands that do or do not have it."""

import attrs
import numpy as np
import pytest

from cleo_like import Cell, ClampMode, Protocol, Provenance, Recording, Sweep, stimuli
from cleo_like.matching import match
from cleo_like.matching.described import compare

AROUND = {"before": "100 ms", "after": "100 ms", "rate": "10 kHz"}
STEPS = stimuli.long_square(["-50 pA", "50 pA", "100 pA"], duration="500 ms", **AROUND)


def recording(protocol, commands):
    sweeps = [
        Sweep(response=np.full(w.size, -0.07), command=w, rate=1e4, number=k)
        for k, w in enumerate(commands)
    ]
    return Recording(sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="x"),
                     protocol=protocol)  # fmt: skip


def shifted(by, rows=(0, 1, 2)):
    """Give the commands of the steps, some of them late by some samples."""
    return [np.roll(w, by if k in rows else 0) for k, w in enumerate(STEPS.waveforms)]


@pytest.mark.parametrize(
    ("by", "same"), [(0, True), (5, True), (-5, True), (6, False), (-6, False)]
)
def test_a_step_may_be_half_a_millisecond_off(by, same):
    found = match(recording(STEPS, shifted(by)))
    assert found.agrees is same
    where = (1000, 6000) if same else (1000 + by, 6000 + by)
    assert (found.step.start, found.step.stop) == where
    assert found.amplitudes == pytest.approx([-50e-12, 50e-12, 100e-12])
    if not same:
        assert "describes a step at 0.1 to 0.6 s" in found.disagreement
        assert f"it at {where[0] / 1e4:g} to {where[1] / 1e4:g} s" in found.disagreement


@pytest.mark.parametrize(("rows", "agrees"), [((2,), True), ((1, 2), False)])
def test_the_description_counts_where_most_sweeps_have_it(rows, agrees):
    """One of three sweeps is another: it is no member. With two it is the description."""
    found = match(recording(STEPS, shifted(300, rows)))
    assert found.agrees is agrees
    if agrees:
        assert found.members == (0, 1)
        assert found.step.levels.tolist() == [-50e-12, 50e-12]
        odd = found.sweeps[2]
        assert (odd.step.start, odd.step.stop) == (1300, 6300)


def test_half_of_the_sweeps_is_not_most():
    four = stimuli.long_square([f"{a} pA" for a in (-50, 50, 100, 150)], duration="500 ms",
                               **AROUND)  # fmt: skip
    rows = [np.roll(w, 300 * (k > 1)) for k, w in enumerate(four.waveforms)]
    assert match(recording(four, rows)).agrees
    rows = [np.roll(w, 300 * (k > 0)) for k, w in enumerate(four.waveforms)]
    assert not match(recording(four, rows)).agrees


def test_another_kind_than_described_is_said():
    ramp = stimuli.ramp("100 pA/s", duration="500 ms", **AROUND)
    found = match(recording(attrs.evolve(ramp), [STEPS.waveforms[2]]))
    assert found.disagreement == "the file describes a ramp but its commands show a long_square"
    found = match(recording(STEPS, [np.zeros(7000)] * 3))
    assert (
        found.disagreement == "the file describes a long_square but its commands show nothing"
    )


def test_steps_without_a_height_are_what_is_described():
    still = stimuli.long_square(["0 pA", "0 pA"], duration="500 ms", **AROUND)
    found = match(recording(still, still.waveforms))
    assert found.agrees
    assert found.family == "long_square"
    assert (found.step.start, found.step.stop) == (1000, 6000)
    assert found.amplitudes.tolist() == [0, 0]


@pytest.mark.parametrize(
    "other",
    [None, attrs.evolve(STEPS, mode=ClampMode.VOLTAGE),
     Protocol(waveforms=STEPS.waveforms, rate=1e4, family="arbitrary")],
)  # fmt: skip
def test_descriptions_that_tell_nothing(other):
    """None; of voltage clamp; "arbitrary", as files of other makers have it."""
    bare = recording(None, STEPS.waveforms)
    found = match(bare)
    assert found.disagreement is None
    assert compare(found, attrs.evolve(bare, protocol=other)) == found
    assert "as the file describes it" not in found.reason


def test_a_description_without_epochs_gives_the_family():
    protocol = Protocol(waveforms=STEPS.waveforms, rate=1e4, family="long_square")
    found = match(recording(protocol, STEPS.waveforms))
    assert found.agrees
    assert (found.family, found.step.start, found.step.stop) == ("long_square", 1000, 6000)
    pulses = attrs.evolve(protocol, family="pulse_train")
    found = match(recording(pulses, STEPS.waveforms))
    assert (found.family, found.agrees) == ("pulse_train", True)  # steps are steps
    assert {v.family for v in found.sweeps} == {"pulse_train"}
    found = match(recording(attrs.evolve(protocol, family="chirp"), STEPS.waveforms))
    assert (
        found.disagreement == "the file describes a chirp but its commands show a long_square"
    )


@pytest.mark.parametrize(("part", "agrees"), [(0.97, True), (0.93, True), (0.85, False)])
def test_a_wave_may_begin_out_of_nothing_for_a_tenth(part, agrees):
    sine = stimuli.sine("50 pA", "10 Hz", duration="2 s", **AROUND)
    wave = sine.waveforms[0].copy()
    first = sine.epoch("sine").start
    cut = first + round((1 - part) * 20000 / 1000) * 1000  # whole periods
    wave[first:cut] = 0
    found = match(recording(sine, [wave]))
    assert found.agrees is agrees
    if not agrees:
        assert (
            "describes a sine at 0.1 to 2.1 s but its commands show it at" in found.disagreement
        )


def test_a_sweep_that_was_stopped_is_no_member():
    rows = [STEPS.waveforms[0], STEPS.waveforms[1], STEPS.waveforms[2][:4000]]
    found = match(recording(STEPS, rows))
    assert found.agrees
    assert found.members == (0, 1)
    assert not found.sweeps[2].complete
    assert found.sweeps[2].step.stop == 4000


def test_levels_are_those_of_the_commands():
    """A gain that differs from the description by a hundredth is in the commands."""
    found = match(recording(STEPS, STEPS.waveforms * 1.01))
    assert found.agrees
    assert found.amplitudes == pytest.approx(np.array([-50.5e-12, 50.5e-12, 101e-12]))
    found = match(recording(STEPS, STEPS.waveforms + 5e-15))
    assert found.step.levels.tolist() == [-50e-12, 50e-12, 100e-12]  # rounding of a file


def test_the_epochs_of_a_header_tell_no_family():
    """Epochs A and B of an ABF header have no names of a family."""
    names = [attrs.evolve(e, name="A" if e.name == "step" else "B") for e in STEPS.epochs]
    lettered = attrs.evolve(STEPS, epochs=names)
    found = match(recording(lettered, shifted(100)))
    assert (found.step.start, found.step.stop) == (1100, 6100)  # found, not told
    assert found.agrees


def test_of_two_stretches_that_vary_the_longer_is_looked_at():
    row = np.zeros(9000)
    row[500:1500] = np.linspace(0, 5e-11, 1000)
    row[3000:8000] = np.linspace(0, 2e-10, 5000)
    (sweep,) = match(recording(None, [row])).sweeps
    assert abs(sweep.step.start - 3000) < 100
    assert abs(sweep.step.stop - 8000) < 100
