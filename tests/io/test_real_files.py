"""Real recordings read with the values that are known of them."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pyabf
import pynwb
import pytest

from cleo_like.core import ClampMode
from cleo_like.io import read, read_protocol, write

pytestmark = pytest.mark.data

ABF = {
    "171116sh_0016": (11, 20_000, 20_000, 1.0),
    "18711001": (30, 30_000, 20_000, 20.0),
    "190619B_0003": (10, 30_640, 10_000, 3.064),
    "2019_07_24_0055_fsi": (17, 60_000, 20_000, 3.0),
    "File_axon_5": (9, 20_000, 20_000, 5.0),
    "demo_1": (15, 100_000, 20_000, 5.0),
    "opto_aps_bad_units": (3, 400_000, 20_000, 20.0),
    "opto_aps_good_units": (3, 400_000, 20_000, 20.0),
}
"""Sweeps, samples, rate (Hz), start to start (s)."""

LADDERS = {
    "18711001": (np.arange(0, 300, 10), "fi_18711001"),
    "190619B_0003": (np.arange(-120, 421, 60), "iv_190619B_0003_10k"),
    "2019_07_24_0055_fsi": (np.arange(-100, 301, 25), "dual_2019_07_24_0055_fsi"),
    "File_axon_5": (np.arange(-100, 301, 50), "step_File_axon_5"),
    "demo_1": (np.arange(-20, 121, 10), "ic1_demo_1"),
}
"""Amplitudes of the step (pA), and the entry of the catalogue with its samples."""


@pytest.fixture
def abf(data_dir):
    return lambda name: data_dir / "icephys" / "recordings" / f"{name}.abf"


@pytest.mark.parametrize("name", ABF)
def test_shape_rate_and_starts(abf, name):
    n_sweeps, n_samples, rate, period = ABF[name]
    back = read(abf(name))
    assert back.n_sweeps == n_sweeps
    assert {(s.n_samples, s.rate) for s in back.sweeps} == {(n_samples, float(rate))}
    starts = np.array([s.start_time for s in back.sweeps])
    assert np.diff(starts) == pytest.approx(np.full(n_sweeps - 1, period), abs=1e-6)


@pytest.mark.parametrize("name", [n for n in ABF if n != "opto_aps_bad_units"])
def test_response_and_command_agree_with_pyabf(abf, name):
    back = read(abf(name))
    oracle = pyabf.ABF(abf(name))
    assert {s.mode for s in back.sweeps} == {ClampMode.CURRENT}
    for number in (0, back.n_sweeps // 2, back.n_sweeps - 1):
        oracle.setSweep(number)
        sweep = back.sweeps[number]
        assert np.abs(sweep.response * 1e3 - oracle.sweepY).max() < 2e-5  # pyabf: float32
        assert np.abs(sweep.command * 1e12 - oracle.sweepC).max() < 1e-9


@pytest.mark.parametrize("name", LADDERS)
def test_the_step_is_where_the_catalogue_says(abf, data_dir, name):
    amplitudes, entry = LADDERS[name]
    catalogue = json.loads((data_dir / "icephys" / "catalog.json").read_text())
    facts = next(item for item in catalogue if item["id"] == entry)
    start, stop = facts["start_idx"], facts["end_idx"]
    commands = np.stack([s.command for s in read(abf(name)).sweeps]) * 1e12
    assert commands[:, start] == pytest.approx(amplitudes)
    assert commands[:, stop - 1] == pytest.approx(amplitudes)
    edges = {int(e) + 1 for c in commands for e in np.flatnonzero(np.diff(c))}
    assert {start, stop} <= edges


def test_a_ramp_is_not_called_a_step(abf):
    protocol = read(abf("171116sh_0016")).protocol
    assert not protocol.is_steps
    assert [(e.start, e.stop) for e in protocol.epochs] == [(312, 19_612)]


def test_millivolts_saved_as_picoamperes_are_found_not_repaired(abf):
    bad, good = read(abf("opto_aps_bad_units")), read(abf("opto_aps_good_units"))
    assert {s.mode for s in bad.sweeps} == {ClampMode.UNKNOWN}
    assert bad.sweeps[0].response.min() == pytest.approx(-1595.459e-12, rel=1e-6)
    assert any("same kind of unit" in f and "saved as pA" in f for f in bad.findings)
    assert {s.mode for s in good.sweeps} == {ClampMode.CURRENT}
    assert not any("unit" in f for f in good.findings)


def test_the_second_channel_of_an_iv_recording_is_left_out_and_said(abf):
    back = read(abf("190619B_0003"))
    assert back.device["electrode"] == "IN 0"
    assert any("'IN 2' (mV)" in f for f in back.findings)


NWB = (
    "99111002",
    "FergusonEtAl2015_PYR2",
    "LantyerEtAl2018_170315_AL_216_VC",
    "LantyerEtAl2018_180817_ME_9_CC",
)


@pytest.mark.parametrize("name", NWB)
def test_nwb_steps(data_dir, name):
    folder = data_dir / "nwb_icephys"
    truth = json.loads((folder / "step_truth.json").read_text())[f"{name}.nwb"]
    back = read(folder / f"{name}.nwb")
    assert back.n_sweeps == truth["sweeps"]
    rate = truth["fs"]
    for sweep in back.sweeps:
        assert sweep.rate == pytest.approx(rate, rel=1e-12)
        assert sweep.n_samples == truth["n"]
    clamp = ClampMode.CURRENT if truth["stim_unit"] == "amperes" else ClampMode.VOLTAGE
    assert {s.mode for s in back.sweeps} == {clamp}
    start, stop = (round(t * rate) for t in truth["step_s"])
    scale = 1e12 if clamp is ClampMode.CURRENT else 1e3
    # medians, away from the edges, of commands with the noise that the truth tells
    margin = 50
    tolerance = 0.2 + truth["stim_noise_sd"]
    for sweep, holding, step in zip(
        back.sweeps, truth["holding"], truth["amplitude"], strict=True
    ):
        before = np.median(sweep.command[margin : start - margin]) * scale
        during = np.median(sweep.command[start + margin : stop - margin]) * scale
        assert before == pytest.approx(holding, abs=tolerance)
        assert during - before == pytest.approx(step, abs=tolerance)


def test_nwb_pairing_that_names_would_get_wrong(data_dir):
    """Its names run __1, __10, __11 ...; only the table has the order."""
    back = read(data_dir / "nwb_icephys" / "99111002.nwb")
    steps = [round(float(s.command[2000]) * 1e12) for s in back.sweeps]
    assert steps == list(range(-2000, 1001, 200))
    # no response in the first five sweeps (the file's own trouble); then it follows the current
    potentials = np.array([float(np.median(s.response[2000:4000])) for s in back.sweeps])
    assert np.all(np.diff(potentials[5:14]) > 0)


def test_nwb_metadata_that_says_nothing_is_none(data_dir):
    folder = data_dir / "nwb_icephys"
    back = read(folder / "99111002.nwb")
    assert back.cell.species == "Rattus norvegicus"
    assert (back.cell.region, back.cell.age, back.cell.donor, back.cell.sex) == (
        None, None, None, "M",
    )  # fmt: skip
    ferguson = read(folder / "FergusonEtAl2015_PYR2.nwb")
    assert any("not a Latin binomial" in f for f in ferguson.findings)


def test_real_abf_to_nwb_and_back(abf, tmp_path):
    real = read(abf("File_axon_5"))
    path = write(real, tmp_path / "x.nwb")
    assert pynwb.validate(path=str(path)) == []
    back = read(path)
    for ours, theirs in zip(back.sweeps, real.sweeps, strict=True):
        assert np.abs(ours.response - theirs.response).max() <= 0.1 * 6e-8  # float32 of 90 mV
        assert np.array_equal(ours.command, theirs.command)
    assert back.cell == real.cell
    assert back.protocol == real.protocol
    assert back.findings == real.findings


@pytest.mark.parametrize("name", ["FergusonEtAl2015_PYR2", "LantyerEtAl2018_170315_AL_216_VC"])
def test_real_nwb_to_abf_and_back(data_dir, tmp_path, name):
    real = read(data_dir / "nwb_icephys" / f"{name}.nwb")
    back = read(write(real, tmp_path / "x.abf"))
    for kind in ("response", "command"):
        ours = np.stack([getattr(s, kind) for s in back.sweeps])
        theirs = np.stack([getattr(s, kind) for s in real.sweeps]).astype(float)
        bit = np.abs(theirs).max() / 32000
        assert np.abs(ours - theirs).max() <= 0.5 * bit * (1 + 1e-6)
    assert attrs.evolve(back, sweeps=()) == attrs.evolve(
        real, sweeps=(), provenance=back.provenance
    )
    assert back.provenance.source == real.provenance.source


def test_a_real_protocol_survives_abf(abf, tmp_path):
    protocol = read_protocol(abf("18711001"))
    assert protocol.is_steps
    assert read_protocol(write(protocol, tmp_path / "p.abf")) == protocol
