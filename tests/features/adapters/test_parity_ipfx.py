"""Every value that ipfx gives for the real recordings, in ``compat="ipfx"``."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like.features.long_square import analyse
from cleo_like.features.long_square.atlas_row import atlas_row

pytestmark = pytest.mark.data

RECORDINGS = (
    "dual_2019_07_24_0055_fsi", "fi_18711001", "fi_18711001_hyper", "ibw_B6", "ic1_demo_1",
    "ic1_demo_1_hyper", "iv_190619B_0003_10k", "step_File_axon_5",
    "up50k_dual_2019_07_24_0055_fsi", "up50k_ic1_demo_1",
)  # fmt: skip
SETS = ("default10k", "nofilter", "bessel5k", "atlas", "atlas_nofilter", "gigaseal")
EXACT = ("sweep", "index", "clipped", "n_spikes")
SLOPES = ("upstroke", "downstroke", "upstroke_downstroke_ratio")


def tolerance(name: str) -> float:
    """The gates: counts and indices exact, slopes 1e-7, everything else 1e-9 (relative)."""
    if name.endswith(EXACT):
        return 0.0
    return 1e-7 if name in SLOPES else 1e-9


def differs(name: str, theirs, ours, gate: float) -> bool:
    if isinstance(theirs, str):  # isi_type; "nan" for a clipped spike
        return ours != ("" if theirs == "nan" else theirs)
    if theirs is None:
        return not np.isnan(ours)
    return not abs(float(ours) - theirs) <= gate * abs(theirs)


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("parameters", SETS)
def test_every_value_of_ipfx(real, name, parameters):
    expected = real.expected("ipfx", name)
    theirs = expected["param_sets"][parameters]
    window, limits = real.limits(theirs["params"])
    cell = analyse(real.stack(expected["file"]), window, limits)
    wrong = []
    for sweep in theirs["sweeps"]:
        if "error" in sweep:  # ipfx gave up; we must not
            continue
        row = sweep["sweep"]
        ours = cell.spikes.of(row)
        assert len(ours["sweep"]) == len(sweep["spikes"]), f"spikes of sweep {row}"
        for k, spike in enumerate(sweep["spikes"]):
            wrong += [
                (row, k, f, value, ours[f][k])
                for f, value in spike.items()
                if differs(f, value, ours[f][k], tolerance(f))
            ]
        wrong += [
            (row, f, value, cell.sweeps[f][row])
            for f, value in sweep["train"].items()
            if differs(f, value, cell.sweeps[f][row], tolerance(f))
        ]
    values = dict(theirs.get("cell", {}))
    for row, tau in values.pop("tau_per_sweep", {}).items():
        if differs("tau", tau, cell.sweeps["tau_sweep"][int(row)], 1e-6):
            wrong.append(("tau", row, tau, cell.sweeps["tau_sweep"][int(row)]))
    for f, value in values.items():
        if differs(f, value, cell.values[f], 1e-6):
            wrong.append((f, value, cell.values[f]))
    ours = atlas_row(cell).values
    for f, value in theirs.get("atlas_row", {}).items():
        if differs(f, value, ours[f], 1e-6):
            wrong.append((f, value, ours[f]))
    assert not wrong, wrong[:5]


def test_the_files_hold_what_the_arrays_hold(real):
    """Read by the package's own reader, the ABF files give ipfx's indices too."""
    from cleo_like.features.stack import as_stack
    from cleo_like.io import read

    # the third has a scale factor that single precision cannot hold
    for name in ("step_File_axon_5", "dual_2019_07_24_0055_fsi", "iv_190619B_0003_10k"):
        file = real.file_of(name)
        ours = as_stack(read(real.folder / file), exact=True)
        np.testing.assert_array_equal(ours.voltage_mv, real.stack(file).voltage_mv)


@pytest.mark.parametrize("name", ["iv_190619B_0003_10k", "ibw_B6"])
def test_no_error_where_ipfx_raises(real, name):
    """10 and 4 kHz with the 10 kHz filter: ipfx raises in every sweep."""
    expected = real.expected("ipfx", name)
    theirs = expected["param_sets"]["default10k"]
    assert all("error" in sweep for sweep in theirs["sweeps"])
    window, limits = real.limits(theirs["params"])
    cell = analyse(real.stack(expected["file"]), window, limits)
    unfiltered = expected["param_sets"]["nofilter"]["sweeps"]
    counts = np.array([len(s["spikes"]) for s in unfiltered])
    assert np.abs(cell.spikes.counts - counts).max() <= 1
    assert cell.spikes.cutoff < expected["fs"] / 2e3
    assert any("Nyquist" in note for note in cell.notes)
