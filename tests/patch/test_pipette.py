"""The parts of a rig: just inside and just outside each limit, and what the errors say."""

import pickle

import attrs
import numpy as np
import pytest
from brian2 import Mohm, kHz, mV, pA, pF

from cleo_like.core import InputError, Protocol, UnitError, UnknownNameError
from cleo_like.patch import (
    CurrentClamp,
    Digitiser,
    Electrode,
    IdealElectrode,
    PatchPipette,
    VoltageClamp,
    rig_names,
    rig_preset,
)
from cleo_like.stimuli import Dac

RATE = 20_000.0


def protocol(mode="current_clamp", level=1e-11, rate=RATE):
    return Protocol(
        waveforms=np.full((1, 100), level), rate=rate, family="arbitrary", mode=mode
    )


INSIDE_AND_OUTSIDE = [
    (Electrode, "access_resistance", "100 MOhm", "100.1 MOhm", "100 MOhm"),
    (Electrode, "access_resistance", "1e-9 MOhm", 0, "preset 'ideal'"),
    (Electrode, "access_resistance_end", "100 MOhm", "100.1 MOhm", "100 MOhm"),
    (Electrode, "access_resistance", "1 MOhm", "-1 MOhm", "above 0"),
    (Electrode, "capacitance", 0, "-0.1 pF", "0 pF to 100 pF"),
    (Electrode, "capacitance", "100 pF", "101 pF", "0 pF to 100 pF"),
    (Electrode, "seal", "1 MOhm", 0, "leave it out"),
    (Electrode, "junction_potential", "-100 mV", "-101 mV", "-100 mV to 100 mV"),
    (Electrode, "offset", "100 mV", "101 mV", "-100 mV to 100 mV"),
    (Electrode, "temperature", -273, -274, "above -273.15"),
    (CurrentClamp, "bridge", 0, "-1 MOhm", "0 MOhm or more"),
    (CurrentClamp, "neutralisation", 0.999, 1, "0.95 would be stable"),
    (CurrentClamp, "neutralisation", 0, -0.01, "0 or more"),
    (CurrentClamp, "lowpass", "1 Hz", 0, "leave it out"),
    (CurrentClamp, "poles", 10, 11, "1 to 10"),
    (CurrentClamp, "poles", 1, 0, "1 or more"),
    (CurrentClamp, "gain", 0.1, 0, "above 0"),
    (VoltageClamp, "correction", 0.999, 1.0, "0.95 would be stable"),
    (VoltageClamp, "correction", 0, -0.1, "0 or more"),
    (VoltageClamp, "series_resistance", "1 MOhm", 0, "above 0"),
    (VoltageClamp, "bandwidth", "1 Hz", 0, "above 0"),
    (VoltageClamp, "fast_capacitance", 0, "-1 pF", "0 pF to 100 pF"),
    (Digitiser, "bits", 32, 33, "2 to 32"),
    (Digitiser, "bits", 2, 1, "2 or more"),
    (Digitiser, "input_range", "1 mV", 0, "above 0"),
    (Digitiser, "pickup", 0, "-1 mV", "0 mV or more"),
    (Digitiser, "rate", "1 Hz", 0, "above 0"),
]


@pytest.mark.parametrize(("part", "name", "inside", "outside", "says"), INSIDE_AND_OUTSIDE)
def test_each_limit(part, name, inside, outside, says):
    made = part(**{name: inside})
    assert attrs.evolve(made) == made
    with pytest.raises(InputError, match=says):
        part(**{name: outside})


def test_prediction_needs_the_capacitance_of_the_cell():
    VoltageClamp(prediction=0.99, whole_cell_capacitance=100 * pF)
    with pytest.raises(InputError, match="give whole_cell_capacitance"):
        VoltageClamp(prediction=0.5)
    with pytest.raises(InputError, match=r"0\.95 would be stable"):
        VoltageClamp(prediction=1, whole_cell_capacitance=100 * pF)


def test_no_more_than_the_capacitance_that_is_there_is_compensated():
    glass = Electrode(capacitance=5 * pF)
    PatchPipette(electrode=glass, amplifier=VoltageClamp(fast_capacitance=5 * pF))
    with pytest.raises(InputError, match="give 5 pF or less"):
        PatchPipette(electrode=glass, amplifier=VoltageClamp(fast_capacitance=5.1 * pF))


