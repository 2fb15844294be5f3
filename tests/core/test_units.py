"""The converter: units in, SI out; errors that say what to write."""

import numpy as np
import pytest
import quantities as pq
from brian2 import Mohm, ms, mV, nA, pA, second
from hypothesis import given
from hypothesis import strategies as st

from cleo_like.core import UnitError, si, si_array
from cleo_like.core.units.dimensions import _NAMES

GOOD = [
    (100 * pA, "A", 100e-12),
    (-70 * mV, "V", -0.070),
    (200 * Mohm, "ohm", 200e6),
    (2 * second, "s", 2.0),
    (0 * pA, "A", 0.0),
    (100 * pq.pA, "A", 100e-12),
    (20 * pq.kHz, "Hz", 20e3),
    (1 / (5 * ms), "Hz", 200.0),
    (25 * pA / ms, "A/s", 25e-9),
    ("100 pA", "A", 100e-12),
    ("-70mV", "V", -0.070),
    ("1.5e2 ms", "s", 0.15),
    ("200 MOhm", "ohm", 200e6),
    ("10 µA", "A", 1e-5),
    ("44.1kHz", "Hz", 44100.0),
    ("25 pA/ms", "A/s", 25e-9),
    ("3", "1", 3.0),
    ("50 %", "1", 0.5),
]

BAD = [
    (100, "A", r"amplitude=100 has no unit; did you mean 100\*pA\?"),
    (0.02, "s", r"amplitude=0.02 has no unit; did you mean 0.02\*ms\?"),
    (100 * mV, "A", r"amplitude must be in pA .* got .* with the dimension V"),
    (100 * pq.mV, "A", r"amplitude must be in pA .* with the dimension V"),
    (1, "ohm", r"did you mean 1\*Mohm\?"),
    ("100", "A", r"amplitude=100 has no unit; did you mean '100 pA'\?"),
    ("100 mV", "A", r"expected a unit of A such as pA, got 'mV'"),
    ("ten pA", "A", r"write for example '100 pA'"),
    ([1, 2] * pA, "A", r"must be one value in pA, got 2 values"),
    (np.nan * pA, "A", r"must be a finite value in pA, got nan"),
    (None, "A", r"must be a value in pA, got None of type NoneType"),
    (np.ones(3), "A", r"amplitude has no unit; multiply the array by pA"),
]


@pytest.mark.parametrize(("value", "unit", "expected"), GOOD)
def test_quantities_and_texts_become_si(value, unit, expected):
    assert si(value, unit, "amplitude") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("value", "unit", "message"), BAD)
def test_errors_say_what_to_write(value, unit, message):
    with pytest.raises(UnitError, match=message):
        si(value, unit, "amplitude")


def test_arrays_keep_their_shape():
    np.testing.assert_allclose(si_array(np.ones((2, 3)) * nA, "A", "x"), np.full((2, 3), 1e-9))
    np.testing.assert_allclose(si_array([1 * pA, 2 * pA], "A", "x"), [1e-12, 2e-12])
    np.testing.assert_allclose(si_array(["1 pA", "2 nA"], "A", "x"), [1e-12, 2e-9])


@given(
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.sampled_from([("pA", 1e-12), ("nA", 1e-9), ("A", 1.0)]),
)
def test_text_and_brian2_agree(number, unit):
    symbol, factor = unit
    assert si(f"{number!r} {symbol}", "A", "x") == pytest.approx(number * factor, rel=1e-12)


def test_base_units_of_other_packages_have_the_size_of_si():
    """All but the gram: what a package calls its base units changes no number."""
    assert {name for name, (_, size) in _NAMES.items() if size != 1} == {"gram", "g"}
    assert _NAMES["gram"] == _NAMES["g"] == ("kg", 1e-3)
