"""Recordings of a rig in files: every code, every setting, and other programs' readings."""

import warnings

import numpy as np
import pyabf
import pynwb
import pytest

import cleo_like as cl
from cleo_like.stimuli import voltage_steps

MODES = ("current_clamp", "voltage_clamp")
SETTINGS = {
    "current_clamp": {"bridge": "8 MOhm", "neutralisation": 0.6, "holding": "20 pA"},
    "voltage_clamp": {
        "correction": 0.5, "prediction": 0.6, "whole_cell_capacitance": "80 pF",
        "series_resistance": "9 MOhm", "holding": "-5 mV",
    },
}  # fmt: skip
FIELDS = {  # as NWB names them, SI
    "current_clamp": {
        "bridge_balance": 8e6, "capacitance_compensation": 3e-12, "bias_current": 20e-12,
        "gain": 10.0,
    },
    "voltage_clamp": {
        "resistance_comp_correction": 50.0, "resistance_comp_prediction": 60.0,
        "resistance_comp_bandwidth": 3978.87, "whole_cell_capacitance_comp": 80e-12,
        "whole_cell_series_resistance_comp": 9e6, "capacitance_fast": 4.5e-12,
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=MODES)
def made(request, tmp_path_factory):
    """One recording of each mode, and its two files."""
    mode = request.param
    if mode == "current_clamp":
        played = cl.long_square(
            ["-50 pA", "500 pA"], duration="50 ms", before="20 ms", after="20 ms", rate="20 kHz"
        )
    else:
        played = voltage_steps(["-90 mV", "-10 mV"], duration="20 ms", rate="20 kHz")
    rig = cl.rig_preset("multiclamp_700b", mode, **SETTINGS[mode])
    recording = cl.record("rs", played, electrode=rig, seed=1, progress=False)[0]
    folder = tmp_path_factory.mktemp(mode)
    paths = {kind: cl.write(recording, folder / f"rig.{kind}") for kind in ("abf", "nwb")}
    return recording, rig, paths


def lsb_of(rig):
    gain = rig.amplifier.gain * getattr(rig.amplifier, "feedback_resistance", 1.0)
    return rig.digitiser.lsb(gain)


@pytest.mark.parametrize("kind", ["abf", "nwb"])
def test_codes_and_settings_come_back(made, kind):
    recording, rig, paths = made
    back = cl.read(paths[kind])
    lsb, dac = lsb_of(rig), rig.digitiser.command.lsb
    for ours, theirs in zip(back.sweeps, recording.sweeps, strict=True):
        codes = theirs.response.astype(float) / lsb
        assert np.abs(codes - np.rint(codes)).max() < 2e-3  # float32 has 24 bits, codes 16
        np.testing.assert_array_equal(
            np.rint(ours.response.astype(float) / lsb), np.rint(codes)
        )
        np.testing.assert_array_equal(
            np.rint(ours.command / dac), np.rint(theirs.command / dac)
        )
        if kind == "nwb":
            np.testing.assert_array_equal(ours.response, theirs.response)
        assert ours.settings == theirs.settings
        assert ours.mode is theirs.mode
    mode = str(recording.sweeps[0].mode)
    settings = recording.sweeps[0].settings
    assert {k: settings[k] for k in FIELDS[mode]} == pytest.approx(FIELDS[mode])
    for name in ("seal", "initial_access_resistance", "electrode_current", "blowout"):
        assert back.device[name] == recording.device[name]


def test_what_other_readers_of_abf_see(made):
    recording, rig, paths = made
    half = lsb_of(rig) / 2
    abf = pyabf.ABF(str(paths["abf"]))
    units = {"mV": 1e-3, "pA": 1e-12, "nA": 1e-9}
    neo = pytest.importorskip("neo")
    segments = neo.io.AxonIO(str(paths["abf"])).read_block().segments
    unit = recording.sweeps[0].mode.response_unit
    assert abf.sweepCount == len(segments) == recording.n_sweeps
    for k, sweep in enumerate(recording.sweeps):
        abf.setSweep(k)
        assert np.abs(abf.sweepY * units[abf.sweepUnitsY] - sweep.response).max() < half
        assert np.abs(abf.sweepC * units[abf.sweepUnitsC] - sweep.command).max() < 1e-15
        signal = np.asarray(segments[k].analogsignals[0].rescale(unit))[:, 0]
        assert np.abs(signal - sweep.response).max() < half
    assert abf.dataRate == 20_000


def test_nwb_is_valid_and_has_the_fields(made):
    recording, _, paths = made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        errors = pynwb.validate(path=str(paths["nwb"]))
    assert not errors
    mode = recording.sweeps[0].mode
    with pynwb.NWBHDF5IO(str(paths["nwb"]), "r") as io:
        series = list(io.read().acquisition.values())
        kind = {"current_clamp": "CurrentClampSeries", "voltage_clamp": "VoltageClampSeries"}
        assert {type(s).__name__ for s in series} == {kind[str(mode)]}
        for one in series:
            found = {name: getattr(one, name) for name in FIELDS[str(mode)]}
            assert found == pytest.approx(FIELDS[str(mode)])
        electrode = series[0].electrode
        assert electrode.seal
        assert electrode.initial_access_resistance


def test_the_inspector_has_nothing_to_say(made):
    inspector = pytest.importorskip("nwbinspector")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about pandas
        found = inspector.inspect_nwbfile(
            nwbfile_path=str(made[2]["nwb"]), config=inspector.load_config("dandi")
        )
        worse = [m for m in found if m.importance.name != "BEST_PRACTICE_SUGGESTION"]
    assert [f"{m.check_function_name}: {m.message}" for m in worse] == []
