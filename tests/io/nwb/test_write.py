"""NWB files made here: valid, fit for the archive, and complete."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta

import attrs
import h5py
import numpy as np
import pynwb
import pytest

from cleo_like import Cell, Provenance
from cleo_like.core import FileFormatError, InputError
from cleo_like.io import dandi_path, describe, read, read_protocol, write, write_nwb


def findings(path):
    """What the inspector says under the archive's rules, worst first."""
    from nwbinspector import inspect_nwbfile, load_config

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the inspector's own, about pandas
        messages = inspect_nwbfile(nwbfile_path=str(path), config=load_config("dandi"))
        return sorted((m.importance.name, m.check_function_name) for m in messages)


def problems(path):
    return [f for f in findings(path) if f[0] != "BEST_PRACTICE_SUGGESTION"]


@pytest.fixture
def steps(build_steps):
    """Few samples: what is tested here are tables and texts."""
    return build_steps(rate=2000.0, n_samples=2000)


@pytest.fixture
def opened(recording, tmp_path):
    path = write(recording, tmp_path / "c.nwb")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        yield io.read()


def test_everything_comes_back(recording, tmp_path):
    back = read(write(recording, tmp_path / "c.nwb"))
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        assert ours.response.dtype == np.float32
        assert np.array_equal(ours.response, theirs.response)
        assert np.array_equal(ours.command, theirs.command)
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        for name in ("rate", "number", "start_time", "stimulus", "settings", "notes", "mode"):
            assert getattr(ours, name) == getattr(theirs, name), name
    for name in (
        "protocol",
        "cell",
        "provenance",
        "session_start",
        "device",
        "findings",
        "truth",
    ):
        assert getattr(back, name) == getattr(recording, name), name


@pytest.mark.parametrize("what", ["recording", "steps", "picture"])
def test_pynwb_and_the_inspector_are_content(request, tmp_path, what):
    path = write(request.getfixturevalue(what), tmp_path / "c.nwb")
    assert pynwb.validate(path=str(path)) == []
    assert problems(path) == []


def test_a_simulated_cell_without_any_metadata_passes(recording, tmp_path):
    bare = attrs.evolve(
        recording,
        cell=Cell(id="rs"),
        device={},
        session_start=None,
        provenance=Provenance(source="simulation"),
    )
    path = write(bare, tmp_path / "c.nwb")
    assert problems(path) == []
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        nwbfile = io.read()
        assert nwbfile.subject.species.endswith("NCBITaxon_32630")  # synthetic construct
        assert nwbfile.subject.age == "P0D/"
        assert nwbfile.subject.sex == "U"
        assert "computer model, not an animal" in nwbfile.subject.description
        assert "Simulated" in nwbfile.session_description
        assert "time of making" in nwbfile.notes
    back = read(path)
    assert back.cell == bare.cell  # unknown stays unknown
    assert back.session_start is None


def test_a_real_cell_of_unknown_species_is_not_dressed_up(recording, tmp_path):
    real = attrs.evolve(
        recording, cell=Cell(id="r"), truth=None, provenance=Provenance(source="x.abf")
    )
    path = write(real, tmp_path / "c.nwb")
    assert problems(path) == [("CRITICAL", "check_subject_species_exists")]
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        about = io.read().subject.description
    assert "Not known: species, age, sex" in about
    assert "imulated" not in about


def test_the_whole_hierarchy_of_tables(opened, recording):
    n = recording.n_sweeps
    table = opened.intracellular_recordings
    assert len(table) == n
    assert len(opened.icephys_simultaneous_recordings) == n
    assert len(opened.icephys_sequential_recordings) == 1
    assert len(opened.icephys_repetitions) == 1
    assert len(opened.icephys_experimental_conditions) == 1
    for row in range(n):
        response = table.get_category("responses")["response"][row].timeseries
        stimulus = table.get_category("stimuli")["stimulus"][row].timeseries
        assert response.name == f"CurrentClampSeries_{row:04d}"
        assert stimulus.name == f"CurrentClampStimulusSeries_{row:04d}"
        assert np.array_equal(response.data[:], recording.sweeps[row].response)


