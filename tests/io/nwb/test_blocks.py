"""Compressed samples of which most blocks repeat are read as HDF5 reads them."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.source import samples
from cleo_like.io.nwb.source.samples import samples_of

STEP = np.repeat([0.0, -50.0, 0.0], [7000, 30000, 8123])


def stored(tmp_path, data, **how):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=data, chunks=(1000,), **how)
    return h5py.File(path, "r")["data"]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("dtype", ["<f4", "<f8", ">f4", "<i2", "<u4"])
def test_a_step_of_any_numbers(tmp_path, dtype, shuffle):
    data = np.abs(STEP).astype(dtype)
    dataset = stored(tmp_path, data, compression="gzip", shuffle=shuffle)
    found = samples._from_like_blocks(dataset)
    assert found is not None
    assert found.dtype == dataset[:].dtype
    np.testing.assert_array_equal(found, dataset[:])
    np.testing.assert_array_equal(samples_of(dataset).load(0, data.size), data)


@pytest.mark.parametrize(
    "how",
    [{}, {"compression": "lzf"}, {"compression": "gzip", "fletcher32": True},
     {"compression": "gzip", "scaleoffset": 0}],
)  # fmt: skip
def test_other_filters_are_left_to_hdf5(tmp_path, how):
    data = STEP.astype("<i4")
    dataset = stored(tmp_path, data, **how)
    assert samples._from_like_blocks(dataset) is None
    np.testing.assert_array_equal(samples_of(dataset).load(0, data.size), data)


def test_noise_is_left_to_hdf5(tmp_path):
    noise = np.random.default_rng(0).normal(size=STEP.size)
    dataset = stored(tmp_path, STEP + noise, compression="gzip", shuffle=True)
    assert samples._from_like_blocks(dataset) is None
    np.testing.assert_array_equal(samples_of(dataset).load(0, STEP.size), STEP + noise)


def test_blocks_that_were_never_written_stay_missing(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", (9000,), "<f8", chunks=(1000,), compression="gzip")
        data[:3000], data[5000:] = 1.0, 2.0
    with h5py.File(path) as file:
        found = samples_of(file["data"]).load(0, 9000)
    assert np.isnan(found[3000:5000]).all()
    assert (found[:3000] == 1.0).all()
    assert (found[5000:] == 2.0).all()


def test_a_damaged_block_is_said(tmp_path):
    dataset = stored(tmp_path, STEP, compression="gzip")
    at = dataset.id.get_chunk_info(20).byte_offset
    raw = bytearray((tmp_path / "x.h5").read_bytes())
    raw[at : at + 6] = b"\xff" * 6
    (tmp_path / "y.h5").write_bytes(raw)
    with h5py.File(tmp_path / "y.h5") as file:
        assert samples._from_like_blocks(file["data"]) is None
        with pytest.raises(FileFormatError, match="cannot be read"):
            samples_of(file["data"]).load(0, STEP.size)
