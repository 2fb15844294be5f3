"""Every family that this package makes is found again: its family and its epochs.

From exact commands to the sample, from recorded ones within a stated tolerance, through ABF
and NWB, with the description and without it.
"""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cleo_like import Cell, Protocol, Provenance, Recording, Sweep, stimuli
from cleo_like.io import read, write
from cleo_like.matching import match
from cleo_like.matching.described import _is_still

FEW = settings(max_examples=4, derandomize=True)
FEWER = settings(max_examples=2, derandomize=True)
MANY = settings(max_examples=150)
RATES = st.sampled_from(["5 kHz", "10 kHz"])


def ms(low, high, step=10):
    """Whole steps of some ms, as text (each is a whole number of samples)."""
    return st.integers(low // step, high // step).map(lambda k: f"{k * step} ms")


def pa(low, high):
    return st.floats(low, high).map(lambda x: f"{round(x, 1)} pA")


@st.composite
def frames(draw, *, before=50):
    """Rest around the stimulus, rate, holding, test pulse."""
    return {
        "before": draw(ms(before, 400)), "after": draw(ms(50, 300)), "rate": draw(RATES),
        "holding": draw(st.sampled_from(["0 pA", "-20 pA", "35.5 pA"])),
        "test_pulse": draw(st.sampled_from([None, None, "-25 pA", "40 pA"])),
    }  # fmt: skip


@st.composite
def ladders(draw, *, low, high):
    """Amplitudes in any order, repeats and 0 pA among them, unequal steps; some are not 0."""
    count = draw(st.integers(1, 6))
    found = [
        draw(st.sampled_from([-1, 1])) * draw(st.integers(4, 40)) * 5 for _ in range(count)
    ]
    if count > 2 and draw(st.booleans()):
        found[1] = 0
    if count > 3 and draw(st.booleans()):
        found[3] = found[2]
    return {
        "amplitudes": [f"{a} pA" for a in found], "duration": draw(ms(low, high, 5)),
    }  # fmt: skip


@st.composite
def long_squares(draw):
    return stimuli.long_square(**draw(ladders(low=200, high=800)), **draw(frames()))


@st.composite
def short_squares(draw):
    return stimuli.short_square(**draw(ladders(low=5, high=150)), **draw(frames()))


@st.composite
def ramps(draw):
    slope = f"{draw(st.sampled_from([-1, 1])) * draw(st.integers(40, 200))} pA/s"
    return stimuli.ramp(slope, duration=draw(ms(400, 2000)), repeats=draw(st.integers(1, 2)),
                        **draw(frames()))  # fmt: skip


@st.composite
def chirps(draw):
    sweep = draw(st.sampled_from(["linear", "exponential"]))
    slowest = draw(st.sampled_from([0.0, 0.5, 2.0])) if sweep == "linear" else 0.5
    ends = [f"{slowest} Hz", f"{draw(st.integers(12, 60))} Hz"]
    if draw(st.booleans()):
        ends = ends[::-1]
        assume(sweep == "exponential" or slowest > 0)
    return stimuli.chirp(draw(pa(30, 100)), start=ends[0], stop=ends[1], sweep=sweep,
                         duration=draw(ms(2000, 4000)), repeats=draw(st.integers(1, 2)),
                         **draw(frames()))  # fmt: skip


@st.composite
def sines(draw):
    frequency, length = draw(st.floats(1.0, 60.0)), draw(ms(1500, 2500))
    return stimuli.sine(draw(pa(20, 100)), f"{round(frequency, 2)} Hz", duration=length,
                        phase=draw(st.sampled_from([0.0, 1.0, 3.0])), **draw(frames()))  # fmt: skip


@st.composite
def noises(draw):
    kind = draw(st.sampled_from([{}, {"tau": "3 ms"}, {"bandwidth": "200 Hz"}]))
    mean = draw(st.sampled_from(["0 pA", "60 pA"]))
    return stimuli.noise(draw(pa(10, 80)), seed=draw(st.integers(0, 99)), mean=mean,
                         duration=draw(ms(600, 2000)), repeats=draw(st.integers(1, 3)),
                         **kind, **draw(frames()))  # fmt: skip


@st.composite
def trains(draw):
    width = draw(st.sampled_from([1, 2, 5]))
    frequency = draw(st.integers(5, 50))
    levels = [f"{5 * draw(st.integers(10, 60))} pA" for _ in range(draw(st.integers(1, 3)))]
    return stimuli.pulse_train(levels, frequency=f"{frequency} Hz", width=f"{width} ms",
                               count=draw(st.integers(2, 8)), **draw(frames()))  # fmt: skip


@st.composite
def pictures(draw):
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(20, 80))
    grey = np.cumsum(rng.normal(0, 1, (rows, columns)), axis=1)  # pixels alike their neighbours
    return stimuli.from_image(grey, draw(ms(400, 1000, 100)), draw(RATES),
                              amplitude=draw(st.sampled_from([("-10 pA", "10 pA"),
                                                              ("0 pA", "50 pA")])))  # fmt: skip


