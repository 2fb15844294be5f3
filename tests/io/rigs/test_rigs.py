"""Files of other rigs: values that are known, what their formats hide, and damage."""

from __future__ import annotations

import contextlib
import importlib
import struct
import warnings

import h5py
import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import FileFormatError, UnsupportedError
from cleo_like.io import files_in, read_all
from cleo_like.io.rigs import assemble
from tests.io.rigs.heka_maker import bundle


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_heka_bundle_in_either_byte_order(tmp_path, order):
    counts = bundle(tmp_path / "a.dat", order=order)
    found = cl.read(tmp_path / "a.dat")
    assert found.cell.id == "a"
    assert [s.number for s in found] == [0, 1, 2]
    assert [s.start_time for s in found] == [0.0, 2.0, 4.0]
    assert {s.stimulus for s in found} == {"IV"}
    for sweep, (volts, _) in zip(found, counts, strict=True):
        np.testing.assert_allclose(sweep.response, volts * 1e-4, rtol=1e-12)
        assert sweep.rate == pytest.approx(20e3)
    steps = [sweep.command[3000] for sweep in found]
    np.testing.assert_allclose(steps, [-50e-12, 0.0, 50e-12], atol=1e-18)
    edges = found[0].command[[1999, 2000, 5999, 6000]]
    np.testing.assert_allclose(edges, [0, -5e-11, -5e-11, 0], rtol=1e-12)
    assert any("reconstructed from the stimulus" in text for text in found.findings)
    assert any("from when its clock counts" in text for text in found.findings)
    assert found.session_start is None


def test_heka_as_myokit_reads_it(tmp_path):
    """Another program's reader: the same samples, and the same reconstruction."""
    heka = pytest.importorskip("myokit.formats.heka")
    bundle(tmp_path / "a.dat")
    found = cl.read(tmp_path / "a.dat")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with heka.PatchMasterFile(str(tmp_path / "a.dat")) as file:
            (series,) = next(iter(file))
            drawn = series.stimulus().reconstruction()[1]
            for k, sweep in enumerate(series):
                np.testing.assert_allclose(found[k].response, sweep[0].values())
                np.testing.assert_allclose(found[k].command, drawn[k] * 1e-9, atol=1e-18)


def test_heka_ramps_voltage_clamp_and_what_cannot_be_drawn(tmp_path):
    ramp = [(0, -0.07, 0.1, 0.0), (1, 0.03, 0.2, 0.0)]
    counts = bundle(tmp_path / "v.dat", segments=ramp, unit="V", mode=3, sweeps=1)
    found = cl.read(tmp_path / "v.dat")
    assert found[0].mode == "voltage_clamp"
    np.testing.assert_allclose(found[0].response, counts[0][1] * 1e-13, rtol=1e-12)
    ends = found[0].command[[0, 2000, 5999]]  # 0.03 V would be reached by the next sample
    np.testing.assert_allclose(ends, [-0.07, -0.07, 0.03 - 0.1 / 4000])
    assert found[0].settings["series_resistance"] == pytest.approx(1e7)

    wave = [(0, 0.0, 0.1, 0.0), (3, 0.1, 0.2, 0.0)]  # a sine
    counts = bundle(tmp_path / "s.dat", segments=wave, sweeps=1)
    found = cl.read(tmp_path / "s.dat")
    np.testing.assert_allclose(found[0].command, counts[0][1] * 1e-13, rtol=1e-12)
    assert any("the recorded monitor 'Imon-1'" in text for text in found.findings)
    bundle(tmp_path / "n.dat", segments=wave, sweeps=1, monitor=False)
    found = cl.read(tmp_path / "n.dat")
    assert found[0].command is None
    assert any("does not tell the command: a segment of class 3" in t for t in found.findings)


@pytest.mark.parametrize(("flags", "text"), [(0, "scaled in another way"), (5, "is a file")])
def test_heka_stimuli_of_other_kinds_are_not_guessed(tmp_path, flags, text):
    bundle(tmp_path / "a.dat", flags=flags, monitor=False)
    found = cl.read(tmp_path / "a.dat")
    assert found[0].command is None
    assert any(text in finding for finding in found.findings)


def test_a_damaged_heka_file_is_said(tmp_path):
    bundle(tmp_path / "a.dat")
    whole = (tmp_path / "a.dat").read_bytes()
    path = tmp_path / "b.dat"
    rng = np.random.default_rng(3)
    for cut in rng.integers(1, len(whole), 40):
        path.write_bytes(whole[:cut])
        with pytest.raises(FileFormatError, match=r"HEKA|PatchMaster"):
            cl.read(path)
    path.write_bytes(b"DAT1" + whole[4:])
    with pytest.raises(FileFormatError, match="save it as a bundle"):
        cl.read(path)
    for at in rng.integers(len(whole) - 3000, len(whole), 40):  # in the trees
        path.write_bytes(whole[:at] + b"\xff\xff\xff\x7f" + whole[at + 4 :])
        with contextlib.suppress(FileFormatError):
            cl.read(path)


