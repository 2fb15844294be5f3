"""ABF files in ``compat="ipfx"``: the last bits are those that ipfx's users see (pyabf's)."""

from __future__ import annotations

import attrs
import numpy as np
import pyabf
import pytest

from cleo_like import Cell, Provenance, Recording, Sweep, read, write
from cleo_like.features.parameters import IPFX
from cleo_like.features.registry import matched_stack
from cleo_like.features.stack import as_stack


def written(path, rng, *, top: float) -> Recording:
    """Steps whose largest potential decides the scale factor of the file."""
    t = np.arange(12_000) / 20e3
    on = (t >= 0.1) & (t < 0.5)
    sweeps = []
    for k, a in enumerate((-40e-12, -20e-12, 20e-12, 40e-12)):
        v = -0.07 + 1e8 * a * on + 1e-4 * rng.standard_normal(t.size)
        v[5000] = top
        sweeps.append(Sweep(response=v, command=a * on, rate=20e3, number=k))
    recording = Recording(
        sweeps=sweeps, cell=Cell(id="c"), provenance=Provenance(source="simulation")
    )
    write(recording, path)
    return read(path)


@pytest.mark.parametrize("top", [0.0312, 0.0507, 0.0713, 0.0999, 0.1237])
def test_scale_factors_that_single_precision_cannot_hold(tmp_path, rng, top):
    path = tmp_path / "cell.abf"
    ours = written(path, rng, top=top)
    abf = pyabf.ABF(str(path))
    theirs = []
    for k in abf.sweepList:
        abf.setSweep(k)
        theirs.append(abf.sweepY.astype(float))
    np.testing.assert_array_equal(as_stack(ours, exact=True).voltage_mv, theirs)
    np.testing.assert_array_equal(matched_stack(ours, IPFX)[0].voltage_mv, theirs)
    fine = as_stack(ours).voltage_mv
    assert not np.array_equal(fine, theirs)  # by default the numbers are exact
    np.testing.assert_allclose(fine, theirs, rtol=1e-6)


def test_potentials_that_were_changed_are_not_cut_to_codes(tmp_path, rng):
    """A filter applied after reading must not be undone by rounding to the converter."""
    ours = written(tmp_path / "cell.abf", rng, top=0.0507)
    smooth = [
        attrs.evolve(s, response=np.convolve(s.response, np.ones(5) / 5, "same"))
        for s in ours.sweeps
    ]
    stack = as_stack(attrs.evolve(ours, sweeps=smooth), exact=True)
    true = np.array([s.response for s in smooth]) * 1e3
    np.testing.assert_array_equal(stack.voltage_mv, true.astype(np.float32))


def test_a_recording_that_is_no_abf_stays_as_it_is(rng):
    v = -0.07 + 1e-4 * rng.standard_normal(2000)
    sweep = Sweep(response=v, command=np.zeros(2000), rate=20e3)
    recording = Recording(
        sweeps=[sweep], cell=Cell(id="c"), provenance=Provenance(source="x.nwb")
    )
    np.testing.assert_array_equal(as_stack(recording, exact=True).voltage_mv[0], v * 1e3)
