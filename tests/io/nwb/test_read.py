"""NWB files of other makers: pairing, scaling, tails, several electrodes, findings."""

from __future__ import annotations

import numpy as np
import pytest
from pynwb.icephys import (
    IZeroClampSeries,
    VoltageClampSeries,
)

from cleo_like.core import FileFormatError, InputError, UnknownNameError
from cleo_like.io import read, read_all, read_protocol, write
from tests.io.nwb.nwb_maker import PAIRINGS, RATE, Maker, build


def levels(recording):
    return [round(float(s.command[0]) * 1e12) for s in recording.sweeps]


def potentials(recording):
    return [round(float(s.response[0]) * 1e3) for s in recording.sweeps]


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_pairs_by_every_means_but_names(tmp_path, pairing):
    back = read(build(tmp_path / "x.nwb", pairing))
    assert levels(back) == [10 * (k + 1) for k in range(12)]
    assert potentials(back) == [-70 + k for k in range(12)]
    assert [s.number for s in back.sweeps] == list(range(12))
    assert [s.start_time for s in back.sweeps] == [0.5 * k for k in range(12)]
    said = {
        "recordings table": "IntracellularRecordings table",
        "sweep table": "SweepTable",
        "sweep numbers": "sweep numbers of the series",
        "start times": "electrode and start time",
    }
    assert back.provenance.parameters["paired_by"] == said[pairing]


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_several_electrodes_at_the_same_times(tmp_path, pairing):
    both = read_all(build(tmp_path / "x.nwb", pairing, electrodes=("e1", "e2")))
    assert levels(both[0]) == [10 * (k + 1) for k in range(12)]
    assert levels(both[1]) == [-10 * (k + 1) for k in range(12)]
    assert potentials(both[1]) == [-60 + k for k in range(12)]
    assert [r.device["electrode"] for r in both] == ["e1", "e2"]
    assert [r.cell.id for r in both] == ["x_e1", "x_e2"]


def test_one_of_several_electrodes_is_asked_for_by_name(tmp_path):
    path = build(tmp_path / "x.nwb", "recordings table", electrodes=("e1", "e2"))
    with pytest.raises(
        InputError, match=r"2 electrodes .*\(e1, e2\); pick one .electrode='e1'"
    ):
        read(path)
    assert potentials(read(path, electrode="e2"))[0] == -60
    with pytest.raises(
        UnknownNameError, match="unknown electrode or series 'e3'; did you mean"
    ):
        read(path, electrode="e3")


def test_equal_start_times_cannot_be_paired_and_are_not(tmp_path):
    maker = Maker()
    maker.time = lambda _: {"rate": RATE, "starting_time": 0.0}
    for k in range(3):
        maker.file.add_acquisition(maker.response(maker.electrodes[0], k))
        maker.file.add_stimulus(maker.stimulus(maker.electrodes[0], k))
    back = read(maker.save(tmp_path / "x.nwb"))
    assert [s.command for s in back.sweeps] == [None] * 3
    assert any("no stimulus belongs to 3 of 3 responses" in f for f in back.findings)


def test_a_response_without_stimulus_is_said(tmp_path):
    maker = Maker()
    for k in range(4):
        maker.file.add_acquisition(maker.response(maker.electrodes[0], k))
        if k != 2:
            maker.file.add_stimulus(maker.stimulus(maker.electrodes[0], k))
    back = read(maker.save(tmp_path / "x.nwb"))
    assert [s.command is None for s in back.sweeps] == [False, False, True, False]
    assert any("1 of 4 responses" in f for f in back.findings)


