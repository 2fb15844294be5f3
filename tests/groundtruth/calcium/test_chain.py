"""Spikes, indicator, noise and artefacts of imaging cases, each against what was asked for."""

import attrs
import numpy as np
import pytest

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.groundtruth import load_cases, parse_cases
from cleo_like.groundtruth.calcium.chain import counts_of, image
from cleo_like.groundtruth.calcium.known import Known
from cleo_like.groundtruth.calcium.trains import REGIMES, trains
from cleo_like.groundtruth.cases.calcium_factors import FACTORS
from cleo_like.imaging.calibrated import calibrated_indicator
from cleo_like.responses.calcium import noise_std


def case(**given):
    text = "modality = 'calcium'\nseeds = 1\n[[block]]\nname = 'b'\n"
    (one,) = parse_cases(text).cases
    factors = dict(one.factors) | {"cells": 12.0, "duration": 40.0} | given
    return attrs.evolve(one, factors=factors)


QUIET = {"noise": 0.0, "drift": "none", "bursts": "none"}


def test_the_shipped_studies():
    quick, full = load_cases("calcium_quick"), load_cases("calcium_full")
    assert {c.modality for c in (*quick.cases, *full.cases)} == {"calcium"}
    assert len({c.key for c in quick.cases}) <= 150
    for plan in (quick, full):
        screen = next(b for b in plan.blocks if b.name == "screen")
        assert screen.design.estimable
        assert screen.design.efficiency > 0.9
    assert min(len({c.seed for c in b.cases}) for b in full.blocks) >= 8
    assert len({c.factors["indicator"] for c in full.cases}) >= 12


@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        ("indicator = ['gcamp9']", UnknownNameError, "gcamp9"),
        ("noise = [0, -1]", InputError, "0 to 100"),
        ("drift = ['big']", UnknownNameError, "big"),
        ("cell = ['rs']", UnknownNameError, "factor in block"),
    ],
)
def test_wrong_factors(line, error, said):
    with pytest.raises(error, match=said):
        parse_cases(f"modality = 'calcium'\n[[block]]\nname = 'b'\n[block.factors]\n{line}\n")


@pytest.mark.parametrize("regime", REGIMES)
def test_regimes_have_their_rates_and_bursts(regime, rng):
    kind = REGIMES[regime]
    times, cells = trains(regime, np.full(300, kind.rate), 0.0, 200.0, rng)
    assert times.size / 300 / 200 == pytest.approx(kind.rate * kind.spikes, rel=0.05)
    gaps = np.diff(times)[np.diff(cells) == 0]
    assert (gaps >= 0).all()
    inside = (gaps < 0.05).mean()
    chance = 1 - np.exp(-0.05 * kind.rate)
    expected = 1 - 1 / kind.spikes if kind.spikes > 1 else chance
    assert inside == pytest.approx(expected, abs=0.04)


def test_a_spike_at_the_end_of_a_frame_is_in_it():
    frames = np.arange(1, 4) / 10
    times = np.array([0.0, 1e-9, 0.1, 0.1 + 1e-9, 0.3, 0.3 + 1e-9])
    assert counts_of(times, np.zeros(6, int), 1, frames).tolist() == [[2, 1, 1]]


def test_without_noise_it_is_the_indicator_itself():
    made = image(case(indicator="jgcamp8m", regime="sparse", **QUIET))
    model = calibrated_indicator("jgcamp8m")
    single = np.flatnonzero(made.counts.sum(axis=1) == 1)
    fires = made.counts.sum(axis=1) > 0
    assert (made.dff[fires].max(axis=1) > 0.1).all()
    assert made.dff.min() >= 0
    assert (made.noise_sd == 0).all()
    peak = model.single_spike().peak
    for k in single:  # gain is the only thing that is left
        gain = made.dff[k].max() / peak
        assert 0.2 < gain < 3


def test_the_same_seed_gives_the_same_and_another_seed_other_spikes_of_the_same_cells():
    one = case()
    a, b = image(one), image(one)
    assert np.array_equal(a.dff, b.dff)
    assert np.array_equal(a.counts, b.counts)
    c = image(attrs.evolve(one, seed=1))
    assert not np.array_equal(a.counts, c.counts)
    assert np.array_equal(a.noise_sd, c.noise_sd)  # of the cell


