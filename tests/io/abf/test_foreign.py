"""ABF files of other makers: what is not ABF, what is cut, which channel is which."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from cleo_like.core import FileFormatError, InputError
from cleo_like.io import Header, read, read_all, read_protocol, write_abf1
from cleo_like.io.abf.table import EpochTable

STEP = EpochTable(levels=(0.0, 50.0), increments=(0.0, 10.0), durations=(90, 300))


def patch(path, offset, form, *values):
    """Overwrite header fields."""
    raw = bytearray(path.read_bytes())
    struct.pack_into("<" + form, raw, offset, *values)
    path.write_bytes(bytes(raw))
    return path


def outputs(path, *units):
    for index, unit in enumerate(units):
        patch(path, 1346 + 8 * index, "8s", unit.encode("latin-1").ljust(8))
    return path


def test_not_abf(tmp_path):
    path = tmp_path / "x.abf"
    path.write_bytes(b"MZ" + bytes(7000))
    with pytest.raises(FileFormatError, match=r"x.abf is not an ABF file: it starts with b'MZ"):
        read(path)
    path.write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"x\.abf is empty"):
        read(path)
    with pytest.raises(FileFormatError, match=r"expected a recording at .*missing"):
        read(tmp_path / "nowhere.abf")
    with pytest.raises(FileFormatError, match="a folder"):
        read(tmp_path)


@pytest.mark.parametrize("size", [4, 100, 2048, 5000, 6143, 6144, 6500])
def test_truncated(tmp_path, size):
    path = write_abf1(
        tmp_path / "x.abf", np.ones((2, 3, 640)), units=["mV", "pA"], rate="20 kHz"
    )
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(FileFormatError, match=r"x.abf (is truncated|begins like an ABF)"):
        read(path)


def test_a_second_headstage_without_partner_is_left_out(tmp_path, rng):
    data = rng.normal(size=(2, 3, 640)) - 60
    header = Header(table=STEP)
    path = write_abf1(
        tmp_path / "x.abf", data, units=["mV", "mV"], names=["Vm", "aux"], rate="20 kHz",
        header=header,
    )  # fmt: skip
    back = read(path)
    assert [s.command[150] for s in back.sweeps] == pytest.approx([5e-11, 6e-11, 7e-11])
    assert any("not used" in f and "'aux' (mV)" in f for f in back.findings)
    assert any("response: channel 'Vm' (mV)" in f for f in back.findings)


def test_two_driven_headstages_are_two_cells(tmp_path, rng):
    data = rng.normal(size=(2, 3, 640)) - 60
    path = write_abf1(
        tmp_path / "x.abf", data, units=["mV", "pA"], names=["A", "B"], rate="20 kHz",
        header=Header(table=STEP),
    )  # fmt: skip
    outputs(path, "pA", "mV")
    patch(path, 2296, "4h", 1, 1, 1, 1)  # both outputs enabled, from epochs
    patch(path, 2308 + 20, "2h", 1, 1)
    patch(path, 2348 + 40, "2f", -70.0, -10.0)
    patch(path, 2508 + 40, "2i", 90, 300)
    patch(path, 1394, "2f", 0.0, -70.0)
    with pytest.raises(InputError, match=r"2 electrodes with responses \(A, B\)"):
        read(path)
    first, second = read_all(path)
    assert (first.cell.id, second.cell.id) == ("x_A", "x_B")
    assert {str(s.mode) for s in first.sweeps} == {"current_clamp"}
    assert {str(s.mode) for s in second.sweeps} == {"voltage_clamp"}
    assert second.sweeps[0].command[5] == pytest.approx(-0.07)
    assert second.sweeps[0].command[150] == pytest.approx(-0.01)
    assert first.sweeps[2].command[150] == pytest.approx(7e-11)


STEPS = np.zeros((3, 640))
STEPS[:, 100:400] = [[50.0], [60.0], [70.0]]  # what `STEP` draws, pA


def test_a_recorded_command_that_follows_the_table_is_the_truth(tmp_path, rng):
    """The amplifier gave 10 % less than was asked for, with noise."""
    data = rng.normal(size=(2, 3, 640))
    data[1] = data[1] * 9 + 0.9 * STEPS
    path = write_abf1(
        tmp_path / "x.abf", data, units=["mV", "pA"], rate="20 kHz", header=Header(table=STEP)
    )
    back = read(path)
    assert back.sweeps[1].command == pytest.approx(data[1, 1] * 1e-12, abs=1e-14)
    assert any("the recorded one was taken" in f for f in back.findings)


@pytest.mark.parametrize(("bits", "confirmed"), [(1, True), (2, False)])
def test_a_recorded_command_confirms_the_table_within_one_bit(tmp_path, rng, bits, confirmed):
    data = np.stack([rng.normal(size=(3, 640)), STEPS])
    path = write_abf1(
        tmp_path / "x.abf", data, units=["mV", "pA"], rate="20 kHz", header=Header(table=STEP)
    )
    raw = bytearray(path.read_bytes())
    samples = np.frombuffer(raw, "<i2", 2 * 3 * 640, 6144).copy()
    samples[1::2][70] += bits
    raw[6144 : 6144 + samples.nbytes] = samples.tobytes()
    path.write_bytes(bytes(raw))
    (note,) = read(path).sweeps[0].notes
    assert ("confirmed by channel" in note) is confirmed


def test_an_input_without_the_command_is_not_the_command(tmp_path, rng):
    """A second headstage in the same unit, to which nothing is connected."""
    data = rng.normal(size=(2, 3, 640)) * 9
    path = write_abf1(
        tmp_path / "x.abf", data, units=["mV", "pA"], rate="20 kHz", header=Header(table=STEP)
    )
    back = read(path)
    assert np.stack([s.command for s in back.sweeps]) == pytest.approx(STEPS * 1e-12)
    assert any("does not follow it, so it is not the command" in f for f in back.findings)


def test_a_command_from_elsewhere_while_the_output_holds(tmp_path, rng):
    data = rng.normal(size=(2, 3, 640))
    flat = EpochTable(levels=(0.0, 0.0), increments=(0.0, 0.0), durations=(90, 300))
    path = write_abf1(
        tmp_path / "x.abf", data, units=["mV", "pA"], rate="20 kHz", header=Header(table=flat)
    )
    back = read(path)
    assert back.sweeps[1].command == pytest.approx(data[1, 1] * 1e-12, abs=1e-15)


def test_no_date_is_no_date(tmp_path):
    """pyabf would give the date of the copy on this disk."""
    path = write_abf1(tmp_path / "x.abf", np.ones((3, 640)), units="mV", rate="20 kHz")
    back = read(patch(path, 20, "i", 0))
    assert back.session_start is None
    assert any("does not say when it was recorded" in f for f in back.findings)


def test_lost_sweep_starts_are_said(tmp_path):
    path = write_abf1(
        tmp_path / "x.abf", np.ones((3, 640)), units="mV", rate="20 kHz",
        start_times=["0 s", "1 s", "2 s"],
    )  # fmt: skip
    path.write_bytes(path.read_bytes()[:-512])
    back = read(path)
    assert [s.start_time for s in back.sweeps] == [0.0, 0.032, 0.064]
    assert any("taken end to end" in f for f in back.findings)


def test_holding_is_the_headers_not_the_first_epochs(tmp_path):
    path = write_abf1(
        tmp_path / "x.abf", np.ones((3, 640)), units="mV", rate="20 kHz",
        header=Header(table=STEP, holding=-30.0),
    )  # fmt: skip
    command = read(path).sweeps[0].command * 1e12
    assert command[5] == pytest.approx(-30.0)  # before the first epoch
    assert command[50] == pytest.approx(0.0)
    assert command[639] == pytest.approx(-30.0)


@pytest.mark.parametrize(("unit", "kind"), [("pA", "potential"), ("mV", "current")])
def test_equal_units_leave_the_mode_open(tmp_path, unit, kind):
    path = write_abf1(tmp_path / "x.abf", np.ones((3, 640)), units=unit, rate="20 kHz")
    patch(path, 2296, "4h", 1, 0, 1, 0)
    back = read(outputs(path, unit))
    assert str(back.sweeps[0].mode) == "unknown"
    (said,) = [f for f in back.findings if "same kind of unit" in f]
    assert f"the response is a {kind} saved as {unit}" in said
    assert "Nothing was changed" in said


def test_no_channel_of_potential_or_current(tmp_path):
    path = write_abf1(tmp_path / "x.abf", np.ones((3, 640)), units="°C", rate="20 kHz")
    with pytest.raises(FileFormatError, match=r"no channel of potential or current.*°C"):
        read(path)


@pytest.fixture
def played(tmp_path, rng):
    """A recording of four sweeps whose output played a stimulus file of three."""
    stimulus = rng.normal(size=(3, 640)) * 20
    write_abf1(tmp_path / "stim.abf", stimulus, units="pA", rate="20 kHz")
    path = write_abf1(tmp_path / "x.abf", np.ones((4, 640)), units="mV", rate="20 kHz")
    patch(path, 2296, "4h", 1, 0, 2, 0)  # waveform from a file
    patch(path, 2736, "256s", b"C:\\Axon\\stim.abf")
    return path, stimulus


def test_a_stimulus_file_beside_is_played_sweep_by_sweep(played):
    path, stimulus = played
    commands = np.stack([s.command for s in read(path).sweeps]) * 1e12
    expected = np.zeros((4, 640))  # 1/64 of 640 samples is held at both ends
    expected[:, 10:630] = stimulus[[0, 1, 2, 2], 10:630]  # the last sweep repeats
    assert np.abs(commands - expected).max() <= 0.51 * np.abs(stimulus).max() / 32000


def test_one_sweep_of_the_file_scaled_and_shifted(played):
    path, stimulus = played
    patch(path, 2708, "f", 2.0)
    patch(path, 2716, "f", 5.0)
    patch(path, 2724, "i", 2)
    commands = np.stack([s.command for s in read(path).sweeps]) * 1e12
    expected = np.broadcast_to(2 * stimulus[1, 10:630] + 5, (4, 620))
    assert np.abs(commands[:, 10:630] - expected).max() <= 1.1 * np.abs(stimulus).max() / 32000


def test_a_missing_stimulus_file_is_asked_for(played):
    path, _ = played
    path.with_name("stim.abf").unlink()
    back = read(path)
    assert back.sweeps[0].command is None
    assert any("put 'stim.abf' beside x.abf" in f for f in back.findings)
    with pytest.raises(FileFormatError, match="no command that is known"):
        read_protocol(path)


def test_pulse_epochs_without_a_period_are_refused_not_guessed(tmp_path):
    path = write_abf1(
        tmp_path / "x.abf", np.ones((3, 640)), units="mV", rate="20 kHz",
        header=Header(table=STEP),
    )  # fmt: skip
    patch(path, 2308, "2h", 1, 3)
    back = read(path)
    assert back.sweeps[0].command is None
    assert any("the train of epoch B has a period of 0" in f for f in back.findings)


def test_epochs_longer_than_the_sweep(tmp_path):
    table = EpochTable(levels=(0.0, 50.0), increments=(0.0, 10.0), durations=(90, 3000))
    path = write_abf1(
        tmp_path / "x.abf", np.ones((3, 640)), units="mV", rate="20 kHz",
        header=Header(table=table),
    )  # fmt: skip
    assert any("does not fit" in f for f in read(path).findings)


def test_gap_free_is_one_sweep(tmp_path):
    path = write_abf1(tmp_path / "x.abf", np.ones((3, 640)), units="mV", rate="20 kHz")
    back = read(patch(path, 8, "h", 3))
    assert [s.n_samples for s in back.sweeps] == [1920]


def test_sweeps_of_variable_length(tmp_path):
    data = np.arange(1920.0).reshape(3, 640)
    path = write_abf1(tmp_path / "x.abf", data, units="mV", rate="20 kHz")
    patch(path, 8, "h", 1)
    raw = path.read_bytes()
    synch = struct.unpack_from("<i", raw, 92)[0] * 512
    patch(path, synch, "6i", 0, 100, 5000, 1000, 9000, 820)
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [100, 1000, 820]
    assert [s.start_time for s in back.sweeps] == [0.0, 0.25, 0.45]
    assert back.sweeps[1].response[0] == pytest.approx(0.1, abs=1e-4)  # the 101st number
    assert back.sweeps[0].command is None