def test_series_device_and_electrode(opened, recording):
    series = opened.acquisition["CurrentClampSeries_0003"]
    assert (series.unit, series.conversion, series.rate) == ("volts", 1.0, 2_000.0)
    assert series.starting_time == recording.sweeps[3].start_time
    assert series.bridge_balance == 1e7
    assert series.capacitance_compensation == pytest.approx(4e-12)
    assert series.gain == 5.0
    assert int(series.sweep_number) == 3
    assert (series.data.compression, series.data.shuffle) == ("gzip", True)
    assert series.electrode.cell_id == "c/1"
    assert series.electrode.location == "VISp"
    assert series.electrode.filtering == "10 kHz Bessel"
    assert series.electrode.device.name == "amplifier"
    stimulus = opened.stimulus["CurrentClampStimulusSeries_0003"]
    assert (stimulus.unit, stimulus.rate) == ("amperes", 2_000.0)
    assert opened.session_start_time == datetime.fromisoformat(recording.session_start)


def test_ground_truth_is_labelled(opened, recording):
    module = opened.processing["ground_truth"]
    assert "SIMULATION TRUTH, not a measurement" in module.description
    spikes = module["spikes"]
    assert spikes["sweep_number"][:].tolist() == list(range(9))
    for row in range(9):
        assert np.array_equal(spikes["spike_times"][row], recording.truth.spike_times[row])
    voltage = module["voltage_0004"]
    assert (voltage.unit, voltage.rate) == ("volts", 2_000.0)
    assert "Simulation truth" in voltage.description


@pytest.mark.filterwarnings("ignore")
def test_neo_reads_every_sweep(recording, tmp_path):
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    (block,) = neo.io.NWBIO(str(write(recording, tmp_path / "x.nwb")), "r").read_all_blocks()
    signals = [x for segment in block.segments for x in segment.analogsignals]
    volts = [x for x in signals if x.units == pq.V]
    assert len(volts) == len(recording.sweeps)
    for signal, sweep in zip(volts, recording.sweeps, strict=True):
        np.testing.assert_allclose(signal.magnitude[:, 0], sweep.response)
        assert float(signal.sampling_rate) == pytest.approx(sweep.rate)
        assert float(signal.t_start) == pytest.approx(sweep.start_time)


def test_no_truth_no_module(recording, tmp_path):
    path = write(attrs.evolve(recording, truth=None), tmp_path / "c.nwb")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        assert list(io.read().processing) == ["cleo_like"]


def test_silence_is_truth_too(recording, tmp_path):
    truth = attrs.evolve(recording.truth, spike_times=[[]] * 9, voltage=None)
    path = write(attrs.evolve(recording, truth=truth), tmp_path / "c.nwb")
    assert read(path).truth == truth
    assert pynwb.validate(path=str(path)) == []


def test_protocols_come_back_with_their_picture(picture, steps, tmp_path):
    assert read_protocol(write(steps, tmp_path / "s.nwb")) == steps
    back = read_protocol(write(picture, tmp_path / "p.nwb"))
    assert np.array_equal(back.picture, picture.picture)
    error = np.abs(back.waveforms - picture.waveforms).max()
    assert error <= np.abs(picture.waveforms).max() * 6e-8  # float32
    assert attrs.evolve(back, waveforms=picture.waveforms) == picture
    with pytest.raises(FileFormatError, match="stimuli only; use read_protocol"):
        read(tmp_path / "p.nwb")
    assert "stimulus file" in str(describe(tmp_path / "p.nwb"))


def test_protocol_of_a_recording(recording, tmp_path):
    path = write(recording, tmp_path / "c.nwb")
    assert read_protocol(path) == recording.protocol
    halved = [attrs.evolve(s, command=s.command / 2) for s in recording.sweeps]
    path = write(attrs.evolve(recording, sweeps=halved), tmp_path / "d.nwb")
    assert pynwb.validate(path=str(path)) == []
    assert read(path).protocol == recording.protocol


def test_nan_in_a_response_is_kept_and_its_tail_trimmed(recording, tmp_path):
    response = recording.sweeps[0].response.copy()
    response[50] = np.nan
    response[-100:] = np.nan
    sweeps = [attrs.evolve(recording.sweeps[0], response=response), *recording.sweeps[1:]]
    back = read(write(attrs.evolve(recording, sweeps=sweeps), tmp_path / "c.nwb"))
    assert back.sweeps[0].n_samples == 1_900
    assert np.isnan(back.sweeps[0].response[50])
    assert "NaN tail of 100 samples trimmed" in back.sweeps[0].notes
    assert back.sweeps[0].settings == recording.sweeps[0].settings


