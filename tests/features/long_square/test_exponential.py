"""The exponential fit: known answers, and the place where MINPACK's search ends."""

from __future__ import annotations

import os
import subprocess
import sys

import attrs
import numpy as np
import pytest

from cleo_like.features.long_square import exponential


def course(rng, *, deflection, rate, samples, sampling, noise):
    x = np.arange(samples) / sampling
    y = -70 - deflection + deflection * np.exp(-x * rate) + rng.normal(size=samples) * noise
    return x, np.round(y / 0.0305) * 0.0305  # the step of a 16-bit converter


def start(y):
    return np.array([y[0] - y[-1], 50.0, y[-1]])


def test_an_exponential_without_noise():
    x = np.arange(2000) / 20e3
    found = exponential.fit(x, -80 + 10 * np.exp(-x / 0.02), np.array([8.0, 50.1, -79.0]))
    assert found.rate == pytest.approx(50.0, rel=1e-9)
    assert found.amplitude == pytest.approx(10.0, rel=1e-9)
    assert found.offset == pytest.approx(-80.0, rel=1e-9)


def test_the_stated_variance_is_that_of_many_draws(rng):
    x = np.arange(2000) / 20e3
    found = []
    for _ in range(200):
        y = -80 + 10 * np.exp(-x / 0.02) + rng.normal(size=x.size) * 0.2
        found.append(exponential.fit(x, y, start(y)))
    spread = np.std([f.rate for f in found], ddof=1)
    stated = np.sqrt([f.rate_variance * f.squares / (x.size - 3) for f in found])
    assert np.median(stated) == pytest.approx(spread, rel=0.2)  # 200 draws: 5 % error


def test_it_ends_where_minpack_ends(rng):
    """300 random courses, well and badly determined: rates within 1e-6 (ipfx's tau gate)."""
    worst, quick = 0.0, 0
    for _ in range(300):
        x, y = course(
            rng, deflection=rng.choice([-1, 1, 1]) * 10 ** rng.uniform(0, 1.5),
            rate=10 ** rng.uniform(0.5, 3), samples=int(10 ** rng.uniform(1, 4)),
            sampling=10 ** rng.uniform(3.6, 5), noise=rng.choice([0, 0.05, 0.2]),
        )  # fmt: skip
        with np.errstate(all="ignore"):
            theirs = exponential._minpack(x, y, start(y))
            quick += exponential._gauss_newton(exponential._Model(x, y), start(y)) is not None
        ours = exponential.fit(x, y, start(y))
        assert (ours is None) == (theirs is None)
        if ours is not None:
            worst = max(worst, abs(ours.rate / theirs.rate - 1))
            assert ours.squares == pytest.approx(theirs.squares, rel=1e-6, abs=1e-12)
    assert worst < 1e-6
    assert quick > 30  # the short way is really taken


BITS = """
import numpy as np
from cleo_like.features.long_square import exponential
rng = np.random.default_rng(0)
x = np.arange(100_000) / 50e3
for rate in (30.0, 300.0):  # the second by MINPACK's own way
    y = -80 + 10 * np.exp(-x * rate) + rng.normal(size=x.size) * 0.2
    found = exponential.fit(x, y, np.array([y[0] - y[-1], 50.0, y[-1]]))
    print(found.rate.hex(), found.squares.hex(), found.rate_variance.hex())
"""


def test_the_same_bits_on_any_number_of_threads():
    """A worker with one thread gives the table of a process with many."""
    told = [
        subprocess.run(
            [sys.executable, "-c", BITS], env=os.environ | {"OPENBLAS_NUM_THREADS": n},
            capture_output=True, text=True, check=True,
        ).stdout
        for n in ("1", "2")
    ]  # fmt: skip
    assert told[0].count("0x") == 6
    assert told[0] == told[1]


@pytest.mark.parametrize("y", [np.full(50, -70.0), np.linspace(-70, -80, 50)])
def test_no_exponential_at_all(y):
    """A constant and a line: whatever comes is MINPACK's answer."""
    x = np.arange(50) / 10e3
    with np.errstate(all="ignore"):
        theirs = exponential._minpack(x, y, start(y))
        assert exponential._gauss_newton(exponential._Model(x, y), start(y)) is None
    ours = exponential.fit(x, y, start(y))
    np.testing.assert_equal(*(f and attrs.astuple(f) for f in (ours, theirs)))
