"""`reproducible=True`: the same data make the same bytes, other data other identifiers."""

import os
import subprocess
import sys

import attrs
import numpy as np
import pynwb
import pytest

from cleo_like.core.ophys.frames import ArrayFrames
from cleo_like.core.provenance import Provenance
from cleo_like.io import write_ophys

SCRIPT = """
import sys, numpy as np
from cleo_like.sessions import *
plan = SessionPlan(seed=3, task=ImageChangeTask(duration="12 s", grey_before="3 s", grey_after="1 s"),
    images=ImageSet.natural_like(2, seed=2), planes=[OpticalPlane(n_cells=4, shape=(64, 64), field="100 um")])
write_session(simulate_session(plan), sys.argv[1], tables=False)
"""


def stored(path):
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        return file.identifier, sorted(file.objects)


@pytest.fixture
def one(experiment):
    made = Provenance(source="simulation", seed=1, created="2026-01-02T03:04:05+00:00")
    return attrs.evolve(experiment, provenance=made)


def write(folder, thing, **options):
    return write_ophys(thing, folder / "x.nwb", reproducible=True, overwrite=True, **options)


def test_same_data_same_bytes(one, tmp_path):
    first = write(tmp_path, one).read_bytes()
    assert write(tmp_path, one).read_bytes() == first
    assert pynwb.validate(path=tmp_path / "x.nwb") == []


def test_what_differs_has_other_identifiers(one, tmp_path):
    known = stored(write(tmp_path, one))
    name, traces = next(iter(one.traces.items()))
    values = np.array(traces.fluorescence)
    values[0, 0] += 1e-6
    other_value = attrs.evolve(
        one, traces={**one.traces, name: attrs.evolve(traces, fluorescence=values)}
    )
    frames = np.zeros((40, *one.frame_shape), np.int16)
    movies = []
    for level in (0, 1):
        frames = frames + np.int16(level)
        movies.append(
            attrs.evolve(one, movie=ArrayFrames(frames=frames, times=np.arange(40) / 30))
        )
    for options, thing in (
        ({}, other_value), ({"masks": "pixel"}, one), ({"session_id": "another"}, one),
        ({}, movies[0]), ({}, movies[1]),
    ):  # fmt: skip
        found = stored(write(tmp_path, thing, **options))
        assert found[0] != known[0]
        assert not set(found[1]) & set(known[1])
        known = found


def test_without_it_identifiers_are_never_the_same(one, tmp_path):
    first, second = (stored(write_ophys(one, tmp_path / name)) for name in ("a.nwb", "b.nwb"))
    assert first[0] != second[0]
    assert not set(first[1]) & set(second[1])


@pytest.mark.slow
def test_a_session_of_one_seed_is_the_same_folder_in_another_process(tmp_path):
    """Also where texts have other hashes, which order the sets of a library."""
    for hashes in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / hashes)],
            check=True, env={**os.environ, "PYTHONHASHSEED": hashes},
        )  # fmt: skip
    files = sorted(p.relative_to(tmp_path / "1") for p in (tmp_path / "1").rglob("*.*"))
    assert len(files) >= 6
    for file in files:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()
