"""Frames: the same bits in any order, by any thread, with and without a compiler."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core import FrameSource, InputError, UnsupportedError
from cleo_like.core.errors import UnknownNameError
from cleo_like.imaging.movie import kernels as kernel_room
from cleo_like.imaging.movie.kernels import kernels
from cleo_like.imaging.movie.kernels.arrays import random_bits
from cleo_like.imaging.movie.kernels.tables import STAGES, frame_key, make_tables, stream


def test_any_order_slices_and_threads_give_the_same_bits(everything):
    movie = everything()
    whole = movie[:]
    assert whole.dtype == movie.dtype == np.int16
    assert whole.shape == movie.shape
    np.testing.assert_array_equal(everything(threads=3)[:], whole)
    np.testing.assert_array_equal(np.concatenate([movie[:7], movie[7:8], movie[8:]]), whole)
    np.testing.assert_array_equal(movie[50:10:-3], whole[50:10:-3])
    np.testing.assert_array_equal(movie[-1], whole[-1])
    np.testing.assert_array_equal(everything()[33:35], whole[33:35])
    assert not np.array_equal(everything(seed=6)[0], whole[0])
    assert movie[5:5].shape == (0, 64, 80)


def test_numpy_and_numba_give_the_same_bits(everything):
    pytest.importorskip("numba")
    one, two = everything(backend="numba"), everything(backend="numpy")
    np.testing.assert_array_equal(one[:9], two[:9])
    np.testing.assert_array_equal(one.photons[:9], two.photons[:9])
    np.testing.assert_array_equal(one.clipped, two.clipped)


def test_a_backend_that_is_not_there(monkeypatch):
    with pytest.raises(UnknownNameError, match="did you mean 'numba'"):
        kernels("nunba")
    monkeypatch.setattr(kernel_room, "find_spec", lambda name: None)
    assert kernels().name == "numpy"
    with pytest.raises(UnsupportedError, match=r"cleo_like\[movie\]"):
        kernels("numba")


def test_a_movie_is_a_frame_source(everything):
    movie = everything(threads=1)
    assert isinstance(movie, FrameSource)
    assert isinstance(movie.photons, FrameSource)
    assert len(movie.times) == movie.shape[0] == len(movie) == sum(1 for _ in movie)
    assert movie.pixel_size == (1.5e-6, 1.5e-6)
    assert repr(movie) == (
        "Movie: 60 frames of 64 x 80 pixels (height x width), int16, at 30 Hz"
    )
    with pytest.raises(IndexError, match="60 frames"):
        movie[60]
    with pytest.raises(InputError, match="by number or slice"):
        movie[1, 2]


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("rate", [0.0005, 0.3, 4.0, 63.9, 64.1, 300.0])
def test_photons_are_poisson(name, rate):
    if name == "numba":
        pytest.importorskip("numba")
    tables, frame = make_tables(0.0), np.full((256, 256), rate, np.float32)
    counts = np.empty((4, 256, 256), np.float32)
    for k, out in enumerate(counts):
        numbers = (np.float32(1), np.float32(0), np.float32(0))
        kernels(name).detect(out, frame, frame_key(3, 0, k), tables, numbers)
    n = counts.size
    assert counts.mean() == pytest.approx(rate, abs=4 * np.sqrt(rate / n))
    spread = rate * np.sqrt(2 / n + 1 / (rate * n))
    assert counts.astype(float).var() == pytest.approx(rate, abs=4 * spread + 0.0015 * rate)
    expected_skew = rate**-0.5
    skew = ((counts - counts.mean(dtype=float)) ** 3).mean() / counts.std(dtype=float) ** 3
    assert skew == pytest.approx(expected_skew, abs=0.02 + 0.2 * (rate < 0.01) * expected_skew)


def test_the_probability_of_each_count_is_that_of_poisson():
    from scipy.stats import chisquare, poisson

    tables, frame = make_tables(0.0), np.full((512, 512), 2.7182, np.float32)
    out = np.empty_like(frame)
    kernels("auto").detect(
        out, frame, frame_key(1, 0, 0), tables, (np.float32(1), np.float32(0), np.float32(0))
    )
    seen = np.bincount(out.astype(int).ravel(), minlength=12)
    wanted = poisson.pmf(np.arange(11), frame[0, 0]) * frame.size
    both = np.append(seen[:11], seen[11:].sum()), np.append(wanted, frame.size - wanted.sum())
    assert chisquare(*both).pvalue > 1e-3


def test_pulses_have_the_mean_and_spread_of_the_detector():
    tables = make_tables(0.5)
    n = np.arange(64)
    np.testing.assert_allclose(tables.heights.mean(axis=1), n, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tables.heights.var(axis=1), 0.25 * n, rtol=1e-4)
    # a sum of exponential pulses is a gamma distribution: its median, for three of them
    assert np.median(make_tables(1.0).heights[3]) == pytest.approx(2.674, abs=0.01)


@settings(max_examples=20)
@given(st.integers(0, 2**63), st.integers(0, 100), st.integers(0, 10**6))
def test_bits_of_frames_are_random(seed, plane, frame):
    bits = random_bits(frame_key(seed, plane, frame), 4096)
    ones = np.unpackbits(bits.view(np.uint8)).mean()
    assert abs(ones - 0.5) < 0.006  # 6 standard deviations
    other = random_bits(frame_key(seed, plane, frame + 1), 4096)
    equal = np.unpackbits((bits ^ other).view(np.uint8)).mean()
    assert abs(equal - 0.5) < 0.006


def test_stages_have_streams_of_their_own():
    first = {stage: stream(1, stage).random() for stage in STAGES}
    assert len(set(first.values())) == len(STAGES)
