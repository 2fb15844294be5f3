"""Damaged ABF and ATF files are read or refused, within 500 MB and 20 s each."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from cleo_like.io import Header, write, write_abf1
from cleo_like.io.abf.table import EpochTable
from tests.io.abf.abf2 import In, Out, write_abf2
from tests.io.fuzz import fuzz, mutants

STEP = EpochTable(levels=(0.0, -50.0), increments=(0.0, 50.0), durations=(90, 300))


@pytest.fixture
def abf1(tmp_path, rng):
    data = rng.normal(-70, 0.1, (1, 3, 640))
    both = np.concatenate([data, 0 * data + 5])
    path = write_abf1(
        tmp_path / "a.abf", both, units=["mV", "pA"], rate="20 kHz", header=Header(table=STEP)
    )
    return {"abf1": path.read_bytes()}


@pytest.fixture
def abf2(tmp_path, rng):
    data = rng.normal(-70, 0.1, (2, 3, 640))
    data[1] = 5
    inputs = [In(), In(name="Im", unit="pA", number=1)]
    outputs = [
        Out(
            epochs=[(1, 0.0, 0.0, 90), (3, -50.0, 50.0, 300, 0, 40, 10)],
            user_list=(22, "5,6,7", 0),
        )
    ]
    made = {}
    for name, floats in (("abf2", False), ("abf2 floats", True)):
        path = write_abf2(
            tmp_path / "b.abf", data, inputs=inputs, outputs=outputs, floats=floats
        )
        made[name] = path.read_bytes()
    return made


@pytest.fixture
def atf(tmp_path, recording):
    """A head and few rows: damage to a row leaves no number, and is refused at once."""
    short = [
        attrs.evolve(s, response=s.response[:12], command=s.command[:12])
        for s in recording.sweeps[:2]
    ]
    made = attrs.evolve(recording, sweeps=short, protocol=None, truth=None)
    raw = write(made, tmp_path / "c.atf").read_bytes()
    return {"atf": raw, "foreign": raw.replace(b"; rate: 20000.0 Hz; samples: 12", b"")}


def test_mutants_are_made_again_from_their_label(abf1):
    one, two = (list(mutants(abf1, 20, seed=3)) for _ in range(2))
    assert one == two
    assert len({data for _, data in one}) > 15
    assert len({label.split(": ")[1] for label, _ in one}) > 15


@pytest.mark.parametrize("kind", ["abf1", "abf2", "atf"])
def test_damaged_files_are_read_or_refused(kind, request):
    seeds = request.getfixturevalue(kind)
    report = fuzz(seeds, suffix=f".{kind[:3]}", count=60, seed=1)
    assert not report.faults, str(report)
    assert report.counts["refused"] > 5
    assert report.counts["read"] > 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["abf1", "abf2", "atf"])
def test_many_damaged_files_are_read_or_refused(kind, request):
    seeds = request.getfixturevalue(kind)
    report = fuzz(seeds, suffix=f".{kind[:3]}", count=4000, seed=2)
    assert not report.faults, str(report)
