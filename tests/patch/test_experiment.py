"""Several protocols to one cell: what is played, written, read back and measured."""

from __future__ import annotations

import attrs
import h5py
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.core.recording.join import numbered
from cleo_like.io import read_all, write_simulated


@pytest.fixture(scope="module")
def protocols():
    rest = {"before": "50 ms", "after": "50 ms"}
    return [
        cl.long_square(["-40 pA", "-20 pA", "20 pA"], duration="0.2 s", rate="20 kHz", **rest),
        cl.ramp("1000 pA/s", duration="0.6 s", rate="10 kHz", **rest),
        cl.chirp("10 pA", duration="0.5 s", stop="40 Hz", rate="10 kHz", **rest),
    ]


@pytest.fixture(scope="module")
def cells(protocols):
    rig = cl.IdealElectrode(noise="0.05 mV")
    return cl.experiment(["rs", "passive"], protocols, rig, seed=5, keep_voltage=True)


def test_a_cell_has_all_protocols_one_after_the_other(cells, protocols):
    assert [cell.cell.id for cell in cells] == ["rs", "passive"]
    whole = cells[0]
    assert list(whole.by_protocol()) == ["long_square", "ramp", "chirp"]
    assert [sweep.number for sweep in whole] == list(range(5))
    starts = [sweep.start_time for sweep in whole]
    # 3 sweeps of 0.3 s, 1 s of pause, a ramp of 0.7 s, 1 s of pause
    np.testing.assert_allclose(starts, [0, 0.3, 0.6, 1.9, 3.6], atol=1e-9)
    assert whole["ramp"].protocol == protocols[1]
    assert whole["chirp"][0].rate == 10e3


def test_a_part_is_what_record_makes_of_it(cells, protocols):
    part = cells[0]["ramp"]
    seed = whole_seed = cells[0].provenance.parameters["protocols"][1]["seed"]
    assert whole_seed != cells[0].provenance.seed
    rig = cl.IdealElectrode(noise="0.05 mV")
    alone = cl.record(["rs", "passive"], protocols[1], electrode=rig, seed=seed)[0]
    np.testing.assert_array_equal(part[0].response, alone[0].response)
    np.testing.assert_array_equal(part.truth.spike_times[0], alone.truth.spike_times[0])


def test_noise_of_two_protocols_is_not_the_same(cells):
    noise = [
        (sweep.response - clean)[:500]
        for sweep, clean in zip(cells[1], cells[1].truth.voltage, strict=True)
    ]
    assert abs(np.corrcoef(noise[0], noise[3])[0, 1]) < 0.2


def test_files_one_nwb_and_an_abf_for_each_protocol(cells, protocols, tmp_path):
    written = write_simulated(cells, {"nwb": tmp_path, "abf": tmp_path})
    assert [path.name for path in written[0]] == [
        "sub-rs_ses-simulation_icephys.nwb", "rs_long_square.abf", "rs_ramp.abf",
        "rs_chirp.abf",
    ]  # fmt: skip
    with h5py.File(written[0][0]) as file:
        table = file["general/intracellular_ephys/sequential_recordings"]
        kinds = [text.decode() for text in table["stimulus_type"][:]]
        assert kinds == ["long_square", "ramp", "chirp"]
        assert table["simultaneous_recordings_index"][:].tolist() == [3, 4, 5]
    back = cl.read(written[0][0])
    assert [p.name for p in back.protocols] == ["long_square", "ramp", "chirp"]
    for own, other in zip(cells[0], back, strict=True):
        np.testing.assert_allclose(other.response, own.response, atol=1e-7)
        assert other.start_time == pytest.approx(own.start_time)
    assert attrs.evolve(back["ramp"].protocol, waveforms=protocols[1].waveforms) == protocols[1]
    np.testing.assert_array_equal(back.truth.spike_counts, cells[0].truth.spike_counts)
    assert back.provenance.parameters["protocols"][2]["seed"] is not None
    (steps,) = read_all(written[0][1])
    assert steps.protocol == protocols[0]


def test_files_of_a_rig_are_joined(cells, tmp_path):
    paths = write_simulated(cells[:1], {"abf": tmp_path})[0]
    parts = [cl.read(path) for path in paths]
    whole = cl.join_recordings(parts, pause="1 s")
    assert list(whole.by_protocol()) == ["long_square", "ramp", "chirp"]
    np.testing.assert_allclose(
        [s.start_time for s in whole], [s.start_time for s in cells[0]], atol=1e-4
    )


def test_slices_keep_the_protocols_of_their_sweeps(cells):
    some = cells[0][1:4]
    assert [len(p) for p in some.protocols] == [2, 1]
    assert some["ramp"].n_sweeps == 1
    assert cells[0][:2].protocol.n_sweeps == 2
    assert cells[0][[3, 0]].protocols == ()  # no longer one after the other


def test_two_protocols_of_one_name_are_told_apart(protocols):
    (cell,) = cl.experiment("passive", [protocols[0], protocols[0]], seed=1)
    assert list(cell.by_protocol()) == ["long_square-1", "long_square-2"]
    assert numbered(["a", "b", "a"]) == ["a-1", "b", "a-2"]


def test_both_clamp_modes_through_one_rig():
    rest = {"before": "20 ms", "after": "20 ms", "rate": "20 kHz"}
    steps = cl.long_square(["-20 pA"], duration="50 ms", **rest)
    from cleo_like.stimuli import voltage_steps

    held = voltage_steps(["-80 mV"], holding="-70 mV", duration="50 ms", **rest)
    (cell,) = cl.experiment("passive", [steps, held], "multiclamp_700b", seed=1)
    assert [str(sweep.mode) for sweep in cell] == ["current_clamp", "voltage_clamp"]


@pytest.mark.parametrize(
    ("protocols", "text"),
    [([], "no protocol to play"), (["ramp"], "parse_protocol"), (3, "list of Protocol")],
)
def test_what_is_no_protocol_is_said(protocols, text):
    with pytest.raises(InputError, match=text):
        cl.experiment("passive", protocols)


def test_wrong_names_and_cells_are_said(cells):
    with pytest.raises(UnknownNameError, match="did you mean 'ramp'"):
        cells[0]["rmap"]
    with pytest.raises(InputError, match="different cells \\(rs, passive\\)"):
        cl.join_recordings(cells)
    assert cl.join_recordings(cells, cell="both").cell.id == "both"
    with pytest.raises(InputError, match="no recording"):
        cl.join_recordings([])


@pytest.mark.parametrize(("later", "start"), [("00:00:10", 10.0), ("00:00:00", 0.9)])
def test_files_that_tell_when_they_began(cells, later, start):
    """A part starts when its file says, never before the one in front has ended (0.9 s)."""
    begun = [f"2026-01-01T{clock}+00:00" for clock in ("00:00:00", later)]
    parts = [
        attrs.evolve(cells[0][name], session_start=when)
        for name, when in zip(("long_square", "ramp"), begun, strict=True)
    ]
    assert cl.join_recordings(parts)["ramp"][0].start_time == pytest.approx(start)
