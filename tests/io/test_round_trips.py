"""Properties of every round trip: protocols and recordings of any shape through every format."""

from __future__ import annotations

import attrs
import numpy as np
import pyabf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like import Cell, Epoch, GroundTruth, Protocol, Provenance, Recording, Sweep
from cleo_like.core.protocol import levels_from_epochs
from cleo_like.io import read, read_protocol, sidecar_path, write
from cleo_like.io.abf.table import epoch_table

RATES = st.sampled_from([1000.0, 10_000.0, 22_050.0, 44_100.0, 96_000.0, 31_250.5])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)
NAMES = TEXT.filter(lambda t: t.strip() != "")


@st.composite
def ladders(draw):
    """Step protocols that an epoch table can hold, whatever their times and levels."""
    n_samples = draw(st.integers(256, 3000))
    n_sweeps = draw(st.integers(1, 12))
    off = n_samples // 64
    n_epochs = draw(st.integers(1, 3))
    edges = st.integers(off + 1, n_samples - off)
    cuts = sorted(draw(st.sets(edges, min_size=2 * n_epochs, max_size=2 * n_epochs)))
    picoamperes = st.integers(-500, 500)
    epochs = []
    for index in range(n_epochs):
        first, rise = draw(picoamperes), draw(st.integers(-50, 50))
        levels = (first + rise * np.arange(n_sweeps)) * 1e-12
        start, stop = cuts[2 * index : 2 * index + 2]
        epochs.append(Epoch(name=f"e{index}", start=start, stop=stop, levels=levels))
    holding = draw(picoamperes) * 1e-12
    return Protocol(
        waveforms=levels_from_epochs(epochs, n_sweeps, n_samples, holding),
        rate=draw(RATES),
        family=draw(st.sampled_from(["long_square", "short_square", "pulse_train"])),
        epochs=epochs,
        holding=holding,
        gap=draw(st.sampled_from([0.0, 0.25, 3.0])),
        name=draw(NAMES),
        source=draw(TEXT),
        parameters=draw(st.dictionaries(TEXT, st.integers() | TEXT | st.none(), max_size=3)),
    )


def _answered(protocol, seed):
    rng = np.random.default_rng(seed)
    responses = (0.05 * rng.standard_normal(protocol.waveforms.shape) - 0.06).astype(np.float32)
    sweeps = [
        Sweep(
            response=r,
            command=c,
            rate=protocol.rate,
            number=n,
            start_time=float(protocol.start_times[n]),
        )
        for n, (r, c) in enumerate(zip(responses, protocol.waveforms, strict=True))
    ]
    truth = GroundTruth(spike_times=[rng.random(rng.integers(0, 4)) for _ in sweeps])
    return Recording(
        sweeps=sweeps,
        cell=Cell(id="c"),
        provenance=Provenance(source="simulation", seed=seed),
        protocol=protocol,
        truth=truth,
    )


@settings(max_examples=25)
@given(protocol=ladders(), suffix=st.sampled_from(["abf", "atf"]))
def test_step_protocols_come_back_exactly(tmp_path_factory, protocol, suffix):
    path = tmp_path_factory.mktemp("p") / f"p.{suffix}"
    assert read_protocol(write(protocol, path)) == protocol


@settings(max_examples=25)
@given(protocol=ladders(), seed=st.integers(0, 2**32 - 1))
def test_recordings_of_steps_through_abf(tmp_path_factory, protocol, seed):
    recording = _answered(protocol, seed)
    path = write(recording, tmp_path_factory.mktemp("r") / "r.abf")
    back = read(path)
    bit = float(max(np.abs(s.response).max() for s in recording.sweeps)) / 32000
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        error = np.abs(ours.response - theirs.response.astype(float)).max()
        assert error <= 0.5 * bit * (1 + 1e-6)
        assert np.array_equal(ours.command, theirs.command)
    assert attrs.evolve(back, sweeps=recording.sweeps) == recording
    sidecar_path(path).unlink()
    alone = read(path)
    assert alone.sweeps[0].rate == pytest.approx(protocol.rate, rel=1e-7)
    largest = np.abs(protocol.waveforms).max()
    for ours, theirs in zip(alone.sweeps, recording.sweeps, strict=True):
        assert np.abs(ours.command - theirs.command).max() <= 1e-6 * largest


@settings(max_examples=25)
@given(protocol=ladders())
def test_pyabf_draws_the_same_command(tmp_path_factory, protocol):
    """The epoch table is checked by another program's drawing of it."""
    assert not isinstance(epoch_table(protocol, 1e-12), str)
    path = write(_answered(protocol, 1), tmp_path_factory.mktemp("r") / "r.abf")
    abf = pyabf.ABF(path)
    for number in range(protocol.n_sweeps):
        abf.setSweep(number)
        assert np.abs(abf.sweepC - protocol.waveforms[number] * 1e12).max() < 1e-3  # float32