def test_a_table_row_may_point_at_a_stretch(tmp_path):
    """One long response and one long stimulus, cut into two sweeps by the table."""
    maker = Maker(n_samples=400)
    electrode = maker.electrodes[0]
    response = maker.response(electrode, 0, data=np.arange(400) / 10.0 - 70)
    stimulus = maker.stimulus(electrode, 0, data=np.arange(400) * 1.0)
    maker.file.add_acquisition(response)
    maker.file.add_stimulus(stimulus)
    for start in (0, 300):
        maker.file.add_intracellular_recording(
            electrode=electrode,
            response=response,
            response_start_index=start,
            response_index_count=100,
            stimulus=stimulus,
            stimulus_start_index=start,
            stimulus_index_count=100,
        )
    back = read(maker.save(tmp_path / "x.nwb"))
    assert [s.n_samples for s in back.sweeps] == [100, 100]
    assert [s.start_time for s in back.sweeps] == [0.0, 300 / RATE]
    assert back.sweeps[1].command[0] == pytest.approx(300e-12)
    assert back.sweeps[1].response[0] == pytest.approx(-0.040)


def test_conversion_and_offset_are_applied_gain_is_not(tmp_path):
    volts = {"data": np.full(100, 300, dtype=np.int16), "conversion": 1e-4, "offset": -0.1}
    back = read(build(tmp_path / "x.nwb", "sweep table", volts=volts))
    assert back.sweeps[5].response == pytest.approx(np.full(100, -0.07))
    assert back.sweeps[0].settings["gain"] == 7.0


def test_float32_volts_come_back_untouched(tmp_path):
    values = np.linspace(-0.08, 0.03, 100, dtype=np.float32)
    volts = {"data": values, "conversion": 1.0}
    back = read(build(tmp_path / "x.nwb", "start times", volts=volts))
    assert back.sweeps[0].response.dtype == np.float32
    assert np.array_equal(back.sweeps[0].response, values)


def test_nan_tails_are_trimmed_from_both(tmp_path):
    volts = np.full(100, -70.0)
    volts[80:] = np.nan
    back = read(build(tmp_path / "x.nwb", "sweep table", volts={"data": volts}))
    assert {s.n_samples for s in back.sweeps} == {80}
    assert back.sweeps[0].command.shape == (80,)
    assert "NaN tail of 20 samples trimmed" in back.sweeps[0].notes


def test_sweeps_that_never_ran_are_left_out_and_said(tmp_path):
    volts = {"data": np.full(100, np.nan)}
    path = build(tmp_path / "x.nwb", "sweep table", volts=volts)
    back = read(path)
    assert back.sweeps == ()
    assert any("12 sweeps without a recorded sample" in f for f in back.findings)


def test_zeros_of_a_stopped_sweep_are_said_not_cut(tmp_path):
    volts = np.full(100, -70.0)
    volts[60:] = 0.0
    back = read(build(tmp_path / "x.nwb", "sweep table", volts={"data": volts}))
    assert back.sweeps[0].n_samples == 100
    assert any("last 40 samples are exactly zero" in n for n in back.sweeps[0].notes)


def test_a_stimulus_that_ends_early_is_unknown_from_there_on(tmp_path):
    back = read(build(tmp_path / "x.nwb", "sweep table", amperes={"data": np.ones(60)}))
    assert back.sweeps[0].n_samples == 100
    assert np.all(back.sweeps[0].command[:60] == 1e-12)
    assert np.isnan(back.sweeps[0].command[60:]).all()
    assert "command unknown in the first 0 and last 40 samples" in back.sweeps[0].notes
    assert any("does not cover the response" in f for f in back.findings)


def test_a_longer_stimulus_is_cut_to_the_response(tmp_path):
    back = read(build(tmp_path / "x.nwb", "sweep table", amperes={"data": np.arange(160.0)}))
    assert back.sweeps[3].command == pytest.approx(np.arange(100) * 1e-12)
    assert back.findings == ()


def test_millivolts_stored_as_volts_are_a_finding(tmp_path):
    path = build(tmp_path / "x.nwb", "sweep table", volts={"conversion": 1.0})
    back = read(path)
    assert back.sweeps[0].response[0] == -70.0  # as the file says
    assert any("look like mV stored as V" in f and "nothing was changed" in f
               for f in back.findings)  # fmt: skip