def test_sweeps_may_differ(recording, in_voltage_clamp, tmp_path):
    first = recording.sweeps[0]
    short = attrs.evolve(
        recording.sweeps[1], response=first.response[:500], command=first.command[:500]
    )
    other = attrs.evolve(recording.sweeps[2], rate=44_100.0, command=None)
    clamped = in_voltage_clamp.sweeps[3]
    mixed = attrs.evolve(
        recording, sweeps=[first, short, other, clamped], protocol=None, truth=None
    )
    path = write(mixed, tmp_path / "c.nwb")
    assert pynwb.validate(path=str(path)) == []
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [2_000, 500, 2_000, 2_000]
    assert [s.rate for s in back.sweeps] == [2e3, 2e3, 44_100.0, 2e3]
    assert [str(s.mode) for s in back.sweeps] == ["current_clamp"] * 3 + ["voltage_clamp"]
    assert back.sweeps[2].command is None
    assert np.array_equal(back.sweeps[3].command, clamped.command.astype(np.float32))


def test_sequences_follow_the_stimulus(recording, tmp_path):
    names = ["a", "a", "b", "b", "b", "a", "a", "a", "a"]
    sweeps = [attrs.evolve(s, stimulus=n) for s, n in zip(recording.sweeps, names, strict=True)]
    path = write(attrs.evolve(recording, sweeps=sweeps), tmp_path / "c.nwb")
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        table = io.read().icephys_sequential_recordings
        assert table["stimulus_type"][:].tolist() == ["a", "b", "a"]


def test_what_was_changed_in_a_file_since_is_noticed(recording, tmp_path):
    """The stored facts speak of the file as it was written."""
    path = write(recording, tmp_path / "c.nwb")

    def edited(edit):
        with h5py.File(path, "a") as file:
            for n in range(9):
                edit(file[f"acquisition/CurrentClampSeries_{n:04d}"], n)
        return read(path)

    def move(series, n):
        series["starting_time"][()] = 10.0 * n

    moved = edited(move)
    assert [s.start_time for s in moved.sweeps] == [10.0 * n for n in range(9)]
    assert "8 series start at other times than cleo_like stored" in " ".join(moved.findings)
    assert moved.truth == recording.truth
    faster = edited(lambda series, n: series["starting_time"].attrs.modify("rate", 4000.0))
    assert {s.rate for s in faster.sweeps} == {4000.0}
    assert "facts of 2000.0 Hz, samples of 4000.0 Hz" in " ".join(faster.findings)
    assert faster.protocol is None


def test_a_sweep_that_was_lost_leaves_the_others_their_facts(recording, tmp_path):
    path = write(recording, tmp_path / "c.nwb")
    with h5py.File(path, "a") as file:
        del file["acquisition/CurrentClampSeries_0004"]
    back = read(path)
    kept = [n for n in range(9) if n != 4]
    assert [s.number for s in back.sweeps] == kept
    assert back.cell == recording.cell
    for row, number in enumerate(kept):
        assert back.sweeps[row].settings == recording.sweeps[number].settings
        assert np.array_equal(back.truth.spike_times[row], recording.truth.spike_times[number])
        assert np.array_equal(back.truth.voltage[row], recording.truth.voltage[number])
    assert back.protocol is None
    assert any("they name responses that are not in the file" in f for f in back.findings)


def test_stored_facts_that_are_damaged_are_ignored(recording, tmp_path):
    path = write(recording, tmp_path / "c.nwb")
    with h5py.File(path, "a") as file:
        file["processing/cleo_like/facts/json"][3] = "{{"
    back = read(path)
    assert back.n_sweeps == 9
    assert any(
        "facts that cleo_like stored in this file are damaged" in f for f in back.findings
    )


