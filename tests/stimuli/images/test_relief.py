"""Reliefs of a passive cell, for which the answer is known."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from numpy.testing import assert_allclose
from skimage import data

from cleo_like import Sweep
from cleo_like.core.errors import InputError
from cleo_like.stimuli import from_image, long_square, relief
from cleo_like.stimuli.images.similarity import correlation, ssim

# Correlation and SSIM of pictures of 48 x 64 on a cell of 200 MOhm and 20 ms, +-10 pA,
# 0.2 mV of noise within 2 kHz, measured independently (another simulator and program)
PUBLISHED = [
    ("coins", "0.5 s", None, 0.797, 0.663),
    ("coins", "1 s", None, 0.877, 0.790),
    ("coins", "2 s", None, 0.941, 0.896),
    ("camera", "1 s", None, 0.960, 0.757),
    ("camera", "2 s", None, 0.981, 0.855),
    ("coins", "0.5 s", "100 Hz", 0.993, 0.985),
    ("coins", "1 s", "100 Hz", 0.995, 0.990),
    ("camera", "1 s", "100 Hz", 0.998, 0.971),
]


@pytest.mark.parametrize("case", PUBLISHED, ids=str)
def test_fidelity_on_a_passive_cell(play, case):
    name, duration, low_pass, r, similarity = case
    emphasis = {} if low_pass is None else {"tau": "20 ms", "low_pass": low_pass}
    protocol = from_image(
        getattr(data, name)(), duration, "10 kHz", rows=48, columns=64,
        percentiles=(0, 100), **emphasis,
    )  # fmt: skip
    found = relief(play(protocol, noise=0.2e-3))
    assert found.correlation == pytest.approx(r, abs=0.02)
    assert found.ssim == pytest.approx(similarity, abs=0.02)


def test_delay_explains_about_half_of_what_a_direct_picture_loses(play, test_card):
    protocol = from_image(test_card, "1 s", "10 kHz")
    found = relief(play(protocol, noise=0.2e-3))
    assert found.lag == pytest.approx(14e-3, abs=3e-3)
    assert 1 - found.best.correlation < 0.6 * (1 - found.correlation)
    emphasised = relief(play(from_image(test_card, "1 s", "10 kHz", tau="20 ms"), noise=0.2e-3))
    assert emphasised.correlation > found.best.correlation
    assert emphasised.lag < 1e-3


def test_an_ohmic_cell_draws_the_picture_exactly(play, test_card):
    protocol = from_image(test_card, "0.64 s", "10 kHz", interpolation="hold")
    found = relief(play(protocol, tau=1e-7))  # one sample later, 200 MOhm
    at = found.best
    assert at.lag == pytest.approx(1e-4)
    assert_allclose(
        at.voltage, -0.07 + 2e8 * (-10e-12 + 20e-12 * protocol.picture), rtol=0, atol=1e-9
    )
    assert at.correlation == pytest.approx(1.0, abs=1e-9)
    assert at.ssim == pytest.approx(1.0, abs=1e-9)
    assert at.rmse < 1e-9
    assert found.row_correlation == pytest.approx(np.ones(48), abs=0.02)


def test_a_delay_in_the_recording_is_found(play, test_card):
    protocol = from_image(test_card, "0.64 s", "10 kHz")
    late = play(protocol, tau=1e-7)
    sweeps = [attrs.evolve(s, response=np.roll(s.response, 77)) for s in late.sweeps]
    found = relief(attrs.evolve(late, sweeps=sweeps))
    assert found.lag == pytest.approx(7.8e-3)  # and the sample of the recursion


def test_rmse_is_the_noise_where_there_is_nothing_else(play, test_card):
    # the linear picture leaves its own blur, so compare with and without noise
    protocol = from_image(test_card, "0.64 s", "10 kHz", interpolation="hold")
    found = relief(play(protocol, tau=1e-7, noise=2e-3))
    # white to 2 kHz, averaged over 10 ms: 2 mV / sqrt(2 * 2 kHz * 10 ms)
    assert found.best.rmse * 1e3 == pytest.approx(2 / np.sqrt(40), rel=0.05)


def test_columns_need_not_divide_the_samples(play):
    # 1000 samples in 7 columns: a sample on an edge counts for both sides by its share
    picture = np.random.default_rng(0).random((3, 7))
    protocol = from_image(picture, "100 ms", "10 kHz", interpolation="hold")
    recording = play(protocol, tau=2e-3)
    part = protocol.epoch("picture")
    response = recording.stacked().response[:, part.start : part.stop]
    fine = np.repeat(response, 7, axis=1).reshape(3, 7, 1000).mean(axis=2)
    assert_allclose(relief(recording).voltage, fine, rtol=0, atol=1e-12)


def test_a_recording_at_another_rate_is_read_by_time(play, test_card):
    protocol = from_image(test_card, "0.64 s", "10 kHz", tau="20 ms")
    slow = play(protocol)
    fast = [
        attrs.evolve(s, response=np.repeat(s.response, 5), command=None, rate=50e3)
        for s in slow.sweeps
    ]
    found = relief(attrs.evolve(slow, sweeps=fast))
    assert_allclose(found.voltage, relief(slow).voltage, rtol=0, atol=1e-12)


def test_repeats_are_averaged_and_give_a_ceiling(play, test_card):
    protocol = from_image(test_card, "0.64 s", "10 kHz")
    takes = [play(protocol, noise=10e-3, seed=k) for k in range(4)]
    found = relief(takes[0], repeats=takes[1:])
    clean = relief(play(protocol))
    single = [relief(take).voltage for take in takes]
    assert_allclose(found.voltage, np.mean(single, axis=0), rtol=0, atol=1e-12)
    assert found.repeats == 4
    pairs = [correlation(a, b) for k, a in enumerate(single) for b in single[k + 1 :]]
    assert found.repeat_correlation == pytest.approx(np.mean(pairs))
    # the ceiling is what the clean response reaches with the noisy mean
    assert found.noise_ceiling == pytest.approx(
        correlation(clean.voltage, found.voltage), abs=0.01
    )
    assert found.noise_ceiling < 0.99
    assert relief(takes[0]).noise_ceiling is None
    assert "no repeats" in relief(takes[0]).notes[0]


def test_numbers_are_those_of_the_images_given_back(play, test_card):
    found = relief(play(from_image(test_card, "0.64 s", "10 kHz"), noise=1e-3))
    for one in (found.direct, found.best):
        assert one.correlation == pytest.approx(correlation(found.picture, one.voltage))
        assert one.ssim == pytest.approx(ssim(found.picture, one.fitted))
    assert (found.voltage, found.fitted)[0] is found.direct.voltage
    assert not found.voltage.flags.writeable


def test_what_limits_the_relief_is_noted(play, test_card):
    recording = play(from_image(test_card, "0.1 s", "10 kHz"))
    spike = recording.sweeps[3].response.copy()
    spike[recording.protocol.epoch("picture").start + 5] = 0.03
    sweeps = list(recording.sweeps)
    sweeps[3] = attrs.evolve(sweeps[3], response=spike)
    assert any(
        "1 of 48 rows rise above -20 mV" in n
        for n in relief(attrs.evolve(recording, sweeps=sweeps)).notes
    )
    dead = [attrs.evolve(s, response=np.full(s.n_samples, -0.07)) for s in recording.sweeps]
    found = relief(attrs.evolve(recording, sweeps=dead))
    assert np.isnan(found.correlation)
    assert found.lag == 0
    assert any("constant" in note for note in found.notes)
    found = relief(recording, max_lag="2 ms")
    assert found.lag == pytest.approx(2e-3)
    assert any("longest that was tried" in note for note in found.notes)


def test_what_is_no_picture_recording_is_refused(play, test_card):
    recording = play(from_image(test_card, "0.1 s", "10 kHz"))
    with pytest.raises(InputError, match="knows no protocol"):
        relief(attrs.evolve(recording, protocol=None))
    with pytest.raises(InputError, match="has no picture"):
        relief(recording, long_square(["1 pA"]))
    with pytest.raises(InputError, match="has 47 sweeps but the picture has 48 rows"):
        relief(attrs.evolve(recording, sweeps=recording.sweeps[1:]))
    short = [
        attrs.evolve(s, response=s.response[:1500], command=None) for s in recording.sweeps
    ]
    with pytest.raises(InputError, match="but the picture ends at sample"):
        relief(attrs.evolve(recording, sweeps=short))
    broken = recording.sweeps[7].response.copy()
    broken[1500] = np.nan
    holes = [
        attrs.evolve(s, response=broken) if k == 7 else s
        for k, s in enumerate(recording.sweeps)
    ]
    with pytest.raises(InputError, match=r"sweep 7 .* up to sample 1500"):
        relief(attrs.evolve(recording, sweeps=holes))
    clamped = [
        Sweep(response=s.response, rate=s.rate, mode="voltage_clamp") for s in recording.sweeps
    ]
    with pytest.raises(InputError, match="voltage clamp"):
        relief(attrs.evolve(recording, sweeps=clamped))
