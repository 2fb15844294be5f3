"""Recordings and protocols through ABF: values, command, epochs, sidecar."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pyabf
import pytest

from cleo_like import Epoch, Protocol
from cleo_like.core import FileFormatError, InputError
from cleo_like.core.protocol import levels_from_epochs
from cleo_like.io import describe, read, read_protocol, sidecar_path, write, write_abf
from cleo_like.io.abf.table import epoch_table


def largest_error(left, right):
    return max(float(np.abs(a - b).max()) for a, b in zip(left, right, strict=True))


def test_everything_comes_back(recording, tmp_path):
    back = read(write(recording, tmp_path / "c.abf"))
    bit = float(max(np.abs(s.response).max() for s in recording.sweeps)) / 32000
    error = largest_error(
        [s.response for s in back.sweeps], [s.response.astype(float) for s in recording.sweeps]
    )
    assert error <= 0.5 * bit * (1 + 1e-6)
    # the step protocol redraws its commands exactly
    assert (
        largest_error([s.command for s in back.sweeps], [s.command for s in recording.sweeps])
        == 0
    )
    assert back.protocol == recording.protocol
    assert back.cell == recording.cell
    assert back.truth == recording.truth
    assert back.provenance == recording.provenance
    assert back.session_start == recording.session_start
    assert back.device == recording.device
    assert back.findings == recording.findings
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        for name in ("rate", "number", "start_time", "stimulus", "settings", "notes", "mode"):
            assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("rate", [22_050.0, 44_100.0, 12_345.678, 250_000.0])
def test_the_rate_comes_back_exactly(steps, rng, tmp_path, rate):
    protocol = attrs.evolve(steps, rate=rate)
    assert read_protocol(write(protocol, tmp_path / "p.abf")).rate == rate
    if rate.is_integer():
        sidecar_path(tmp_path / "p.abf").unlink()
        assert read_protocol(tmp_path / "p.abf").rate == rate


def test_pyabf_sees_response_and_command(recording, tmp_path):
    abf = pyabf.ABF(write_abf(recording, tmp_path / "c.abf"))
    assert abf.adcUnits == ["mV", "pA"]
    assert abf.sweepCount == recording.n_sweeps
    for sweep in recording.sweeps:
        abf.setSweep(sweep.number)
        assert np.abs(abf.sweepY * 1e-3 - sweep.response).max() < 3e-6  # 0.5 LSB of 80 mV
        # rebuilt by pyabf from the epoch table
        assert np.abs(abf.sweepC * 1e-12 - sweep.command).max() < 1e-17
        abf.setSweep(sweep.number, channel=1)
        assert np.abs(abf.sweepY * 1e-12 - sweep.command).max() < 5e-15  # of 300 pA


def test_myokit_rebuilds_the_command_from_the_epochs(recording, tmp_path):
    from myokit.formats.axon import AbfFile

    abf = AbfFile(str(write_abf(recording, tmp_path / "c.abf")))
    for sweep, ours in zip(abf, recording.sweeps, strict=True):
        commands = [c for c in sweep if c.name() == "Cmd 0"]
        assert len(commands) == 1
        assert np.abs(commands[0].values() * 1e-12 - ours.command).max() < 1e-17


def test_without_sidecar_epochs_and_family_remain(recording, tmp_path):
    path = write(recording, tmp_path / "c.abf")
    sidecar_path(path).unlink()
    back = read(path)
    assert back.truth is None
    assert back.protocol.family == "long_square"  # from the comment
    starts = [(e.name, e.start, e.stop) for e in back.protocol.epochs]
    assert starts == [("A", 312, 800), ("B", 800, 1000), ("C", 1000, 5000), ("D", 5000, 15000)]
    assert back.protocol.gap == pytest.approx(0.5)
    error = largest_error(
        [s.command for s in back.sweeps], [s.command for s in recording.sweeps]
    )
    assert error < 1e-17
    assert any("recorded command: channel 'Cmd' (pA)" in f for f in back.findings)


def test_a_picture_keeps_its_picture_and_half_a_bit_of_command(picture, tmp_path):
    path = write(picture, tmp_path / "p.abf")
    back = read_protocol(path)
    assert np.array_equal(back.picture, picture.picture)
    assert back.family == "picture"
    assert back.name == picture.name
    bit = np.abs(picture.waveforms).max() / 32000
    assert np.abs(back.waveforms - picture.waveforms).max() <= 0.5 * bit * (1 + 1e-6)
    assert attrs.evolve(back, waveforms=picture.waveforms) == picture
    abf = pyabf.ABF(path)
    assert (abf.channelCount, abf.sweepCount, abf.adcUnits) == (1, 5, ["pA"])
    sidecar_path(path).unlink()
    assert read_protocol(path).family == "picture"


def test_stimulus_files_are_not_recordings(steps, tmp_path):
    path = write(steps, tmp_path / "p.abf")
    assert read_protocol(path) == steps
    with pytest.raises(FileFormatError, match=r"stimulus file.*read_protocol"):
        read(path)
    assert "stimulus file" in str(describe(path))


def test_stimulus_of_another_maker(tmp_path):
    """pyabf's own writer: one channel in pA, version 1.3, no date."""
    from pyabf.abfWriter import writeABF1

    ramps = np.linspace(-9.5, 9.5, 4000).reshape(2, 2000)
    writeABF1(ramps, str(tmp_path / "foreign.abf"), 22_050)
    back = read_protocol(tmp_path / "foreign.abf")
    assert back.rate == 22_050  # pyabf reads 22049
    assert np.abs(back.waveforms * 1e12 - ramps).max() <= 10 / 32768  # its writer cuts
    assert back.family == "arbitrary"


