"""One imaging plane of everything, with known contents; no frame is square."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd
import pytest

from cleo_like.core import (
    ArrayFrames,
    ImagingExperiment,
    ImagingPlane,
    ImagingTruth,
    Motion,
    Provenance,
    RoiMasks,
    Subject,
    Traces,
)

N, HEIGHT, WIDTH, ROIS = 90, 24, 32, 4
TIMES = 0.25 + np.arange(N) / 30


def make_masks(rois: int = ROIS) -> RoiMasks:
    """Three pixels each, weights 1 and 0.5."""
    return RoiMasks.from_pixels(
        (HEIGHT, WIDTH),
        [([3 + i, 4 + i, 4 + i], [5, 5, 6 + i], [1, 0.5, 1]) for i in range(rois)],
    )


def make_traces(rng: np.random.Generator, quantity: str, rois: int = ROIS, **given) -> Traces:
    """Noise of float32 with a table of every type of column."""
    columns = {
        "id": np.arange(rois) * 10 + 7,
        "depth": np.linspace(1e-6, 9e-6, rois),
        "kind": np.array(["pv", "sst", "emx1", "vip"][:rois]),
        "valid": np.arange(rois) % 3 > 0,
        "iscell": rng.random((rois, 2)),
    }
    return Traces(
        **{
            "fluorescence": rng.normal(size=(rois, N)).astype(np.float32),
            "times": TIMES,
            "rois": columns,
            "masks": make_masks(rois),
            "quantity": quantity,
        }
        | given
    )


def make_presentations() -> pd.DataFrame:
    """Three flashes, one of them omitted, with values that are missing."""
    return pd.DataFrame(
        {
            "start_time": [0.3, 1.05, 1.8],
            "end_time": [0.55, 1.3, 2.05],
            "image_name": ["im0", "omitted", "im1"],
            "omitted": [False, True, False],
            "is_change": pd.array([True, pd.NA, False], dtype="boolean"),
            "image_index": [0, 8, 1],
            "end_frame": [15.0, np.nan, 60.0],
            "block": pd.Categorical(["a", "a", "b"]),
            "comment": pd.Series(["N/A", None, "x"], dtype=object),
            "trials_id": pd.array([3, pd.NA, 4], dtype="Int64"),
        },
        index=pd.Index([0, 1, 2], name="stimulus_presentations_id"),
    )


def make_experiment(seed: int = 0, **given) -> ImagingExperiment:
    """Everything that an experiment can hold."""
    rng = np.random.default_rng(seed)
    truth = ImagingTruth(
        spike_times=[np.sort(rng.random(i)) for i in range(ROIS)],
        fluorescence=rng.normal(size=(ROIS, N)),
        calcium=np.full((ROIS, N), np.nan),
    )
    table = make_traces(rng, "raw")

    def others(quantity: str, **more) -> Traces:
        values = rng.normal(size=(ROIS, N)).astype(np.float32)
        return attrs.evolve(table, quantity=quantity, fluorescence=values, **more)

    raw, corrected = (
        ArrayFrames(
            frames=rng.integers(0, 4000, (N, HEIGHT, WIDTH)).astype(np.uint16),
            times=TIMES,
            pixel_size=(1e-6, 2e-6),
        )
        for _ in range(2)
    )
    made = {
        "id": "e1",
        "plane": ImagingPlane(
            description="layer 2/3",
            depth=175e-6,
            location="VISp",
            rate=30.0,
            indicator="jGCaMP8s",
            excitation=920e-9,
            emission=510e-9,
            pixel_size=(1e-6, 2e-6),
            origin=(1e-3, 2e-3, 3e-3),
            device_description="resonant scanner",
            manufacturer="Thorlabs",
            model="Bergamo",
            serial_number="7",
            numerical_aperture=0.8,
        ),
        "movie": raw,
        "motion": Motion(times=TIMES, shifts=rng.normal(size=(N, 2)), corrected=corrected),
        "traces": {
            "fluorescence": table,
            "dff": others("dF/F of jGCaMP8s", truth=truth, exposure=0.01),
            "neuropil": others("ring of 10 um"),
            "events": others("OASIS", notes=("deconvolved",)),
            "filtered_events": others("half normal"),
        },
        "images": {
            "mean": rng.random((HEIGHT, WIDTH)),
            "max": rng.integers(0, 999, (HEIGHT, WIDTH)),
            "segmentation": rng.random((HEIGHT, WIDTH)) > 0.5,
            "overlay": rng.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8),
        },
        "presentations": make_presentations(),
        "templates": {
            "im0": rng.random((10, 12)),
            "im1": np.full((10, 12), np.nan, np.float32),
            "clip": rng.integers(0, 255, (5, 6, 7)).astype(np.uint8),
        },
        "subject": Subject(id="m1", species="Mus musculus", sex="F", age="P90D", genotype="wt"),
        "truth": truth,
        "truth_arrays": {
            "z": rng.normal(size=N),
            "kind": np.array([f"object {i}" for i in range(20)]),
            "line_phase": np.array(1.5),
            "neuropil_truth": rng.normal(size=(ROIS, N)),
            "vessels": rng.random((HEIGHT, WIDTH)),
            "blocks": rng.normal(size=(N, 2, 3)).astype(np.float32),
            "f0": np.array([1.0, np.nan, np.inf, 2.0]),
            "empty": np.zeros((0, 3)),
        },
        "session_id": "s1",
        "session_start": "2025-01-01T10:00:00+00:00",
        "provenance": Provenance(source="simulation", parameters={"dt": 1e-4}, seed=3),
        "notes": ("made for a test",),
    }
    return ImagingExperiment(**made | given)


@pytest.fixture(scope="module")
def experiment() -> ImagingExperiment:
    """One plane of everything."""
    return make_experiment()


@pytest.fixture(scope="module")
def written(experiment, tmp_path_factory):
    """The same in a file."""
    from cleo_like.io import write

    return write(experiment, tmp_path_factory.mktemp("ophys") / "e1.nwb")


def assert_same(left, right, where="experiment"):  # noqa: C901
    """Compare all the way down; times to a nanosecond."""
    if isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right)
    elif isinstance(left, np.ndarray) and where.endswith("times"):
        assert np.allclose(left, right, rtol=0, atol=1e-9), where
    elif isinstance(left, np.ndarray):
        assert (left.dtype, left.shape) == (right.dtype, right.shape), where
        assert np.array_equal(left, right, equal_nan=left.dtype.kind == "f"), where
    elif hasattr(left, "items"):
        assert list(left) == list(right), where
        for name in left:
            assert_same(left[name], right[name], f"{where}.{name}")
    elif hasattr(left, "shape") and hasattr(left, "times"):  # a movie, of whatever kind
        assert (left.shape, left.dtype, left.pixel_size) == (
            right.shape,
            right.dtype,
            left.pixel_size if right.pixel_size is None else right.pixel_size,
        ), where
        assert_same(left.times, right.times, f"{where}.times")
        assert_same(left[:], right[:], where)
    elif attrs.has(type(left)):
        assert type(left) is type(right), where
        for field in attrs.fields(type(left)):
            assert_same(
                getattr(left, field.name), getattr(right, field.name), f"{where}.{field.name}"
            )
    elif isinstance(left, (tuple, list)):
        assert len(left) == len(right), where
        for one, other in zip(left, right, strict=True):
            assert_same(one, other, where)
    else:
        assert left == right, where
