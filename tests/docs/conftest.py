"""A folder with the files that the pages speak of, made once."""

from __future__ import annotations

import shutil

import numpy as np
import pytest


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory):
    """Recordings of known cells, a photograph, and a movie's worth of traces."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.cbook import get_sample_data

    import cleo_like as cl

    folder = tmp_path_factory.mktemp("laboratory")
    shutil.copy(get_sample_data("grace_hopper.jpg", asfileobj=False), folder / "photo.jpg")
    steps = cl.parse_protocol(
        "long_square amplitudes=-60,-40,-20,200,300pA duration=0.5s before=0.2s after=0.2s rate=20kHz"
    )
    cells = cl.record(["rs", "narrow_fs", "sag"], steps, seed=1, progress=False)
    for recording, name in zip(cells, ("cell", "a", "b"), strict=True):
        cl.write(recording, folder / f"{name}.abf")
        cl.write(recording, folder / f"{name}.nwb")
        cl.write(recording, folder / "recordings" / f"of_{recording.cell.id}.abf")
    cl.write(steps, folder / "steps.atf")
    photo = cl.from_image(folder / "photo.jpg", "0.5 s", "10 kHz", rows=12, columns=32)
    cl.write(photo, folder / "photo.abf")
    (drawn,) = cl.record("rs", photo, seed=1, progress=False)
    cl.write(drawn, folder / "drawn.abf")
    traces = cl.Traces(
        fluorescence=np.random.default_rng(1).normal(size=(4, 1000)), times=np.arange(1000) / 30
    )
    cl.write(traces, folder / "imaging.nwb")
    return folder