@pytest.mark.parametrize("rate", [10.0, 30.0])
def test_photons_make_shot_noise(rate):
    made = image(case(
        regime="sparse", frame_rate=rate, photons=400.0, noise=0.0, drift="none",
        indicator="gcamp6f_pv", gain_and_noise="joint",
    ))  # fmt: skip
    found = noise_std(made.dff)
    np.testing.assert_allclose(found, made.noise_sd, rtol=0.15)
    assert np.median(found) == pytest.approx(1 / np.sqrt(400 * 30 / rate), rel=0.15)


def test_white_noise_is_of_the_size_of_the_coloured():
    kinds = {
        c: image(case(noise_colour=c, regime="sparse", indicator="gcamp6f_pv", drift="none",
                      duration=400.0)).dff
        for c in ("white", "recorded")
    }  # fmt: skip
    sd = {c: np.median(y.std(axis=1)) for c, y in kinds.items()}
    assert sd["white"] == pytest.approx(sd["recorded"], rel=0.1)
    white, coloured = (
        np.median([np.corrcoef(y[:-30], y[30:])[0, 1] for y in kinds[c]])
        for c in ("white", "recorded")
    )
    assert abs(white) < 0.05
    assert coloured > 0.3


def test_drift_neuropil_and_motion_do_what_they_say():
    base = {"regime": "bursty", "noise": 0.0, "bursts": "none", "drift": "none"}
    still = image(case(**base)).dff
    drift = image(case(**base | {"drift": "strong"})).dff - still
    assert 0.2 < np.median(drift.std(axis=1)) / Known.of("gcamp6f").peak < 3
    assert np.abs(np.diff(drift, axis=1)).max() < 0.3 * drift.std()  # slow
    neuropil = image(case(**base, neuropil=0.5)).dff - still
    share = neuropil.std(axis=1) / still.std(axis=1)
    np.testing.assert_allclose(share, 0.5, rtol=1e-6)
    assert np.corrcoef(neuropil).min() > 0.999  # common to the field
    moved = (image(case(**base, motion=0.1)).dff + 1) / (still + 1) - 1
    assert 0.05 < (np.abs(moved) > 1e-9).mean() < 0.5  # a fifth of the time
    assert 0.02 < moved.std() < 0.1


def test_bursts_and_cells_differ_as_asked():
    spread = {}
    for bursts in ("none", "strong"):
        made = image(case(regime="sparse", noise=0.0, drift="none", bursts=bursts,
                          indicator="jgcamp8m", duration=300.0))  # fmt: skip
        alone = [
            np.std(np.log(y[c == 1][y[c == 1] > 0]))
            for y, c in zip(made.dff, made.counts, strict=True)
            if (c == 1).sum() > 5
        ]
        spread[bursts] = np.median(alone)
    assert spread["strong"] > spread["none"] + 0.1


def test_what_a_user_knows_of_an_indicator():
    """An indicator whose response is one exponential has that decay; kernels are causal means."""
    for name in ("gcamp6f", "gcamp6s", "jgcamp8m"):
        known = Known.of(name)
        kernel = known.kernel(200.0)
        t = np.arange(kernel.size) / 200.0
        best = np.exp(-t / known.tau)
        for other in (0.8, 1.25):  # the least squares are at tau
            worse = np.exp(-t / (other * known.tau))
            assert _left(kernel, best) <= _left(kernel, worse) + 1e-9
        assert kernel.max() == pytest.approx(known.peak, rel=0.02)
        assert known.kernel(400.0).sum() == pytest.approx(2 * kernel.sum(), rel=0.02)
    assert Known.of("gcamp6s").tau > 2 * Known.of("gcamp6f").tau > 3 * Known.of("jgcamp8m").tau


def _left(y, shape):
    return y @ y - (shape @ y) ** 2 / (shape @ shape)


def test_factors_say_what_they_are():
    assert all(f.meaning for f in FACTORS.values())