FAMILIES = {
    "long_square": long_squares(), "short_square": short_squares(), "ramp": ramps(),
    "chirp": chirps(), "sine": sines(), "noise": noises(), "pulse_train": trains(),
    "picture": pictures(),
}  # fmt: skip


def recorded(protocol, *, described, noise=0.0):
    """Sweeps of that protocol; the response plays no part."""
    rng = np.random.default_rng(0)
    sweeps = [
        Sweep(
            response=-0.07 + w * 1e8 + 1e-4 * rng.standard_normal(w.size),
            command=w + noise * rng.standard_normal(w.size), rate=protocol.rate, number=k,
            start_time=float(start),
        )
        for k, (w, start) in enumerate(
            zip(protocol.waveforms, protocol.start_times, strict=True)
        )
    ]  # fmt: skip
    return Recording(
        sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="test"),
        protocol=protocol if described else None,
    )  # fmt: skip


def epochs_of(epochs):
    """Those that a stimulus has, not the rests about it."""
    return [
        (e.start, e.stop) for e in epochs if e.name not in ("holding", "lead_in", "lead_out")
    ]


def assert_found(found, protocol, within=0.0):
    """Its own epochs in every sweep, and the step that is common to them."""
    assert found.family == protocol.family, found
    for verdict in found.sweeps:
        shown, own = epochs_of(verdict.epochs), epochs_of(protocol.epochs)
        assert len(shown) == len(own), (verdict, shown, own)
        assert np.abs(np.array(shown) - np.array(own)).max() <= within, (verdict, shown, own)
        names = [e.name for e in verdict.epochs]
        assert ("test_pulse" in names) == (protocol.epochs[0].name == "test_pulse")
    if protocol.family == "pulse_train":
        return
    main = next(e for e in protocol.epochs if e.name in ("step", protocol.family))
    assert abs(found.step.start - main.start) <= within
    assert abs(found.step.stop - main.stop) <= within
    if main.levels is not None:
        expected = main.levels - protocol.holding
        assert np.allclose(found.amplitudes, expected, rtol=0, atol=1e-12)


def assert_found_bare(found, protocol, within=0.0):
    """The same, without a description.

    A picture without its description may be anything that is drawn from sweep to sweep;
    where its sweeps show that they differ, its ends are known.
    """
    if protocol.family != "picture":
        assert_found(found, protocol, within)
        return
    assert found.family not in ("long_square", "short_square", "pulse_train", "none"), found
    main = protocol.epoch("picture")
    if found.family == "picture":
        assert (found.step.start, found.step.stop) == (main.start, main.stop)


