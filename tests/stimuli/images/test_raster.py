"""From grey values to rows and columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cleo_like.core.errors import InputError
from cleo_like.stimuli.images.raster import (
    across,
    area_average,
    reduced,
    rotated,
    subsampled,
    toned,
)


@given(
    height=st.integers(1, 40), width=st.integers(1, 40), data=st.data(), seed=st.integers(0, 99)
)
def test_averaging_is_the_box_filter_of_pillow(height, width, data, seed):
    values = np.random.default_rng(seed).random((height, width))
    rows, columns = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    ours = area_average(area_average(values, rows, axis=0), columns, axis=1)
    box = Image.fromarray(values.astype(np.float32)).resize(
        (columns, rows), Image.Resampling.BOX
    )
    if height % rows == 0 and width % columns == 0:
        blocks = values.reshape(rows, height // rows, columns, width // columns)
        assert ours == pytest.approx(blocks.mean(axis=(1, 3)), abs=1e-12)
        assert ours == pytest.approx(np.asarray(box), abs=1e-5)
    assert ours.mean() == pytest.approx(values.mean(), abs=1e-12)  # grey is kept


def test_averaging_over_shared_pixels_by_hand():
    # 3 pixels in 2 stretches of 1.5: (1 a + .5 b) / 1.5 and (.5 b + 1 c) / 1.5
    assert area_average(np.array([[3.0], [6.0], [12.0]]), 2, axis=0).ravel() == pytest.approx(
        [4.0, 10.0]
    )


def test_subsampling_takes_whole_rows():
    values = np.arange(10.0)[:, np.newaxis]
    assert subsampled(values, 5).ravel().tolist() == [1, 3, 5, 7, 9]
    assert subsampled(values, 10).ravel().tolist() == list(range(10))


@pytest.mark.parametrize("degrees", [-270, -90, 0, 90, 180, 270, 360, 450])
def test_quarter_turns_move_pixels_exactly_as_pillow_does(degrees):
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    turned = np.asarray(Image.fromarray(values).rotate(degrees, expand=True))
    assert np.array_equal(rotated(values.astype(float), degrees, 0.0), turned)


def test_other_angles_keep_the_whole_picture_on_the_background():
    turned = rotated(np.full((20, 40), 0.5), 45, 1.0)
    assert turned.shape[0] > 40
    assert turned[0, 0] == 1.0
    half = np.isclose(turned, 0.5).sum()
    assert half == pytest.approx(800, rel=0.1)  # nothing is cut off


def test_rows_and_columns_default_to_the_proportions_of_the_picture():
    big = np.zeros((300, 400))
    assert reduced(big, None, None, most_columns=10_000).shape == (48, 64)
    assert reduced(big, 12, None, most_columns=10_000).shape == (12, 16)
    assert reduced(big, 12, None, most_columns=5).shape == (12, 5)
    assert reduced(np.zeros((10, 20)), None, None, most_columns=99).shape == (10, 20)
    assert reduced(np.zeros((900, 10)), None, None, most_columns=99).shape == (48, 1)


@pytest.mark.parametrize(
    ("rows", "columns", "match"),
    [
        (31, 4, r"rows must be 1 to 30 \(the height of the picture"),
        (0, 4, "rows must be 1 to 30"),
        (4, 41, r"columns must be 1 to 40 \(the width"),
        (4, 30, r"columns must be 1 to 20 \(the samples of a row"),
    ],
)
def test_rows_and_columns_that_are_not_there_are_refused(rows, columns, match):
    with pytest.raises(InputError, match=match):
        reduced(np.zeros((30, 40)), rows, columns, most_columns=20)


def test_percentiles_keep_one_outlier_from_setting_the_scale():
    values = np.append(np.linspace(0.4, 0.6, 999), 100.0).reshape(20, 50)
    assert toned(values, (0.5, 99.5), 1.0, "normal").std() > 0.25
    assert toned(values, (0, 100), 1.0, "normal").std() < 0.05


@given(gamma=st.floats(0.1, 5), seed=st.integers(0, 99))
def test_gamma_and_polarity(gamma, seed):
    values = np.random.default_rng(seed).random((4, 5))
    linear = toned(values, (0, 100), 1.0, "normal")
    assert linear.min() == 0
    assert linear.max() == 1
    assert toned(values, (0, 100), gamma, "normal") == pytest.approx(linear**gamma)
    inverted = toned(values, (0, 100), gamma, "inverted")
    assert inverted == pytest.approx(1 - linear**gamma)


@pytest.mark.parametrize(
    ("values", "percentiles", "match"),
    [
        (np.full((3, 4), 0.7), (0, 100), "constant: every one of 3 rows x 4 columns is 0.7"),
        (
            np.eye(30),
            (5, 95),
            r"one grey between its percentiles .* use percentiles=\(0, 100\)",
        ),
    ],
)
def test_nothing_to_draw_is_an_error(values, percentiles, match):
    with pytest.raises(InputError, match=match):
        toned(values, percentiles, 1.0, "normal")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (((50, 50), 1.0, "normal"), "percentiles must be two rising numbers"),
        (((-1, 100), 1.0, "normal"), "percentiles"),
        (((0, 100), 0.0, "normal"), "gamma must be above 0"),
        (((0, 100), np.nan, "normal"), "gamma"),
        (((0, 100), 1.0, "negative"), "polarity must be 'normal' or 'inverted'"),
    ],
)
def test_tone_arguments_are_checked(arguments, match):
    with pytest.raises(InputError, match=match):
        toned(np.eye(3), *arguments)


@given(columns=st.integers(1, 30), share=st.integers(1, 20), seed=st.integers(0, 99))
def test_held_columns_come_back_exactly_by_averaging(columns, share, seed):
    picture = np.random.default_rng(seed).random((2, columns))
    held = across(picture, columns * share, "hold")
    assert area_average(held, columns, axis=1) == pytest.approx(picture, abs=1e-12)


@given(columns=st.integers(1, 30), extra=st.integers(0, 400))
def test_linear_is_numpys_interpolation_between_the_middles(columns, extra):
    picture = np.random.default_rng(columns).random((1, columns))
    count = columns + extra
    at = (np.arange(count) + 0.5) / count * columns - 0.5
    expected = np.interp(at, np.arange(columns), picture[0])
    assert across(picture, count, "linear")[0] == pytest.approx(expected, abs=1e-12)


def test_unknown_interpolation_is_refused():
    with pytest.raises(InputError, match="'linear' or 'hold', got 'cubic'"):
        across(np.eye(2), 4, "cubic")
