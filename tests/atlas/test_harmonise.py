"""Scales of labs, the closed-form transport, and which features may be compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.atlas import compare
from cleo_like.atlas.columns import feature_columns, transformed
from cleo_like.atlas.harmonise import own_scale, pooled
from cleo_like.atlas.harmonise.scale import CLIP, FENCE, moments
from cleo_like.atlas.harmonise.transport import transport_matrix
from tests.atlas.conftest import lab_of


def test_transport_of_normal_distributions_is_exact(rng):
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    source = rng.normal(size=(20000, 3)) @ a
    target = rng.normal(size=(20000, 3)) @ b + 5
    matrix, mean, start = transport_matrix(source, target, ridge=0)
    moved = (source - start) @ matrix + mean
    np.testing.assert_allclose(np.cov(moved.T), np.cov(target.T), atol=1e-6)
    np.testing.assert_allclose(moved.mean(axis=0), target.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)  # the gradient of a convex function
    assert np.linalg.eigvalsh(matrix).min() > 0


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_a_scale_takes_out_unit_and_offset(seed, factor, offset):
    x = np.random.default_rng(seed).normal(size=(50, 2))
    one = own_scale(x, x, "robust", "").apply(x)
    two = own_scale(factor * x + offset, x, "robust", "").apply(factor * x + offset)
    np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.parametrize(("far", "enters"), [(FENCE - 0.1, True), (FENCE + 0.1, False)])
def test_the_fence(far, enters):
    x = np.concatenate([np.linspace(-1, 1, 2001), [0.0]])[:, None]
    low, high = np.percentile(x, [25, 75])
    x[-1] = far * (high - low) / 1.349
    clean = moments(x[:-1])[0]
    assert (moments(x)[0] != pytest.approx(clean, abs=1e-6)) == enters


def test_scaled_values_end_at_the_clip():
    x = np.linspace(-1, 1, 100)[:, None]
    scale = pooled(x, "robust", "")
    assert scale.apply(np.array([[1e9], [-1e9], [np.nan]]))[:2, 0].tolist() == [CLIP, -CLIP]
    assert np.isnan(scale.apply(np.array([[np.nan]])))


def test_a_feature_without_spread_stays_harmless():
    x = np.column_stack([np.full(30, 3.0), np.arange(30.0)])
    assert np.isfinite(pooled(x, "robust", "").apply(x)).all()


def test_no_logarithm_is_missing():
    out = transformed(np.array([[0.0, -1.0], [10.0, 2.0]]), ["log10", "linear"])
    assert np.isnan(out[0, 0])
    assert out[1].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "factor", "offset", "says"),
    [
        ("input_resistance", 1e-3, 0, "GOhm for MOhm"),
        ("tau", 1e3, 0, "ms for s"),
        ("sag", 1, 1, "a ratio of peak to steady state"),
        ("v_baseline", 1e-3, 0, "V for mV"),
    ],
)
def test_another_unit_is_caught(rng, name, factor, offset, says):
    values = {
        "input_resistance": rng.lognormal(5, 0.4, 60),
        "tau": rng.lognormal(-4, 0.3, 60),
        "sag": rng.uniform(0.02, 0.4, 60),
        "v_baseline": rng.normal(-70, 4, 60),
    }[name]
    found = compare(
        pd.DataFrame({name: values}), pd.DataFrame({name: values * factor + offset})
    )
    assert found.table.loc[0, "verdict"] == "no"
    assert says in found.table.loc[0, "reason"]
    assert found.features == ()
    fine = compare(pd.DataFrame({name: values}), pd.DataFrame({name: values * 1.2}))
    assert fine.features == (name,)


def test_definitions_and_shapes_are_said(rng):
    one = pd.DataFrame(
        {"tau": rng.lognormal(-4, 0.3, 80), "v_baseline": rng.normal(-70, 3, 80)}
    )
    two = pd.DataFrame(
        {"tau": rng.lognormal(-4, 0.3, 80), "v_baseline": rng.choice([-80.0, -79.9, -40], 80)}
    )
    one.attrs["definitions"] = {"tau": "fit of one exponential"}
    two.attrs["definitions"] = {"tau": "time to 63 %"}
    table = compare(one, two).table.set_index("feature")
    assert table.loc["tau", "verdict"] == "careful"
    assert "time to 63 %" in table.loc["tau", "reason"]
    assert "shape" in table.loc["v_baseline", "reason"]
    assert "tau" in str(compare(one, two))


def test_features_of_a_map_are_chosen(rng):
    cells = lab_of(rng, "a", {"Sst": 30}).assign(
        ap_mean_width_0_long_square=1e-3, hero_amp=1.0, wildness=2.0
    )
    assert feature_columns(cells) == (
        "input_resistance", "tau", "v_baseline", "ap_1_width_0_long_square",
    )  # fmt: skip
    cells.loc[:4, "tau"] = np.nan  # 5 of 30 missing: more than a tenth
    assert "tau" not in feature_columns(cells)


@pytest.mark.parametrize(
    ("draw", "cells", "flagged"),
    [
        (lambda rng, n: rng.normal(3, 2, n), 10, (0, 1)), (lambda rng, n: rng.normal(3, 2, n), 400, (0, 1)),
        (lambda rng, n: rng.standard_t(5, n), 400, (0, 1)),
        (lambda rng, n: np.where(rng.random(n) < 0.5, -3, 3) + rng.normal(0, 0.3, n), 400, (20, 20)),
        (lambda rng, n: np.where(rng.random(n) < 0.5, -3, 3) + rng.normal(0, 0.3, n), 10, (0, 4)),
        (lambda rng, n: np.exp(rng.normal(0, 1, n)), 400, (20, 20)),
    ],
)  # fmt: skip
def test_another_shape_is_told_from_another_place_and_spread(rng, draw, cells, flagged):
    """Against a normal: offset and spread alone are no other shape, nor is chance."""
    found = 0
    for _ in range(20):
        one, two = rng.normal(-65, 4, cells), -65 + draw(rng, cells)
        made = compare(pd.DataFrame({"v_baseline": one}), pd.DataFrame({"v_baseline": two}))
        found += "differ in shape" in made.table.loc[0, "reason"]
        assert made.table.loc[0, "verdict"] != "no"
    assert flagged[0] <= found <= flagged[1]