@pytest.mark.parametrize("name", FAMILIES)
@FEW
@given(data=st.data())
def test_exact_commands(name, data):
    protocol = data.draw(FAMILIES[name])
    told = match(recorded(protocol, described=True))
    assert told.agrees, told.disagreement
    assert_found(told, protocol)
    assert_found_bare(match(recorded(protocol, described=False)), protocol)


def tolerance(protocol):
    """How far an end may be in noise of 1 pA (samples).

    An edge 0.5 ms; a smooth start where the wave or ramp comes out of the noise, which
    its formula places within a hundredth (chirp, sine) or a twentieth (ramp) of its length.
    """
    part = {"ramp": 0.05, "chirp": 0.02, "sine": 0.01}.get(protocol.family, 0.0)
    main = protocol.epochs[-1]
    return 0.5e-3 * protocol.rate + part * (main.stop - main.start)


@pytest.mark.parametrize("name", [n for n in FAMILIES if n != "picture"])
@FEW
@given(data=st.data())
def test_recorded_commands(name, data):
    protocol = data.draw(FAMILIES[name])
    assume(protocol.parameters.get("phase") != 3.0)  # its start is in the noise
    assume(protocol.family != "noise" or protocol.parameters.get("tau") is None)
    assert_found(
        match(recorded(protocol, described=False, noise=1e-12)), protocol, tolerance(protocol)
    )
    told = match(recorded(protocol, described=True, noise=1e-12))
    assert told.agrees, told.disagreement
    assert_found(told, protocol)


def through_files(protocol, folder):
    """Recordings read from ABF and NWB, with what the files say of the protocol, and bare."""
    recording = recorded(protocol, described=True)
    for suffix in ("abf", "nwb"):
        path = write(recording, folder / f"{len(list(folder.iterdir()))}.{suffix}")
        yield True, read(path)
        path.with_name(f"{path.name}.json").unlink(missing_ok=True)
        yield False, attrs.evolve(read(path), protocol=None)


@pytest.mark.parametrize("name", FAMILIES)
@FEWER
@given(data=st.data())
def test_through_files(name, data, tmp_path_factory):
    protocol = data.draw(FAMILIES[name])
    assume(protocol.parameters.get("phase") != 3.0)
    for told, recording in through_files(protocol, tmp_path_factory.mktemp("files")):
        found = match(recording)
        if told:
            assert found.agrees, found.disagreement
            assert_found(found, protocol)
        else:  # ABF stores codes of a converter: a smooth start is within its grain
            smooth = protocol.family in ("chirp", "ramp", "sine")
            assert_found_bare(found, protocol, 2.0 if smooth else 0.0)


def test_abf_without_its_sidecar_still_tells_the_family(tmp_path):
    protocol = stimuli.pulse_train(["100 pA"], frequency="20 Hz", count=1, rate="10 kHz")
    path = write(recorded(protocol, described=True), tmp_path / "one.abf")
    path.with_name("one.abf.json").unlink()
    found = match(read(path))
    assert found.family == "pulse_train"
    assert epochs_of(found.sweeps[0].epochs) == epochs_of(protocol.epochs)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
@MANY
@given(data=st.data())
def test_many_exact_commands(name, data):
    protocol = data.draw(FAMILIES[name])
    assert_found(match(recorded(protocol, described=True)), protocol)
    assert_found_bare(match(recorded(protocol, described=False)), protocol)


@pytest.mark.parametrize(("described", "still"), [(2, True), (3, False), (1, False)])
def test_still_sweeps_are_those_described_only_if_there_are_as_many(described, still):
    protocol = Protocol(waveforms=np.zeros((described, 2000)), rate=1e4, family="arbitrary")
    sweeps = [
        Sweep(response=np.full(2000, -0.07), command=np.zeros(2000), rate=1e4, number=k)
        for k in range(2)
    ]
    recording = Recording(
        sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="x"), protocol=protocol
    )
    verdict = match(attrs.evolve(recording, protocol=None)).sweeps[0]
    assert _is_still(verdict, recording, protocol) is still
