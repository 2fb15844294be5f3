"""What must not change the answer: unit, holding, sign, place in time, order of sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.matching import match_arrays
from cleo_like.matching.command.changes import find_changes
from cleo_like.matching.command.noise import fill, is_clean, quantum, white_sd
from cleo_like.matching.command.plateaus import find_plateaus
from cleo_like.matching.command.shapes import shape_of

RATE = 10_000
QUICK = settings(max_examples=25)


@st.composite
def ladders(draw):
    """Three to six steps of 0.3 to 0.6 s with a test pulse, exact or with noise of 1 pA."""
    first = draw(st.integers(-5, 3))
    levels = 10.0 * np.arange(first, first + draw(st.integers(3, 6)))
    start = draw(st.integers(2000, 4000))
    stop = start + draw(st.integers(3000, 6000))
    commands = np.zeros((levels.size, 12_000))
    commands[:, 500:600] = -30.0
    commands[:, start:stop] = levels[:, None]
    if draw(st.booleans()):
        seed = draw(st.integers(0, 2**16))
        commands += np.random.default_rng(seed).standard_normal(commands.shape)
    return commands, (start, stop), levels


def found_in(commands):
    return match_arrays(commands, f"{RATE} Hz")


def assert_same(found, ladder, *, scale=1.0):
    _, (start, stop), levels = ladder
    assert found.family == "long_square"
    assert max(abs(found.step.start - start), abs(found.step.stop - stop)) <= 5
    assert np.allclose(found.amplitudes / scale, levels, rtol=0, atol=0.5)


@QUICK
@given(ladders(), st.sampled_from([1e-12, 1e-9, 1e-3, 1e3]))
def test_unit(ladder, scale):
    assert_same(found_in(ladder[0] * scale), ladder, scale=scale)


@QUICK
@given(ladders(), st.floats(-100, 100))
def test_holding(ladder, holding):
    found = found_in(ladder[0] + holding)
    assert_same(found, ladder)
    assert np.allclose([v.holding for v in found.sweeps], holding, rtol=0, atol=0.3)


@QUICK
@given(ladders())
def test_sign(ladder):
    assert_same(found_in(-ladder[0]), ladder, scale=-1.0)


@QUICK
@given(ladders(), st.integers(0, 1000))
def test_place_in_time(ladder, late):
    commands, (start, stop), levels = ladder
    before = np.repeat(commands[:, :1] * 0, late, axis=1)
    noise = white_sd(commands[0])
    before += noise * np.random.default_rng(late).standard_normal(before.shape)
    found = found_in(np.concatenate([before, commands], axis=1))
    assert_same(found, (None, (start + late, stop + late), levels))


@QUICK
@given(ladders(), st.randoms(use_true_random=False))
def test_order_of_sweeps(ladder, random):
    commands, span, levels = ladder
    order = list(range(len(levels)))
    random.shuffle(order)
    assert_same(found_in(commands[order]), (None, span, levels[order]))


@QUICK
@given(ladders())
def test_epochs_tile_every_sweep(ladder):
    for verdict in found_in(ladder[0]).sweeps:
        stops = [0, *(e.stop for e in verdict.epochs)]
        assert [e.start for e in verdict.epochs] == stops[:-1]
        assert stops[-1] == ladder[0].shape[1]


def test_noise_of_known_size(rng):
    steps = np.repeat([0.0, 100.0, 0.0], 4000)
    assert white_sd(steps + rng.normal(0, 3, steps.size)) == pytest.approx(3, rel=0.05)
    assert is_clean(steps)
    assert not is_clean(steps + rng.normal(0, 1e-3, steps.size))


def test_quantum_of_a_converter(rng):
    noisy = np.round(rng.normal(0, 2, 10_000) / 0.3) * 0.3
    assert quantum(noisy) == pytest.approx(0.3)
    assert quantum(np.repeat([0.0, 50.0, 0.0], 1000)) == 0.0
    flips = np.zeros(10_000)
    flips[1000:9000:1000] = 0.3
    assert quantum(flips) == pytest.approx(0.3)


def test_gaps_are_bridged_and_tails_cut():
    gap = np.array([np.nan, 1.0, np.nan, 2.0, np.nan, np.nan])
    filled = fill(gap, 1e3)
    assert filled.samples.tolist() == [1.0, 1.0, 1.0, 2.0]
    assert filled.trouble is None
    assert len(filled.notes) == 2
    assert "in a row" in fill(np.r_[1.0, np.full(5, np.nan), 1.0], 1e3).trouble


@pytest.mark.parametrize("ratio", [0.7, 1.0, 3.0, 30.0])
def test_edges_are_where_statistics_allows(rng, ratio):
    """The error of a change point is a few (noise/step)^2 samples (Hinkley 1970)."""
    errors = []
    for _ in range(20):
        x = np.repeat([0.0, ratio, 0.0], [4000, 8000, 8000]) + rng.standard_normal(20_000)
        errors.append(np.abs(find_plateaus(x, 2e4).edges - [4000, 12_000]))
    assert np.median(errors) <= 6 / ratio**2
    assert np.max(errors) <= 75 / ratio**2 + 1


def test_no_edges_in_noise(rng):
    found = [find_changes(rng.standard_normal(20_000), 2e4, 0.0) for _ in range(30)]
    assert sum(c.edges.size + len(c.varying) for c in found) == 0


def test_spikes_in_a_recorded_current_are_bridged(rng):
    """Biphasic disturbances of 3 ms, twice as tall as the step, are no edges."""
    x = np.repeat([0.0, 100.0, 0.0], [2000, 10_000, 3000]) + rng.standard_normal(15_000)
    for at in range(2300, 11_800, 700):
        x[at : at + 15] -= 200 * np.hanning(15)
        x[at + 15 : at + 30] += 200 * np.hanning(15)
    cut = find_plateaus(x, 1e4)
    assert np.abs(cut.edges - [2000, 12_000]).max() <= 2
    assert cut.transients == 14


@pytest.mark.parametrize(
    ("family", "wave"),
    [
        ("ramp", lambda t: 30 * t),
        ("ramp", lambda t: 30 - 60 * np.abs(t - 0.5)),
        ("sine", lambda t: 20 * np.sin(2 * np.pi * 7 * t)),
        ("chirp", lambda t: 20 * np.sin(2 * np.pi * (1 + 20 * t) * t)),
        ("chirp", lambda t: 20 * np.sin(2 * np.pi * 10 * (np.exp(2 * t) - 1))),
        ("arbitrary", lambda t: 50 * np.exp(-6 * t)),
    ],
)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_shapes(family, wave, noise, rng):
    t = np.arange(20_000) / 2e4
    assert shape_of(wave(t) + noise * rng.standard_normal(t.size), 2e4).family == family