def test_parts_of_the_wrong_kind():
    with pytest.raises(InputError, match="electrode must be of Electrode"):
        PatchPipette(electrode="10 MOhm")
    with pytest.raises(InputError, match="amplifier must be of CurrentClamp or VoltageClamp"):
        PatchPipette(amplifier=Digitiser())
    with pytest.raises(InputError, match="no amplifier and no digitiser"):
        PatchPipette(electrode=IdealElectrode(), digitiser=Digitiser())
    with pytest.raises(UnitError, match=r"did you mean 10\*Mohm"):
        Electrode(access_resistance=10)


def test_a_drift_follows_the_starts_of_the_sweeps():
    glass = Electrode(access_resistance=10 * Mohm, access_resistance_end=20 * Mohm)
    assert glass.drifts
    assert not attrs.evolve(glass, access_resistance_end=10 * Mohm).drifts
    np.testing.assert_allclose(glass.access([0, 1, 4]), [10e6, 12.5e6, 20e6])
    np.testing.assert_allclose(glass.access([3.0]), [10e6])
    np.testing.assert_allclose(Electrode().access([0, 1]), [10e6, 10e6])


def test_codes_of_the_input():
    digitiser = Digitiser(bits=16, input_range="10.24 V")
    lsb = digitiser.lsb(10.0)
    assert lsb == pytest.approx(31.25e-6)
    values = np.array([[-32768.0, -32769.0, 32767.0, 32768.0, 0.4, 0.6]]) * lsb
    found, clipped = digitiser.digitised(values.copy(), 10.0)
    np.testing.assert_allclose(found[0] / lsb, [-32768, -32768, 32767, 32767, 0, 1])
    assert clipped.tolist() == [2]


def test_mains_and_drift():
    digitiser = Digitiser(pickup=0.1 * mV, mains="60 Hz", drift=1 * mV)
    found = digitiser.disturbed(np.zeros((2, 2000)), RATE, [0.0, 0.3])
    t = np.arange(2000) / RATE
    for row, start in zip(found, (0.0, 0.3), strict=True):
        wave = 1e-4 * np.sin(2 * np.pi * 60 * (t + start))
        np.testing.assert_allclose(row, wave + 1e-3 * t / 0.1, atol=1e-12)


def test_a_protocol_that_the_rig_cannot_play():
    rig = rig_preset("multiclamp_700b", rate=20 * kHz)
    rig.check(protocol())
    with pytest.raises(InputError, match="samples at 20000 Hz but the protocol has 20001 Hz"):
        rig.check(protocol(rate=20_001.0))
    with pytest.raises(InputError, match=r"PatchPipette\(amplifier=VoltageClamp"):
        rig.check(protocol("voltage_clamp", -0.07))
    clamp = rig_preset("multiclamp_700b", "voltage_clamp")
    clamp.check(protocol("voltage_clamp", -0.07))
    wrong = attrs.evolve(clamp, digitiser=Digitiser(command=Dac("4096 pA")))
    with pytest.raises(InputError, match=r"Dac\('204.8 mV'\)"):
        wrong.check(protocol("voltage_clamp", -0.07))
    wrong = attrs.evolve(clamp, digitiser=Digitiser(pickup=1 * mV))
    with pytest.raises(InputError, match="pickup is in V, the response in A"):
        wrong.check(protocol("voltage_clamp", -0.07))
    attrs.evolve(clamp, digitiser=Digitiser(pickup=1 * pA)).check(
        protocol("voltage_clamp", -0.07)
    )


def test_rigs_by_name():
    assert rig_names() == ("ideal", "multiclamp_700b")
    rig = rig_preset("multiclamp_700b", access_resistance=15 * Mohm, bits=14)
    assert (rig.electrode.access_resistance, rig.digitiser.bits) == (15e6, 14)
    assert pickle.loads(pickle.dumps(rig)) == rig
    assert hash(rig) == hash(attrs.evolve(rig))
    with pytest.raises(UnknownNameError, match="multiclamp_700b"):
        rig_preset("multiclamp")
    with pytest.raises(UnknownNameError, match="did you mean 'access_resistance'"):
        rig_preset("multiclamp_700b", acess_resistance="15 MOhm")
    with pytest.raises(UnknownNameError, match="neutralisation"):
        rig_preset("multiclamp_700b", "voltage_clamp", neutralisation=0.9)
    with pytest.raises(InputError, match="current clamp only"):
        rig_preset("ideal", "voltage_clamp")