def test_voltage_clamp(in_voltage_clamp, tmp_path):
    path = write(in_voltage_clamp, tmp_path / "v.abf")
    abf = pyabf.ABF(path)
    assert abf.adcUnits == ["pA", "mV"]
    sidecar_path(path).unlink()
    back = read(path)
    assert {str(s.mode) for s in back.sweeps} == {"voltage_clamp"}
    assert (
        largest_error(
            [s.command for s in back.sweeps], [s.command for s in in_voltage_clamp.sweeps]
        )
        < 0.3 / 32000
    )


def test_without_command_there_is_one_channel(recording, tmp_path):
    sweeps = [attrs.evolve(s, command=None) for s in recording.sweeps]
    bare = attrs.evolve(recording, sweeps=sweeps, protocol=None)
    path = write(bare, tmp_path / "c.abf")
    assert pyabf.ABF(path).channelCount == 1
    back = read(path)
    assert back.protocol is None


def test_overlapping_starts_are_laid_end_to_end(recording, tmp_path):
    sweeps = [attrs.evolve(s, start_time=0.0) for s in recording.sweeps]
    path = write(attrs.evolve(recording, sweeps=sweeps), tmp_path / "c.abf")
    assert [s.start_time for s in read(path).sweeps] == [0.0] * 9
    sidecar_path(path).unlink()
    assert [s.start_time for s in read(path).sweeps] == [float(i) for i in range(9)]


def _square(levels, *, start=100, stop=300, n_samples=640, holding=0.0, extra=()):
    epochs = [*extra, Epoch(name="step", start=start, stop=stop, levels=levels)]
    return Protocol(
        waveforms=levels_from_epochs(epochs, len(levels), n_samples, holding),
        rate=2e4,
        family="long_square",
        epochs=epochs,
        holding=holding,
    )


@pytest.mark.parametrize(
    ("protocol", "reason"),
    [
        (_square([1e-11, 2e-11, 5e-11]), "not an even ladder"),
        (_square([1e-11, 2e-11], start=10), "held first 1/64"),
        (_square([1e-11, 2e-11], stop=635), "held last 1/64"),
        (_square([1e-11], start=10, stop=20, n_samples=40), "fewer than 64"),
        (
            _square(
                [1e-11, 2e-11],
                start=600,
                stop=620,
                extra=[
                    Epoch(name="pulse", start=20 * i, stop=20 * i + 10, levels=[1e-11, 1e-11])
                    for i in range(1, 12)
                ],
            ),
            "header has 10",
        ),
    ],
)
def test_commands_that_no_epoch_table_holds(protocol, reason):
    assert reason in epoch_table(protocol, 1e-12)


def test_the_sidecar_says_why_there_is_no_epoch_table(recording, rng, tmp_path):
    levels = [1e-11, 2e-11, 5e-11]
    protocol = _square(levels)
    sweeps = [
        attrs.evolve(s, command=w, response=s.response[:640])
        for s, w in zip(recording.sweeps[:3], protocol.waveforms, strict=True)
    ]
    made = attrs.evolve(recording, sweeps=sweeps, protocol=protocol, truth=None)
    path = write(made, tmp_path / "c.abf")
    facts = json.loads(sidecar_path(path).read_text())["facts"]
    assert "not an even ladder" in facts["epoch_table"]
    back = read(path)
    assert back.protocol == protocol
    sidecar_path(path).unlink()
    assert largest_error([s.command for s in read(path).sweeps], protocol.waveforms) < 1e-15


def test_sweeps_commanded_otherwise_keep_both(recording, tmp_path):
    sweeps = [attrs.evolve(s, command=s.command * 0.5) for s in recording.sweeps]
    path = write(attrs.evolve(recording, sweeps=sweeps), tmp_path / "c.abf")
    back = read(path)
    assert back.protocol == recording.protocol
    assert largest_error([s.command for s in back.sweeps], [s.command for s in sweeps]) < 3e-15


def test_what_abf_cannot_hold(recording, tmp_path):
    uneven = [*recording.sweeps[:-1], attrs.evolve(
        recording.sweeps[-1],
        response=recording.sweeps[-1].response[:-1],
        command=recording.sweeps[-1].command[:-1],
    )]  # fmt: skip
    broken = recording.sweeps[0].response.copy()
    broken[77] = np.nan
    with_nan = [attrs.evolve(recording.sweeps[0], response=broken), *recording.sweeps[1:]]
    bad_command = recording.sweeps[0].command.copy()
    bad_command[3] = np.nan
    nan_command = [
        attrs.evolve(recording.sweeps[0], command=bad_command),
        *recording.sweeps[1:],
    ]
    half = [attrs.evolve(recording.sweeps[0], command=None), *recording.sweeps[1:]]
    unknown = [attrs.evolve(s, mode="unknown") for s in recording.sweeps]
    for sweeps, error, text in (
        (uneven, FileFormatError, "ABF needs sweeps of one length.*write NWB"),
        (nan_command, InputError, "channel 1 is nan in sweep 0 at sample 3"),
        (half, FileFormatError, "1 of 9 sweeps have no command"),
        (with_nan, InputError, "nan in sweep 0 at sample 77.*write NWB"),
        (unknown, FileFormatError, "clamp mode .* is unknown"),
    ):
        with pytest.raises(error, match=text):
            write(attrs.evolve(recording, sweeps=sweeps), tmp_path / "c.abf")
    assert list(tmp_path.iterdir()) == []