def wavesurfer(path, *, old=False, active=(1, 1), units=("mV", "pA")):
    """Counts, and a header as WaveSurfer writes it; two sweeps of 100 samples at 20 kHz."""
    counts = np.arange(-100, 100).reshape(2, 100).astype(np.int16)
    names = {
        "rate": "AcquisitionSampleRate", "names": "AIChannelNames", "units": "AIChannelUnits",
        "scales": "AIChannelScales", "coefficients": "AIScalingCoefficients",
        "active": "IsAIChannelActive",
    }  # fmt: skip
    if old:
        names = {
            "rate": "Acquisition/SampleRate", "names": "Acquisition/AnalogChannelNames",
            "units": "Acquisition/AnalogChannelUnits",
            "scales": "Acquisition/AnalogChannelScales",
            "coefficients": "Acquisition/AnalogScalingCoefficients",
            "active": "Acquisition/IsAnalogChannelActive",
        }  # fmt: skip
    rows = np.flatnonzero(active)
    with h5py.File(path, "w") as file:
        header = file.create_group("header")
        header["VersionString"] = "1.0.6"
        header[names["rate"]] = [[20000.0]]
        header[names["names"]] = np.array([b"Vm", b"Im"])
        header[names["units"]] = np.array([u.encode() for u in units])
        header[names["scales"]] = [[0.01], [0.002]]  # V per mV, V per pA
        header[names["coefficients"]] = np.array([[0.001, 3e-4, 0, 0]] * 2)[rows]
        header[names["active"]] = [list(active)]
        for k in (1, 2):
            sweep = file.create_group(f"sweep_{k:04d}")
            sweep["analogScans"] = counts[rows]
            sweep["timestamp"] = [[3.0 * (k - 1)]]
    return counts


@pytest.mark.parametrize("old", [False, True])
def test_wavesurfer_counts_become_volts_and_amperes(tmp_path, old):
    counts = wavesurfer(tmp_path / "a.h5", old=old)
    found = cl.read(tmp_path / "a.h5")
    volts = 0.001 + 3e-4 * counts
    np.testing.assert_allclose(found[0].response, volts[0] / 0.01 * 1e-3)
    np.testing.assert_allclose(found[1].command, volts[1] / 0.002 * 1e-12)
    assert [s.start_time for s in found] == [0.0, 3.0]
    assert [s.number for s in found] == [1, 2]
    assert "the command is the recorded channel 'Im', as its unit shows" in found.findings


def test_wavesurfer_without_a_command_says_so(tmp_path):
    wavesurfer(tmp_path / "a.h5", active=(1, 0))
    found = cl.read(tmp_path / "a.h5")
    assert found[0].command is None
    assert assemble.UNKNOWN in found.findings
    wavesurfer(tmp_path / "b.h5", units=("degC", "au"))
    with pytest.raises(FileFormatError, match="channels in degC, au only"):
        cl.read(tmp_path / "b.h5")