@settings(max_examples=6)
@given(protocol=ladders(), seed=st.integers(0, 2**32 - 1))
def test_recordings_through_nwb(tmp_path_factory, protocol, seed):
    recording = _answered(protocol, seed)
    back = read(write(recording, tmp_path_factory.mktemp("r") / "r.nwb"))
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        assert np.array_equal(ours.response, theirs.response)
        assert np.array_equal(ours.command, theirs.command)
        assert ours.rate == theirs.rate
    assert attrs.evolve(back, sweeps=recording.sweeps, findings=()) == recording


FINITE = st.floats(-1e4, 1e6, allow_subnormal=False)
ANY_RATE = RATES | st.floats(0.5, 5e6, allow_subnormal=False)


@st.composite
def odd_sweeps(draw, number):
    """A sweep of any length, rate, start and mode, with gaps in response and command."""
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    clamp = draw(st.sampled_from(["current_clamp", "voltage_clamp"]))
    scales = (0.05, 1e-10) if clamp == "current_clamp" else (1e-9, 0.05)
    response, command = (
        (scale * rng.standard_normal(n) + draw(st.sampled_from([0.0, -scale]))).astype(
            np.float32
        )
        for scale in scales
    )
    for samples in (response, command):
        for _ in range(draw(st.integers(0, 2))):
            begin = draw(st.integers(0, n - 1))
            samples[begin : begin + draw(st.integers(1, 8))] = np.nan
    settings_ = ["gain", "bridge_balance" if clamp == "current_clamp" else "capacitance_fast"]
    return Sweep(
        response=response,
        command=draw(st.sampled_from([command, command, None])),
        rate=draw(ANY_RATE),
        number=number,
        mode=clamp,
        start_time=draw(FINITE),
        stimulus=draw(st.none() | NAMES),
        settings=draw(
            st.dictionaries(st.sampled_from(settings_), st.floats(0, 1e9), max_size=2)
        ),
        notes=draw(st.lists(TEXT, max_size=2)),
    )


@st.composite
def odd_recordings(draw):
    numbers = draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4, unique=True))
    return Recording(
        sweeps=[draw(odd_sweeps(number)) for number in numbers],
        cell=Cell(
            id=draw(NAMES), donor=draw(st.none() | NAMES), region=draw(st.none() | NAMES)
        ),
        provenance=Provenance(source=draw(st.sampled_from(["simulation", "x.abf"])), seed=3),
        session_start=draw(st.none() | st.just("2025-03-01T09:30:00.250000+01:00")),
        findings=draw(st.lists(NAMES, max_size=2)),
        device=draw(st.dictionaries(NAMES, TEXT | st.none(), max_size=2)),
    )


def _tail_cut(sweep):
    """What a reader may keep: up to the last recorded sample; a command of no number is none."""
    known = np.flatnonzero(np.isfinite(sweep.response))
    n = int(known[-1]) + 1 if len(known) else 0
    command = None if sweep.command is None else sweep.command[:n]
    if command is not None and np.isnan(command).all():
        command = None
    return attrs.evolve(sweep, response=sweep.response[:n], command=command)


@settings(max_examples=20)
@given(recording=odd_recordings())
def test_anything_that_a_recording_holds_through_nwb(tmp_path_factory, recording):
    wanted = [_tail_cut(s) for s in recording.sweeps]
    wanted = [s for s in wanted if s.n_samples]
    path = write(recording, tmp_path_factory.mktemp("r") / "r.nwb")
    back = read(path)
    assert back.n_sweeps == len(wanted)
    for ours, theirs in zip(back.sweeps, wanted, strict=True):
        extra = [n for n in ours.notes if n not in theirs.notes]
        assert all("NaN tail" in n for n in extra)
        assert attrs.evolve(ours, notes=theirs.notes) == theirs
    if wanted:  # a file without a sweep keeps nothing of its cell
        assert attrs.evolve(back, sweeps=(), findings=()) == attrs.evolve(
            recording, sweeps=(), findings=()
        )
        assert set(recording.findings) <= set(back.findings)


@settings(max_examples=20)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 300)),
    rate=RATES,
    grey=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_waveforms_of_any_shape(tmp_path_factory, shape, rate, grey, seed):
    rng = np.random.default_rng(seed)
    protocol = Protocol(
        waveforms=rng.standard_normal(shape) * 1e-11,
        rate=rate,
        family="picture" if grey else "noise",
        picture=rng.random((shape[0], 7)) if grey else None,
    )
    folder = tmp_path_factory.mktemp("p")
    # half a bit of 16; half of the eighth digit
    for suffix, share in (("abf", 0.5 / 32000 * (1 + 1e-6)), ("atf", 5e-8)):
        back = read_protocol(write(protocol, folder / f"p.{suffix}"))
        error = np.abs(back.waveforms - protocol.waveforms).max()
        assert error <= share * np.abs(protocol.waveforms).max()
        assert attrs.evolve(back, waveforms=protocol.waveforms) == protocol
