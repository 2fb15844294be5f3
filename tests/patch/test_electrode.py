"""The electrode's arguments: just inside and just outside each limit."""

import pytest
from brian2 import kHz, mV

from cleo_like.core import InputError, UnitError
from cleo_like.patch import IdealElectrode


def test_limits_of_noise_filter_and_poles():
    assert IdealElectrode(noise=0).noise == IdealElectrode(noise=0.0).noise == 0
    for wrong in ({"noise": -1e-9 * mV}, {"lowpass": 0 * kHz}, {"poles": 0}, {"poles": 11},
                  {"poles": 2.5}, {"poles": True}):  # fmt: skip
        with pytest.raises(InputError):
            IdealElectrode(**wrong)
    for wrong in ({"noise": 0.1}, {"lowpass": 2000.0}, {"noise": 2 * kHz}):
        with pytest.raises(UnitError):
            IdealElectrode(**wrong)
    assert [IdealElectrode(poles=n).poles for n in (1, 10)] == [1, 10]


def test_the_filter_needs_two_and_a_half_samples_a_period():
    IdealElectrode(lowpass="8 kHz").check(20e3)
    with pytest.raises(InputError, match=r"needs a sampling rate of at least 20002\.5 Hz"):
        IdealElectrode(lowpass="8001 Hz").check(20e3)