def test_metadata_and_session(recording, tmp_path):
    path = write_nwb(
        recording,
        tmp_path / "c.nwb",
        session_id="day 2",
        metadata={"lab": "L", "institution": "I", "experimenter": ["Doe, J."]},
    )
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        nwbfile = io.read()
        assert (nwbfile.lab, nwbfile.institution) == ("L", "I")
        assert nwbfile.session_id == "day-2"
        assert nwbfile.subject.subject_id == "m-1"
    assert dandi_path(recording, "day 2") == "sub-m-1/sub-m-1_ses-day-2_icephys.nwb"
    assert dandi_path(recording) == "sub-m-1/sub-m-1_ses-c-1_icephys.nwb"
    alone = attrs.evolve(recording, cell=Cell(id="x y"))
    assert dandi_path(alone) == "sub-x-y/sub-x-y_ses-20250301T093000_icephys.nwb"


def test_bad_sessions_and_modes(recording, tmp_path):
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    unknown = [attrs.evolve(s, mode="unknown") for s in recording.sweeps]
    for changes, error, text in (
        ({"session_start": later}, InputError, "in the future"),
        ({"session_start": "2025-01-01T00:00:00"}, InputError, "no time zone"),
        ({"sweeps": [], "truth": None, "protocol": None}, InputError, "no sweep"),
        ({"sweeps": [recording.sweeps[0]] * 9}, InputError, "different sweep numbers"),
        ({"sweeps": unknown}, FileFormatError, "clamp mode of sweep 0 is unknown"),
        (
            {
                "sweeps": [
                    attrs.evolve(recording.sweeps[0], number=2**32),
                    *recording.sweeps[1:],
                ]
            },
            FileFormatError,
            "numbers from 0 to 4294967295, got 4294967296",
        ),
    ):
        with pytest.raises(error, match=text):
            write(attrs.evolve(recording, **changes), tmp_path / "c.nwb")
    assert list(tmp_path.iterdir()) == []


def test_facts_with_awkward_names_survive(recording, tmp_path):
    awkward = {
        "a/b": 1,
        "~x": {},
        "[0]": [{"y": []}, {"z": None}],
        "": "empty",
        "n": {"/": [1]},
    }
    provenance = attrs.evolve(recording.provenance, parameters=awkward)
    path = write(attrs.evolve(recording, provenance=provenance), tmp_path / "c.nwb")
    assert dict(read(path).provenance.parameters) == awkward


def test_what_ipfx_asks_for(recording, tmp_path):
    fast = [attrs.evolve(s, rate=50_000.0) for s in recording.sweeps]
    with pytest.raises(InputError, match=r"0.2 s of rest after the step \(there are 0.01 s\)"):
        write_nwb(
            attrs.evolve(recording, sweeps=fast), tmp_path / "c.nwb", ipfx_compatible=True
        )
    with pytest.warns(UserWarning, match="more than 20 kHz"):
        write_nwb(recording, tmp_path / "c.nwb", ipfx_compatible=True)
    assert problems(tmp_path / "c.nwb") == [
        ("BEST_PRACTICE_VIOLATION", "check_sweeptable_deprecated")
    ]
    assert read(tmp_path / "c.nwb").protocol == recording.protocol
    with pynwb.NWBHDF5IO(str(tmp_path / "c.nwb"), "r") as io:
        nwbfile = io.read()
        assert len(nwbfile.sweep_table) == 18
        series = nwbfile.acquisition["CurrentClampSeries_0000"]
        assert series.stimulus_description == "X4PS_SupraThresh"


def test_ipfx_needs_a_test_pulse_and_a_code(recording, picture, build_steps, tmp_path):
    plain = build_steps(rate=2000.0, n_samples=2000, test_pulse=False)
    sweeps = [
        attrs.evolve(s, command=w, response=np.zeros(2000))
        for s, w in zip(recording.sweeps, plain.waveforms, strict=True)
    ]
    bare = attrs.evolve(recording, sweeps=sweeps, protocol=plain, truth=None)
    with pytest.raises(InputError, match="test pulse before the step"):
        write_nwb(bare, tmp_path / "c.nwb", ipfx_compatible=True)
    with pytest.raises(InputError, match="stimulus code for the family 'picture'"):
        write_nwb(
            attrs.evolve(bare, protocol=picture), tmp_path / "c.nwb", ipfx_compatible=True
        )
