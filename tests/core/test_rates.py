"""Rates that differ by rounding are one; others stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep
from cleo_like.core.sweep import RATE_TOLERANCE, same_rate


def made(*rates, modes=None):
    modes = modes if modes is not None else ["current_clamp"] * len(rates)
    sweeps = [
        Sweep(response=np.zeros(40), command=np.zeros(40), rate=r, number=k, mode=m)
        for k, (r, m) in enumerate(zip(rates, modes, strict=True))
    ]
    return Recording(sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="test"))


@pytest.mark.parametrize(("share", "same"), [(0.9, True), (1.1, False)])
def test_the_tolerance_from_both_sides(share, same):
    near = 20_000.0 * (1 + share * RATE_TOLERANCE)
    assert same_rate(20_000.0, near) is same
    rates = [s.rate for s in made(near, 20_000.0).sweeps]
    assert rates == ([20_000.0, 20_000.0] if same else [near, 20_000.0])


def test_without_a_whole_rate_the_first_one_counts():
    first, second = 1 / 3.2e-5 * (1 + 1e-9), 1 / 3.2e-5 * (1 + 2e-9)
    assert [s.rate for s in made(first, second, 10_000.0).sweeps] == [first, first, 10_000.0]


def test_sweeps_of_rates_alike_can_be_stacked():
    assert made(19_999.999999999996, 20_000.0).stacked().rate == 20_000.0


def test_each_clamp_mode_is_shown_in_its_own_unit():
    modes = ["current_clamp", "voltage_clamp", "current_clamp"]
    mixed = made(20_000.0, 10_000.0, 20_000.0, modes=modes)
    assert repr(mixed) == (
        "Recording of c: 3 sweeps, 2..4 ms at 10..20 kHz, current_clamp, 0..0 mV, "
        "command 0..0 pA; voltage_clamp, 0..0 pA, command 0..0 mV"
    )
