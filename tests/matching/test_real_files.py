"""Real recordings: every sweep has a verdict, the windows and amplitudes are the true ones."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep
from cleo_like.io import read_all
from cleo_like.matching import match

pytestmark = pytest.mark.data
WITHIN = 0.5e-3


def recordings_of(path):
    """All recordings of a file; the arrays (mV, pA) of an npz are put into one."""
    if path.suffix != ".npz":
        return read_all(path)
    with np.load(path) as arrays:
        v, i, rate = arrays["v"] * 1e-3, arrays["i"] * 1e-12, float(arrays["fs"])
    sweeps = [Sweep(response=v[k], command=i[k], rate=rate, number=k) for k in range(len(v))]
    cell, provenance = Cell(id=path.stem), Provenance(source=path.name)
    return [Recording(sweeps=sweeps, cell=cell, provenance=provenance)]


@pytest.fixture(scope="session")
def matches(data_dir):
    """Match of each recording, by file name."""
    paths = [*data_dir.glob("icephys/recordings/*"), *data_dir.glob("nwb_icephys/*.nwb")]
    return {p.name: [(r, match(r)) for r in recordings_of(p)] for p in paths}


@pytest.fixture(scope="session")
def catalog(data_dir):
    return json.loads((data_dir / "icephys" / "catalog.json").read_text())


@pytest.fixture(scope="session")
def truth(data_dir):
    return json.loads((data_dir / "nwb_icephys" / "step_truth.json").read_text())


def test_every_sweep_has_a_verdict_with_a_reason(matches):
    assert len(matches) >= 15
    for name, found in matches.items():
        assert found, name
        for recording, m in found:
            assert len(m.sweeps) == recording.n_sweeps
            assert all(v.reason for v in m.sweeps), name
            assert [v.number for v in m.sweeps] == [s.number for s in recording.sweeps]


def test_the_windows_of_the_catalogue(matches, catalog):
    seen = 0
    for entry in catalog:
        ((_, m),) = matches[entry["file"].split("/")[-1]]
        if entry["kind"] in ("long_square", "long_square_depol_only"):
            assert m.family == "long_square", entry["id"]
            step = m.step
        elif entry["kind"] == "hyper_only":
            step = min(m.constant, key=lambda e: abs(e.start - entry["start_idx"]))
        else:
            assert m.family != "long_square", entry["id"]
            continue
        apart = max(abs(step.start - entry["start_idx"]), abs(step.stop - entry["end_idx"]))
        assert apart <= WITHIN * m.rate, entry["id"]
        assert len(m.members) == len(m.sweeps)
        seen += 1
    assert seen >= 9


def test_exact_commands_are_found_to_the_sample(matches, catalog):
    for entry in catalog:
        ((_, m),) = matches[entry["file"].split("/")[-1]]
        if entry["kind"] == "long_square" and entry["file"].endswith(".abf"):
            assert (m.step.start, m.step.stop) == (entry["start_idx"], entry["end_idx"])


def test_windows_and_amplitudes_of_recorded_and_holding_currents(matches, truth):
    for name, known in truth.items():
        ((recording, m),) = matches[name]
        if known["stim_unit"] == "volts":
            assert m.family == "none"
            assert all("voltage clamp" in v.reason for v in m.sweeps)
            continue
        assert m.family == "long_square"
        assert np.allclose(m.window, known["step_s"], rtol=0, atol=WITHIN)
        assert m.long_square_sweeps == tuple(range(recording.n_sweeps))
        within = 1.0 + known["stim_noise_sd"] * 0.1
        found = np.sort(m.amplitudes * 1e12)
        assert np.allclose(found, np.sort(known["amplitude"]), rtol=0, atol=within), name
        holding = np.sort([v.holding * 1e12 for v in m.sweeps])
        assert np.allclose(holding, np.sort(known["holding"]), rtol=0, atol=within), name


def test_the_ramp_family_is_refused_with_its_slope(matches):
    ((_, m),) = matches["171116sh_0016.abf"]
    assert m.family == "ramp"
    assert "linear" in m.sweeps[1].reason
    assert m.long_square_sweeps == ()


def test_dual_steps_are_both_shown(matches):
    ((_, m),) = matches["2019_07_24_0055_fsi.abf"]
    assert [(e.start, e.stop) for e in m.varying] == [(2937, 12937), (32937, 42937)]
    assert np.ptp(m.amplitudes) == pytest.approx(400e-12)


def test_pre_pulse_and_test_pulse_are_constant_epochs(matches):
    ((_, pre),) = matches["demo_1.abf"]
    assert [(e.name, e.start, e.stop) for e in pre.constant] == [("pre_pulse", 5562, 11562)]
    assert pre.baseline == (0, 5562)
    ((_, test),) = matches["18711001.abf"]
    assert [(e.name, e.start, e.stop) for e in test.constant] == [("test_pulse", 468, 6468)]
    assert test.baseline == (6468, 16468)
    assert np.allclose(test.constant[0].levels, -100e-12)


def test_a_recording_without_current_steps_has_no_family(matches):
    for name in ("opto_aps_bad_units.abf", "opto_aps_good_units.abf"):
        ((_, m),) = matches[name]
        assert m.family == "none"
        assert m.reason


def test_cutting_sweeps_and_their_order_change_nothing(matches):
    """Half of the sweeps in reverse order give the same window."""
    for name in ("FergusonEtAl2015_PYR2.nwb", "demo_1.abf", "ibw_B6.npz"):
        ((recording, m),) = matches[name]
        some = Recording(
            sweeps=recording.sweeps[::-2],
            cell=recording.cell,
            provenance=recording.provenance,
        )
        fewer = match(some)
        assert np.allclose(fewer.window, m.window, rtol=0, atol=WITHIN)
        expected = [m.sweeps[k].amplitude for k in range(len(m.sweeps))][::-2]
        assert np.allclose(fewer.amplitudes, expected, rtol=0, atol=1e-12)
