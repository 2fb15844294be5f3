"""Patch-clamp NWB: factors of channels, first rows, deep groups, links that lead nowhere."""

import h5py
import pytest

import cleo_like as cl
from cleo_like.core import FileFormatError
from tests.io.nwb.nwb_maker import build


@pytest.fixture
def path(tmp_path):
    return build(tmp_path / "x.nwb", "sweep numbers", n_sweeps=3)


def test_the_factor_of_the_channel_multiplies_that_of_all(path):
    with h5py.File(path, "a") as file:
        for name in ("acquisition/e1__1", "acquisition/e1__2"):
            file[name]["channel_conversion"] = 4.0 if name.endswith("1") else [0.5]
    found = cl.read(path)
    assert [s.response[0] for s in found] == pytest.approx([-0.28, -0.0345, -0.068])
    with h5py.File(path, "a") as file:
        del file["acquisition/e1__1/channel_conversion"]
        file["acquisition/e1__1/channel_conversion"] = "two"
    found = cl.read(path)
    assert [s.number for s in found] == [1, 2]
    assert any("channel_conversion is no number" in text for text in found.findings)


def test_every_row_of_a_sweep_table_counts(tmp_path):
    """Numbers of the table alone: the series themselves have none."""
    path = build(tmp_path / "x.nwb", "sweep table", n_sweeps=4)
    with h5py.File(path, "a") as file:
        for group in ("acquisition", "stimulus/presentation"):
            for series in file[group].values():
                del series.attrs["sweep_number"]
    found = cl.read(path)
    assert [s.number for s in found] == [0, 1, 2, 3]
    for k, sweep in enumerate(found):
        assert sweep.response[0] == pytest.approx(-0.07 + 1e-3 * k)
        assert sweep.command[0] == pytest.approx(1e-11 * (k + 1))


@pytest.mark.parametrize(("deep", "seen"), [(0, True), (1, True), (2, False)])
def test_series_in_a_group_are_found_but_not_in_a_group_of_groups(path, deep, seen):
    with h5py.File(path, "a") as file:
        place = "/".join(["acquisition", *["more"] * deep])
        file.require_group(place)
        if deep:
            for name in list(file["acquisition"]):
                if name != "more":
                    file.move(f"acquisition/{name}", f"{place}/{name}")
    if seen:
        assert [s.response[0] for s in cl.read(path)] == pytest.approx([-0.07, -0.069, -0.068])
    else:
        with pytest.raises(FileFormatError, match="no intracellular response"):
            cl.read(path)


def link_electrode(path, name):
    """Let every series lead to that electrode by a soft link."""
    with h5py.File(path, "a") as file:
        for group in ("acquisition", "stimulus/presentation"):
            for series in file[group].values():
                del series["electrode"]
                series["electrode"] = h5py.SoftLink(f"/general/intracellular_ephys/{name}")


def test_an_electrode_behind_a_broken_link_is_not_known(path):
    link_electrode(path, "gone")
    found = cl.read(path)
    assert found.device["electrode"] == "unknown electrode"
    assert [s.command[0] for s in found] == pytest.approx([1e-11, 2e-11, 3e-11])


def test_a_linked_electrode_has_its_own_name(path):
    link_electrode(path, "e1")
    assert cl.read(path).device["electrode"] == "e1"
