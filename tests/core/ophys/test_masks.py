"""Sparse masks: dense pictures are the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from cleo_like.core import InputError, RoiMasks

IMAGES = npst.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(1, 7)),
    elements=st.sampled_from([0.0, 0.0, 0.25, 1.0, -0.5]),
)


@settings(max_examples=60)
@given(images=IMAGES)
def test_dense_pictures_come_back(images):
    masks = RoiMasks.from_images(images)
    assert np.array_equal(masks.to_images(), images)
    assert np.array_equal(masks.area, (images != 0).sum(axis=(1, 2)))
    frame = np.arange(images[0].size if len(images) else 1.0)
    if len(images):
        assert np.allclose(masks.to_matrix() @ frame, images.reshape(len(images), -1) @ frame)
    assert RoiMasks.from_pixels(masks.shape, [masks[i] for i in range(len(masks))]) == masks


def test_the_order_of_pixels_and_weights_of_zero_do_not_matter():
    left = RoiMasks.from_pixels((8, 9), [([2, 1], [3, 8], [0.5, 1]), ([7], [8])])
    right = RoiMasks.from_pixels((8, 9), [([1, 5, 2], [8, 5, 3], [1, 0, 0.5]), ([7], [8], [1])])
    assert left == right
    assert left != RoiMasks.from_pixels((8, 9), [([7], [8]), ([2, 1], [3, 8], [0.5, 1])])


def test_places_of_rois():
    masks = RoiMasks.from_pixels((20, 30), [([2, 4], [10, 10], [1, 3]), ([], []), ([19], [29])])
    assert masks.centroids[0].tolist() == [3.5, 10]
    assert np.isnan(masks.centroids[1]).all()
    assert masks.boxes.tolist() == [[2, 10, 3, 1], [0, 0, 0, 0], [19, 29, 1, 1]]
    assert masks.select([2, 0]).boxes.tolist() == [[19, 29, 1, 1], [2, 10, 3, 1]]
    assert masks.select([True, False, False])[0][1].tolist() == [10, 10]


def test_volumes():
    masks = RoiMasks.from_pixels((3, 4, 5), [([2], [3], [4], [0.5]), ([0, 1], [1, 1], [2, 2])])
    assert masks.to_images().shape == (2, 3, 4, 5)
    assert masks.to_images()[0, 2, 3, 4] == 0.5
    assert masks.centroids[1].tolist() == [0.5, 1, 2]
    assert RoiMasks.from_images(masks.to_images()) == masks
    assert "planes x height x width" in repr(masks)


@pytest.mark.parametrize("pixel", [(7, 9), (8, 8), (-1, 0), (0, -1)])
def test_a_pixel_outside_the_frame_is_refused(pixel):
    y, x = pixel
    with pytest.raises(
        InputError, match=rf"ROI 1 .*\(y={y}, x={x}\) outside the frame of 8 x 9"
    ):
        RoiMasks.from_pixels((8, 9), [([7], [8]), ([y], [x])])


def test_pixels_on_the_edge_are_inside():
    assert len(RoiMasks.from_pixels((8, 9), [([0, 7], [0, 8])])[0][0]) == 2


@pytest.mark.parametrize(
    ("rois", "message"),
    [
        ([([1, 1], [2, 2])], r"ROI 0 has the pixel \(y=1, x=2\) twice"),
        ([([1], [2], [np.nan])], "ROI 0 has a weight that is not finite"),
        ([([1.5], [2])], "whole numbers"),
        ([([1], [2, 3])], r"ROI 0 must be \(y, x\) or \(y, x, weight\)"),
    ],
)
def test_wrong_masks_are_refused(rois, message):
    with pytest.raises(InputError, match=message):
        RoiMasks.from_pixels((8, 9), rois)


def test_wrong_sizes_are_refused():
    with pytest.raises(InputError, match="counts add to 3 pixels"):
        RoiMasks(shape=(4, 4), counts=[3], y=[1], x=[1], weight=[1])
    with pytest.raises(InputError, match="belong to a volume"):
        RoiMasks(shape=(4, 4), counts=[1], y=[1], x=[1], weight=[1], z=[0])
    with pytest.raises(InputError, match=r"\(height, width\)"):
        RoiMasks.from_pixels((4,), [])
    with pytest.raises(InputError, match="3 ROIs, so none has the number 3"):
        _ = RoiMasks.from_pixels((4, 4), [([1], [1])] * 3)[3]


def test_no_rois_are_legal():
    masks = RoiMasks.from_images(np.zeros((0, 4, 5)))
    assert (len(masks), masks.to_images().shape, masks.centroids.shape) == (
        0,
        (0, 4, 5),
        (0, 2),
    )
    assert masks == RoiMasks.from_pixels((4, 5), [])