def test_swapped_response_and_command_are_a_finding(tmp_path):
    path = build(
        tmp_path / "x.nwb",
        "sweep table",
        volts={"conversion": 1e-12},
        amperes={"conversion": 1e-3},
    )
    said = " ".join(read(path).findings)
    assert "may be swapped" in said
    assert "look like pA or nA stored as A" in said


def test_zero_current_and_voltage_clamp(tmp_path):
    maker = Maker()
    electrode = maker.electrodes[0]
    maker.file.add_acquisition(
        IZeroClampSeries(
            name="rest", data=np.full(50, -0.06), electrode=electrode, gain=1.0, rate=RATE,
            starting_time=0.0,
        )
    )  # fmt: skip
    maker.file.add_acquisition(
        VoltageClampSeries(
            name="vc", data=np.full(50, 1e-11), electrode=electrode, gain=1.0, rate=RATE,
            starting_time=1.0,
        )
    )  # fmt: skip
    back = read(maker.save(tmp_path / "x.nwb"))
    assert [str(s.mode) for s in back.sweeps] == ["current_clamp", "voltage_clamp"]
    assert np.array_equal(back.sweeps[0].command, np.zeros(50))
    assert back.sweeps[1].command is None


def test_time_stamps_instead_of_a_rate(tmp_path):
    maker = Maker()
    maker.time = lambda k: {"timestamps": 0.5 * k + np.arange(100) / RATE}
    for k in range(2):
        maker.file.add_acquisition(maker.response(maker.electrodes[0], k))
    back = read(maker.save(tmp_path / "x.nwb"))
    assert back.sweeps[1].rate == pytest.approx(RATE, rel=1e-9)
    assert back.sweeps[1].start_time == 0.5


def test_a_rate_that_is_whole_but_for_rounding(tmp_path):
    maker = Maker()
    maker.time = lambda k: {"rate": 49999.99999999999, "starting_time": 0.5 * k}
    maker.file.add_acquisition(maker.response(maker.electrodes[0], 0))
    back = read(maker.save(tmp_path / "x.nwb"))
    assert back.sweeps[0].rate == 50_000.0
    assert "rate 49999.99999999999 Hz taken as 50000 Hz" in back.sweeps[0].notes


def test_protocol_of_a_foreign_file(tmp_path):
    protocol = read_protocol(build(tmp_path / "x.nwb", "start times"))
    assert protocol.family == "arbitrary"
    assert np.allclose(protocol.waveforms[:, 0], np.arange(1, 13) * 1e-11)


def test_files_without_patch_clamp(tmp_path):
    path = Maker().save(tmp_path / "empty.nwb")
    with pytest.raises(FileFormatError, match=r"empty\.nwb has no intracellular response"):
        read(path)
    with pytest.raises(FileFormatError, match="no protocol"):
        read_protocol(path)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.95])
def test_truncated_or_foreign_bytes_say_so(tmp_path, cut):
    path = build(tmp_path / "x.nwb", "sweep table")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(cut * len(raw))])
    with pytest.raises(FileFormatError, match=r"x\.nwb cannot be read as NWB"):
        read(path)
    path.write_bytes(b"not HDF5 at all")
    with pytest.raises(FileFormatError, match="expected a complete NWB 2 file"):
        read(path)


def test_hdf5_that_is_not_nwb(tmp_path):
    import h5py

    with h5py.File(tmp_path / "x.nwb", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(FileFormatError, match="cannot be read as NWB"):
        read(tmp_path / "x.nwb")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_called_so(recording, tmp_path, share):
    whole = write(recording, tmp_path / "x.nwb").read_bytes()
    cut = tmp_path / "cut.nwb"
    cut.write_bytes(whole[: round(share * len(whole))])
    with pytest.raises(FileFormatError, match="truncated, copy it again"):
        read(cut)
