"""neuroconv's way from TIFF to NWB and ours: the same pixels in the file.

neuroconv (0.10) wants zarr < 3, which other test packages do not share; give the interpreter of
an environment that has it as CLEO_LIKE_NEUROCONV (`pip install neuroconv tifffile`).
"""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core import ArrayFrames, ImagingExperiment

pytestmark = pytest.mark.peer

SCRIPT = """
import sys, warnings
from datetime import datetime, timezone
warnings.simplefilter("ignore")
from neuroconv.datainterfaces import TiffImagingInterface
interface = TiffImagingInterface(file_paths=[sys.argv[1]], sampling_frequency=30.0)
metadata = interface.get_metadata()
metadata["NWBFile"]["session_start_time"] = datetime.now(timezone.utc)
interface.run_conversion(nwbfile_path=sys.argv[2], metadata=metadata)
"""


def test_the_same_pixels_through_neuroconv(tmp_path, rng):
    python = os.environ.get("CLEO_LIKE_NEUROCONV")
    if python is None:
        pytest.skip("no environment with neuroconv; name its Python in CLEO_LIKE_NEUROCONV")
    tifffile = pytest.importorskip("tifffile")
    import h5py

    frames = rng.integers(0, 4000, (90, 24, 32)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "movie.tif", frames, photometric="minisblack")
    (tmp_path / "convert.py").write_text(SCRIPT)
    theirs = tmp_path / "theirs.nwb"
    subprocess.run(
        [python, tmp_path / "convert.py", tmp_path / "movie.tif", theirs],
        check=True,
        capture_output=True,
        timeout=300,
    )
    movie = ArrayFrames(frames=frames, times=np.arange(90) / 30)
    ours = cl.write(ImagingExperiment(id="e", movie=movie), tmp_path / "ours.nwb")
    with h5py.File(theirs) as left, h5py.File(ours) as right:
        assert np.array_equal(
            left["acquisition/MicroscopySeries/data"][:],
            right["acquisition/TwoPhotonSeries/data"][:],
        )
    (back,) = cl.read_experiments(theirs)
    assert np.array_equal(back.movie[:], frames)
    assert np.allclose(back.movie.times, movie.times)