def test_another_hdf5_file_is_no_wavesurfer(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = 1
    with pytest.raises(FileFormatError, match="no WaveSurfer file"):
        cl.read(tmp_path / "x.h5")
    (tmp_path / "notes.dat").write_text("a table")
    wavesurfer(tmp_path / "a.h5")
    assert [p.name for p in files_in(tmp_path)] == ["a.h5"]
    assert len(files_in(tmp_path / "x.h5")) == 1  # what is named is kept


def ibw(path, data, *, step=5e-5, unit=b"V", x=b"s", name=b"sweep0"):
    """An Igor wave of version 5, from the description of the format (Igor TN003)."""
    data = np.asarray(data, "<f8")
    shape = [*data.shape, *[0] * (4 - data.ndim)]
    header = bytearray(320)
    struct.pack_into("<IIIIhhhh", header, 0, 0, 0, 0, data.size, 4, 0, 0, 0)
    struct.pack_into("<32s", header, 28, name)
    struct.pack_into("<4i", header, 68, *shape)
    struct.pack_into("<8d", header, 84, step, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into("<4s4s4s4s4s", header, 148, unit, x, b"", b"", b"")
    raw = data.T.tobytes() if data.ndim > 1 else data.tobytes()
    size = 320 + len(raw)
    head = bytearray(64)
    struct.pack_into("<hhiiiiiii", head, 0, 5, 0, size, 0, 0, 0, 0, 0, 0)
    words = np.frombuffer(bytes(head) + bytes(header), "<i2")
    total = int(words.astype(np.int64).sum()) & 0xFFFF
    checksum = (-total) & 0xFFFF
    struct.pack_into("<H", head, 2, checksum)
    path.write_bytes(bytes(head) + bytes(header) + raw)


def test_an_igor_wave(tmp_path):
    pytest.importorskip("igor2")
    data = np.linspace(-70e-3, -60e-3, 200)
    ibw(tmp_path / "a.ibw", data)
    found = cl.read(tmp_path / "a.ibw")
    np.testing.assert_allclose(found[0].response, data)
    assert found[0].rate == pytest.approx(20e3)
    assert found[0].command is None
    assert assemble.UNKNOWN in found.findings


def test_igor_columns_are_sweeps_and_milliseconds_are_known(tmp_path):
    pytest.importorskip("igor2")
    data = np.stack([np.full(50, -70.0), np.full(50, -60.0)], axis=1)
    ibw(tmp_path / "a.ibw", data, unit=b"mV", step=0.1, x=b"ms")
    found = cl.read(tmp_path / "a.ibw")
    assert [s.response[0] for s in found] == pytest.approx([-0.07, -0.06])
    assert found[0].rate == pytest.approx(10e3)
    assert any("they follow each other" in text for text in found.findings)


def test_an_igor_wave_without_units_is_not_guessed(tmp_path):
    pytest.importorskip("igor2")
    ibw(tmp_path / "a.ibw", np.zeros(20), unit=b"")
    with pytest.raises(FileFormatError, match="no unit, neither volts nor amperes"):
        cl.read(tmp_path / "a.ibw")
    ibw(tmp_path / "b.ibw", np.zeros(20), x=b"")
    with pytest.raises(FileFormatError, match="no time step in seconds"):
        cl.read(tmp_path / "b.ibw")
    (tmp_path / "c.ibw").write_bytes(b"\1\2\3" * 50)
    with pytest.raises(FileFormatError, match="no Igor binary wave"):
        cl.read(tmp_path / "c.ibw")


def test_a_packed_experiment(tmp_path):
    """Records of a packed file: type, version, length; waves inside (Igor PTN003)."""
    pytest.importorskip("igor2")
    parts = []
    for name, unit, level in ((b"v0", b"V", -0.07), (b"v1", b"V", -0.06),
                              (b"i0", b"A", 1e-11), (b"i1", b"A", 2e-11)):  # fmt: skip
        ibw(tmp_path / "w.ibw", np.full(40, level), unit=unit, name=name)
        raw = (tmp_path / "w.ibw").read_bytes()
        parts.append(struct.pack("<Hhi", 3, 5, len(raw)) + raw)
    (tmp_path / "w.ibw").unlink()
    (tmp_path / "a.pxp").write_bytes(b"".join(parts))
    found = cl.read(tmp_path / "a.pxp")
    assert [s.response[0] for s in found] == pytest.approx([-0.07, -0.06])
    assert [s.command[0] for s in found] == pytest.approx([1e-11, 2e-11])
    assert any("paired with the potentials in their order" in t for t in found.findings)


def test_a_file_that_neo_reads(tmp_path):
    """AxoGraph's own format, version 6: columns of time, potential (mV) and current (pA)."""
    pytest.importorskip("neo")
    path = tmp_path / "a.axgx"
    columns = [("Time (s)", None), ("Vm (mV)", np.linspace(-70, -60, 100)),
               ("Im (pA)", np.full(100, 25.0))]  # fmt: skip
    out = bytearray(b"axgx" + struct.pack(">ii", 6, len(columns)))
    for title, values in columns:
        text = title.encode("utf-16-be")
        kind = 9 if values is None else 7
        out += struct.pack(">iii", 100, kind, len(text)) + text
        out += (
            struct.pack(">dd", 0.0, 5e-5) if values is None else values.astype(">f8").tobytes()
        )
    out += struct.pack(">i", 0) + struct.pack(">i", 0) + struct.pack(">i", 0) * 20
    path.write_bytes(bytes(out))
    found = cl.read(path)
    np.testing.assert_allclose(found[0].response, np.linspace(-0.07, -0.06, 100))
    np.testing.assert_allclose(found[0].command, 25e-12)
    assert found[0].rate == pytest.approx(20e3)
    (tmp_path / "b.axgx").write_bytes(b"nothing like it" * 9)
    with pytest.raises(FileFormatError, match="Neo cannot read"):
        cl.read(tmp_path / "b.axgx")


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    ibw(tmp_path / "a.ibw", np.zeros(20))

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(UnsupportedError, match=r"cleo_like\[readers\]"):
        read_all_directly(tmp_path / "a.ibw")


def read_all_directly(path):
    from cleo_like.io.rigs.igor import read_igor_wave

    return read_igor_wave(path)


def test_features_of_a_heka_file(tmp_path):
    """From a foreign file to a row: 200 MOhm, 20 ms."""
    rate, n = 20e3, 8000
    decay = np.exp(-1 / rate / 0.02)
    counts = []
    for k in range(3):
        i = np.zeros(n)
        i[2000:6000] = (-50 + 50 * k) * 1e-12
        v, x = np.empty(n), 0.0
        for j in range(n):
            x = x * decay + 2e8 * (1 - decay) * i[j]
            v[j] = -0.07 + x
        counts.append(np.stack([v / 1e-4, i / 1e-13]).round())
    bundle(tmp_path / "rc.dat", counts=counts, segments=[(0, 0.0, 0.1, 0.0), (0, -0.05, 0.2, 0.05),
                                                         (0, 0.0, 0.1, 0.0)])  # fmt: skip
    row = cl.extract(tmp_path / "rc.dat", progress=False)
    assert row["status"][0] == "ok"
    assert row["input_resistance"][0] == pytest.approx(200, rel=0.01)
    assert row["tau"][0] == pytest.approx(0.02, rel=0.02)
    assert read_all(tmp_path / "rc.dat")[0].n_sweeps == 3
