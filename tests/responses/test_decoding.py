"""Decoding: chance without tuning, far above with it, and the leak of a random split."""

import numpy as np
import pandas as pd
import pytest

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.responses import (
    LeakWarning,
    decode,
    dprime,
    dprime_matrix,
    embed,
    image_blocks,
    response_dprime,
)

pytest.importorskip("sklearn")


def session(rng, tuning, n_cells=20, n_blocks=96, length=6):
    """Eight images in blocks; cells share slow drift within a block."""
    labels = np.repeat(rng.permutation(np.arange(n_blocks) % 8), length)
    blocks = np.repeat(np.arange(n_blocks), length)
    drift = np.cumsum(rng.normal(size=(n_cells, labels.size)), axis=1) * 0.1
    preferred = rng.normal(size=(n_cells, 8))
    noise = rng.normal(size=(n_cells, labels.size))
    return tuning * preferred[:, labels] + drift + noise, labels, blocks


def test_untuned_cells_are_at_chance_and_tuned_ones_far_above(rng):
    responses, labels, blocks = session(rng, 0.0)
    found = decode(responses, labels, blocks)
    # 96 blocks are the independent trials: SD of chance is 0.034
    assert found.balanced_accuracy < 0.125 + 3 * 0.034
    with pytest.warns(LeakWarning, match="leaks: untuned cells decode above chance"):
        leaky = decode(responses, labels, blocks, split="random")
    assert leaky.balanced_accuracy > 0.125 + 4 * 0.014  # the SD of 576 single trials
    tuned = decode(*session(rng, 1.0))
    assert tuned.balanced_accuracy > 0.8
    assert "Decoding by block" in repr(tuned)


def test_no_block_is_in_two_folds(rng):
    responses, labels, blocks = session(rng, 0.5, n_blocks=24)
    found = decode(responses, labels, blocks, n_folds=5)
    assert found.fold.max() == 2  # three blocks of each image: three folds
    for block in np.unique(blocks):
        assert np.unique(found.fold[blocks == block]).size == 1
    np.testing.assert_allclose(found.confusion.sum(axis=1), 1)
    assert found.accuracy == pytest.approx((found.true == found.predicted).mean())


def test_the_p_value_exchanges_blocks(rng):
    options = {"number_of_shuffles": 9, "n_folds": 3}
    tuned = decode(*session(rng, 1.0, n_cells=10, n_blocks=32, length=4), **options)
    assert tuned.p_value == pytest.approx(1 / 10)
    untuned = decode(*session(rng, 0.0, n_cells=10, n_blocks=32, length=4), **options)
    assert untuned.p_value > 1 / 10


def test_names_as_labels_and_trials_without_a_response(rng):
    responses, labels, blocks = session(rng, 1.0, n_cells=10, n_blocks=32, length=4)
    responses[3, 7] = np.nan
    found = decode(responses, np.array([f"im{k}" for k in labels]), blocks)
    assert found.labels.tolist() == [f"im{k}" for k in range(8)]
    assert found.true.size == labels.size - 1
    assert found.notes == ("1 trials without a response of every cell were left out",)


def test_wrong_input(rng):
    responses, labels, blocks = session(rng, 0.0, n_cells=3, n_blocks=16, length=2)
    with pytest.raises(InputError, match="needs blocks"):
        decode(responses, labels)
    with pytest.raises(InputError, match="needs two labels"):
        decode(responses, np.zeros_like(labels), blocks)
    with pytest.raises(InputError, match="label 0 has one block only"):
        decode(responses, labels, np.where(labels == 0, 0, blocks + 1))
    with pytest.raises(InputError, match="one label and one block for each"):
        decode(responses.T, labels, blocks)
    with pytest.raises(InputError, match="no trial has a response"):
        decode(np.full_like(responses, np.nan), labels, blocks)
    with pytest.raises(UnknownNameError, match="did you mean 'block'"):
        decode(responses, labels, blocks, split="blocks")


def test_blocks_pass_over_omissions():
    table = pd.DataFrame(
        {
            "image_name": ["omitted", "a", "a", "omitted", "a", "b", "omitted", "a"],
            "omitted": pd.array(
                [True, False, pd.NA, True, False, False, True, False], "boolean"
            ),
        }
    )
    assert image_blocks(table).tolist() == [0, 0, 0, 0, 0, 1, 1, 2]
    assert image_blocks(table.iloc[:0]).size == 0
    with pytest.raises(UnknownNameError, match="unknown column 'image'"):
        image_blocks(table, "image")


def test_dprime_of_known_distributions(rng):
    first, second = rng.normal(1.5, 2.0, (3, 20_000)), rng.normal(0.5, 2.0, (3, 20_000))
    np.testing.assert_allclose(response_dprime(first, second), 0.5, atol=0.03)
    matrix, kinds = dprime_matrix(
        np.concatenate([first, second], axis=1), np.repeat(["b", "a"], 20_000)
    )
    assert kinds.tolist() == ["a", "b"]
    np.testing.assert_allclose(matrix[:, 1, 0], response_dprime(first, second))
    np.testing.assert_allclose(matrix[:, 0, 1], -matrix[:, 1, 0])
    assert np.isnan(response_dprime([[1.0]], [[1.0, 2.0]])).all()
    assert np.isnan(response_dprime([[1.0, 1.0]], [[2.0, 2.0]])).all()
    assert response_dprime([[2.0, 3, 4, np.nan]], [[0.0, 1, 2]]).tolist() == [2.0]


def test_dprime_of_rates():
    assert dprime(0.8413447, 0.1586553) == pytest.approx(2.0, abs=1e-5)
    assert np.isneginf(dprime(0.0, 0.5))
    assert dprime(1.0, 0.0, n_go=10, n_catch=10) == pytest.approx(2 * 1.6448536)
    with pytest.raises(InputError, match="hit_rate must lie between 0 and 1"):
        dprime(1.2, 0.5)


@pytest.mark.parametrize(
    "method",
    [
        "pca",
        pytest.param("tsne", marks=pytest.mark.slow),
        pytest.param("umap", marks=pytest.mark.slow),
    ],
)
def test_views_keep_two_groups_apart_and_repeat_themselves(rng, method):
    pytest.importorskip({"umap": "umap"}.get(method, "sklearn"))
    x = rng.normal(size=(60, 12))
    x[:30] += 6
    x[5, 2] = np.nan
    places = embed(x, method)
    assert np.isnan(places[5]).all()
    known = np.isfinite(places[:, 0])
    gap = np.linalg.norm(np.nanmean(places[:30], axis=0) - places[30:].mean(axis=0))
    spread = np.linalg.norm(places[30:] - places[30:].mean(axis=0), axis=1).mean()
    assert gap > 1.5 * spread
    np.testing.assert_array_equal(places[known], embed(x, method)[known])


def test_views_of_nothing():
    with pytest.raises(InputError, match="three complete rows"):
        embed(np.zeros((10, 3)))
    with pytest.raises(UnknownNameError, match="did you mean 'tsne'"):
        embed(np.zeros((10, 3)), "t-sne")
