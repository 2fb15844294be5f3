"""Spikes and sweeps of every extractor reach the user, in rows of the stack that was given."""

import numpy as np
import pytest

from cleo_like.core.errors import InputError, UnsupportedError
from cleo_like.core.window import Window
from cleo_like.features.adapters.ipfx import peers_python
from cleo_like.features.parameters import DEFAULT, IPFX
from cleo_like.features.registry import Extracted, efel, ipfx, native
from cleo_like.features.stack import SweepStack

STEP = Window(start=0.2, end=0.7)


def stack_with_a_broken_sweep():
    """Three sweeps, two spikes in the last; the second has a sample that is no number."""
    t = np.arange(25_000) / 25e3
    current = np.array([[-50.0], [20.0], [100.0]]) * ((t >= 0.2) & (t < 0.7))
    voltage = -70 + 0.1 * current
    for peak in (0.35, 0.5):
        voltage[2] += 90 * np.exp(-(((t - peak) / 4e-4) ** 2))
    voltage[1, 9000] = np.nan
    return SweepStack(voltage_mv=voltage, current_pa=current, rate=25e3)


@pytest.mark.parametrize("parameters", [DEFAULT, IPFX], ids=["native", "compat"])
def test_rows_are_those_of_the_given_stack(parameters):
    found = native(stack_with_a_broken_sweep(), STEP, parameters)
    assert found.excluded.keys() == {1}
    assert found.spikes["sweep"].tolist() == [2, 2]
    np.testing.assert_allclose(found.spikes["peak_t"], [0.35, 0.5], atol=1e-12)
    assert found.sweeps["n_spikes"][[0, 2]].tolist() == [0, 2]
    assert np.isnan(found.sweeps["stim_amp"][1])
    assert found.sweeps["stim_amp"][2] == 100


def test_efel_gives_spikes_and_sweeps():
    pytest.importorskip("efel")
    whole = stack_with_a_broken_sweep().take(np.array([0, 2]))
    found = efel(whole, STEP, DEFAULT)
    assert found.spikes["sweep"].tolist() == [1, 1]
    np.testing.assert_allclose(found.spikes["peak_t"], [0.35, 0.5], atol=2 / 25e3)
    assert found.sweeps["n_spikes"].tolist() == [0, 2]


def test_ipfx_gives_spikes_and_sweeps():
    try:
        peers_python()
    except UnsupportedError as error:
        pytest.skip(str(error))
    whole = stack_with_a_broken_sweep().take(np.array([0, 2]))
    found, ours = ipfx(whole, STEP, DEFAULT), native(whole, STEP, IPFX)
    assert found.spikes["sweep"].tolist() == [1, 1]
    assert found.spikes["peak_t"].tolist() == ours.spikes["peak_t"].tolist()
    assert found.sweeps["n_spikes"].tolist() == [0, 2]


def test_an_outsider_may_give_values_only():
    found = Extracted(values={"tau": 0.02})
    assert found.spikes is None
    assert found.sweeps is None


@pytest.mark.parametrize(
    ("spikes", "said"),
    [
        ({"peak_t": [0.1]}, "need a column 'sweep'"),
        ({"sweep": [0, 1], "peak_t": [0.1]}, "has 1 values, expected 2"),
        ({"sweep": [[0]]}, "one value per row"),
        ([0.1], "mappings of name to array"),
    ],
)
def test_columns_that_do_not_belong_together(spikes, said):
    with pytest.raises(InputError, match=said):
        Extracted(values={}, spikes=spikes)
