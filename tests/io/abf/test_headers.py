"""ABF headers: floats, gains, texts, rates, sweeps; pyabf and neo as witnesses."""

from __future__ import annotations

import struct

import numpy as np
import pyabf
import pytest

from cleo_like.core import FileFormatError, UnsupportedError
from cleo_like.io import describe, read, read_all, read_protocol, write_abf1
from cleo_like.io.abf.read import _filtering
from cleo_like.io.abf.source import open_abf
from tests.io.abf.abf2 import In, Out, write_abf2

SILENT = (Out(enabled=0),)


def patch(path, *fields):
    raw = bytearray(path.read_bytes())
    for offset, form, values in fields:
        struct.pack_into("<" + form, raw, offset, *values)
    path.write_bytes(bytes(raw))
    return path


@pytest.fixture
def volts(rng):
    return rng.normal(-70, 0.1, (1, 3, 640))


def by_neo(path):
    from neo.rawio import AxonRawIO

    reader = AxonRawIO(filename=str(path))
    reader.parse_header()
    segments = range(reader.segment_count(0))
    raw = [reader.get_analogsignal_chunk(seg_index=k, stream_index=0) for k in segments]
    return np.stack([reader.rescale_signal_raw_to_float(r, stream_index=0)[:, 0] for r in raw])


def test_floats_are_values(tmp_path, volts):
    """What Clampfit saves after arithmetic; the gain of the header does not count."""
    inputs = [In(instrument=0.0005, telegraph=(1, 5.0), offset=3.0)]
    path = write_abf2(tmp_path / "x.abf", volts, inputs=inputs, outputs=SILENT, floats=True)
    back = np.stack([s.response for s in read(path).sweeps]) * 1e3
    assert back == pytest.approx(volts[0], abs=1e-5)
    assert by_neo(path) == pytest.approx(back, abs=1e-5)
    abf = pyabf.ABF(path)
    assert abf.data[0] == pytest.approx(back.ravel(), abs=1e-5)


def test_floats_of_abf1_are_values(tmp_path, volts):
    """pyabf refuses them; neo reads them."""
    path = write_abf1(tmp_path / "x.abf", volts, units="mV", rate="10 kHz")
    raw = path.read_bytes()
    synch = raw[struct.unpack_from("<i", raw, 92)[0] * 512 :]
    data = volts.astype("<f4").tobytes()
    body = data + bytes(-len(data) % 512)
    path.write_bytes(raw[:6144] + body + synch)
    patch(path, (100, "h", (1,)), (92, "i", (12 + len(body) // 512,)))
    back = np.stack([s.response for s in read(path).sweeps]) * 1e3
    assert back == pytest.approx(volts[0], abs=1e-5)
    assert by_neo(path) == pytest.approx(back, abs=1e-5)


@pytest.mark.parametrize(
    "factors",
    [
        {"instrument": 0.02}, {"signal": 5.0}, {"programmable": 0.25}, {"telegraph": (1, 2.0)},
        {"telegraph": (0, 2.0)}, {"telegraph": (7, 2.0)}, {"offset": 12.0},
        {"signal_offset": 4.0}, {"offset": 12.0, "signal_offset": 4.0, "signal": 2.0},
    ],
)  # fmt: skip
def test_every_factor_of_the_gain(tmp_path, volts, factors):
    inputs = [In(**{"instrument": 0.01, **factors})]
    path = write_abf2(tmp_path / "x.abf", volts, inputs=inputs, outputs=SILENT)
    back = np.stack([s.response for s in read(path).sweeps]) * 1e3
    assert back == pytest.approx(volts[0], abs=0.51 / inputs[0].gain)
    assert pyabf.ABF(path).data[0] == pytest.approx(back.ravel(), abs=1e-4)


def test_offsets_of_abf1(tmp_path, volts):
    """Instrument offset less signal offset, as pyabf and Axon have it."""
    path = write_abf1(tmp_path / "x.abf", volts, units="mV", rate="10 kHz")
    patch(path, (986, "f", (7.0,)), (1114, "f", (2.0,)))
    back = read(path).sweeps[0].response * 1e3
    assert back == pytest.approx(volts[0, 0] + 5, abs=0.01)
    assert pyabf.ABF(path).sweepY == pytest.approx(back, abs=1e-4)


def test_telegraphs_of_abf1_by_version(tmp_path, volts):
    """Before 1.70 one channel had such a gain, elsewhere in the header (Axon's reader)."""
    path = write_abf1(tmp_path / "x.abf", volts, units="mV", rate="10 kHz")

    def middle():
        return float(np.median(read(path).sweeps[0].response)) * 1e3

    patch(path, (4512, "h", (1,)), (4576, "f", (2.0,)))
    assert middle() == pytest.approx(-35, abs=0.1)
    patch(path, (4512, "h", (513,)))  # no number that means anything (python-neo #544)
    assert middle() == pytest.approx(-70, abs=0.1)
    patch(path, (4512, "h", (1,)), (4, "f", (1.69,)))
    assert middle() == pytest.approx(-70, abs=0.1)
    patch(path, (262, "hh", (1, 0)), (268, "f", (5.0,)))
    assert middle() == pytest.approx(-14, abs=0.1)
    patch(path, (264, "h", (3,)))
    assert middle() == pytest.approx(-70, abs=0.1)


@pytest.mark.parametrize("unit", ["µA", "nA", "pA", "fA"])
def test_texts_that_are_not_ascii(tmp_path, unit):
    inputs = [In(name="Imµ", unit=unit, instrument=1.0)]
    data = np.full((1, 3, 640), 2.0)
    path = write_abf2(tmp_path / "x.abf", data, inputs=inputs, outputs=[Out(unit="mV")])
    back = read(path)
    assert back.device["electrode"] == "Imµ"
    scale = {"µA": 1e-6, "nA": 1e-9, "pA": 1e-12, "fA": 1e-15}[unit]
    assert back.sweeps[0].response[0] == pytest.approx(2 * scale, rel=1e-3)


def test_a_unit_in_utf_8(tmp_path):
    path = write_abf1(tmp_path / "x.abf", np.full((2, 640), 2.0), units="µA", rate="10 kHz")
    patch(path, (602, "8s", ("µA".encode(),)))
    assert open_abf(path).units[0].scale == 1e-6


@pytest.mark.parametrize("n_channels", [1, 2, 3])
@pytest.mark.parametrize("rate", [10_000.0, 22_050.0, 44_100.0, 333.25])
def test_rates_come_back(tmp_path, rate, n_channels):
    data = np.full((n_channels, 2, 640), -70.0)
    inputs = [In(name=f"IN {k}", number=k) for k in range(n_channels)]
    path = write_abf2(tmp_path / "x.abf", data, inputs=inputs, outputs=SILENT, rate=rate)
    assert open_abf(path).rate == pytest.approx(rate, rel=1e-7)
    path = write_abf1(tmp_path / "y.abf", data, units=["mV"] * n_channels, rate=f"{rate!r} Hz")
    assert open_abf(path).rate == pytest.approx(rate, rel=1e-7)


def test_sweeps_begin_where_the_table_says(tmp_path, volts):
    """Starts count fSynchTimeUnit, lengths samples; sweeps in a row have gaps between them."""
    synch = [(0, 640), (80_000, 640), (200_000, 640)]
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, synch=synch, at_14=("f", 12.5))
    assert [s.start_time for s in read(path).sweeps] == [0.0, 1.0, 2.5]
    assert read(path).protocol.gap == pytest.approx(1.25 - 0.064)
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, synch=synch, at_14=("f", 0.0))
    assert [s.start_time for s in read(path).sweeps] == [0.0, 8.0, 20.0]  # in samples


def test_starts_of_two_channels_count_samples_of_both(tmp_path, volts):
    both = np.concatenate([volts, volts])
    path = write_abf1(
        tmp_path / "x.abf", both, units=["mV", "mV"], rate="10 kHz",
        start_times=["0 s", "0.5 s", "1.25 s"],
    )  # fmt: skip
    assert [s.start_time for s in read_all(path)[0].sweeps] == [0.0, 0.5, 1.25]


def test_a_wrong_count_of_sweeps_is_put_right_and_said(tmp_path, volts):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, n_sweeps=65539)
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [640] * 3
    assert any("counts 65539 sweeps" in f and "3 were read" in f for f in back.findings)


def test_a_recording_that_was_stopped_within_a_sweep(tmp_path, volts):
    flat = volts.reshape(1, 1, -1)[:, :, :1500]
    path = write_abf2(
        tmp_path / "x.abf", flat, outputs=SILENT, lengths=[640, 640, 220], at_22=("i", 640)
    )
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [640, 640]
    assert any("220 over" in f for f in back.findings)
    assert back.sweeps[1].response * 1e3 == pytest.approx(volts[0, 1], abs=0.05)


def test_episodes_of_several_lengths(tmp_path, volts):
    flat = volts.reshape(1, 1, -1)
    path = write_abf2(tmp_path / "x.abf", flat, outputs=SILENT, lengths=[640, 300, 980])
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [640, 300, 980]
    assert back.sweeps[2].response * 1e3 == pytest.approx(flat[0, 0, 940:], abs=0.05)
    assert any("differ in length" in f for f in back.findings)


def test_counts_that_contradict_each_other(tmp_path, volts):
    fields = {"outputs": SILENT, "synch": []}
    path = write_abf2(tmp_path / "x.abf", volts, **fields, n_sweeps=7, at_22=("i", 0))
    with pytest.raises(FileFormatError, match="promises 7 sweeps of 0 samples"):
        read(path)
    path = write_abf2(tmp_path / "x.abf", volts, **fields, at_22=("i", 600))
    assert any("sweeps of 600 samples" in f for f in read(path).findings)


def test_no_sweeps_are_one(tmp_path, volts):
    path = patch(write_abf2(tmp_path / "x.abf", volts, outputs=SILENT), (12, "I", (0,)))
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [1920]
    assert any("counts no sweeps" in f for f in back.findings)


def test_events_of_variable_length(tmp_path, volts):
    flat = volts.reshape(1, 1, -1)
    path = write_abf2(
        tmp_path / "x.abf", flat, outputs=SILENT, mode=1, lengths=[100, 1000, 820],
        synch=[(0, 100), (5000, 1000), (9000, 820)],
    )  # fmt: skip
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [100, 1000, 820]
    assert [s.start_time for s in back.sweeps] == [0.0, 0.5, 0.9]
    assert back.sweeps[1].response * 1e3 == pytest.approx(flat[0, 0, 100:1100], abs=0.05)
    assert back.sweeps[0].command is None
    path.write_bytes(path.read_bytes()[:-512])
    with pytest.raises(FileFormatError, match="lengths are lost"):
        read(path)


def test_a_paused_gap_free_recording_is_said(tmp_path, volts):
    fields = {"outputs": SILENT, "mode": 3}
    path = write_abf2(tmp_path / "x.abf", volts, **fields, synch=[(0, 640), (20_000, 1280)])
    assert any("paused 1 times, 1.936 s" in f for f in read(path).findings)
    path = write_abf2(tmp_path / "x.abf", volts, **fields, synch=[(0, 640), (640, 1280)])
    assert not any("paused" in f for f in read(path).findings)


def test_two_sampling_rates_are_refused(tmp_path, volts):
    path = write_abf1(tmp_path / "x.abf", volts, units="mV", rate="10 kHz")
    patch(path, (126, "f", (200.0,)), (194, "i", (320,)))
    with pytest.raises(UnsupportedError, match="from 100 to 200 us at sample 320"):
        read(path)
    patch(path, (126, "f", (100.0,)))
    assert read(path).sweeps[0].rate == 10_000
    patch(path, (126, "f", (200.0,)), (194, "i", (640,)))  # at the end of the sweep: one rate
    assert read(path).sweeps[0].rate == 10_000
    path = write_abf2(tmp_path / "y.abf", volts, outputs=SILENT, at_6=("B", 1), at_10=("I", 4))
    with pytest.raises(UnsupportedError, match="1/4 of the sampling rate"):
        read(path)


def test_the_binary_format_of_microsoft_and_big_endian_are_named(tmp_path, volts):
    path = write_abf1(tmp_path / "x.abf", volts, units="mV", rate="10 kHz")
    with pytest.raises(UnsupportedError, match="Microsoft"):
        read(patch(path, (38, "h", (1,))))
    with pytest.raises(FileFormatError, match="big-endian"):
        read(patch(path, (0, "4s", (b"2FBA",))))


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ((100, "h", (2,)), "data format is 2"),
        ((120, "h", (0,)), "0 channels"),
        ((120, "h", (17,)), "17 channels"),
        ((122, "f", (np.nan,)), "sampling interval"),
        ((122, "f", (0.0,)), "sampling interval"),
        ((244, "f", (0.0,)), "gain of channel 'IN 0'"),
        ((252, "i", (0,)), "gain of channel 'IN 0'"),
        ((922, "f", (np.inf,)), "gain of channel 'IN 0'"),
        ((1114, "f", (np.nan,)), "offset is no number"),
        ((40, "i", (-1,)), "begin at byte"),
        ((40, "i", (2,)), "begin at byte"),
        ((10, "i", (-10,)), "-10 samples"),
        ((16, "i", (-1,)), "counts -1 sweeps"),
        ((4, "f", (9.0,)), "version is 9"),
        ((410, "h", (16,)), "sampling sequence"),
    ],
)
def test_damaged_fields_of_abf1(tmp_path, volts, field, reason):
    path = write_abf1(tmp_path / "x.abf", volts, units="mV", rate="10 kHz")
    with pytest.raises(FileFormatError, match=reason):
        read(patch(path, field))


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ((100, "q", (10**9,)), r"promises 1000000000 entries of 128 bytes .*\(inputs\)"),
        ((100, "q", (-1,)), "promises -1 entries"),
        ((116, "q", (10**9,)), r"\(outputs\)"),
        ((96, "I", (10,)), "an entry of its inputs has 10 bytes"),
        ((224, "I", (2**31 - 1,)), r"\(strings\)"),
        ((240, "I", (1,)), "a sample has 1 bytes"),
        ((30, "H", (3,)), "data format is 3"),
        ((76, "I", (0,)), "protocol section is missing"),
        ((7, "B", (16,)), "version is 16.6.0.0"),
    ],
)
def test_damaged_fields_of_abf2(tmp_path, volts, field, reason):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT)
    with pytest.raises(FileFormatError, match=reason):
        read(patch(path, field))


def test_samples_that_are_no_numbers(tmp_path, volts):
    volts[0, 1, 5] = np.nan
    volts[0, 2, 600:] = np.inf
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, floats=True)
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [640, 640, 600]
    assert np.isnan(back.sweeps[1].response[5])
    assert back.sweeps[2].command.shape == (600,)
    assert any("infinite or no numbers" in f and "(1, 2)" in f for f in back.findings)


@pytest.mark.parametrize(
    ("date", "milliseconds", "expected"),
    [
        (20240102, 3_723_004, "2024-01-02T01:02:03.004+00:00"),
        (0, 0, None), (20241301, 0, None), (4_000_000_000, 0, None),
    ],
)  # fmt: skip
def test_the_date(tmp_path, volts, date, milliseconds, expected):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT)
    assert read(patch(path, (16, "II", (date, milliseconds)))).session_start == expected


def test_protocol_and_comment(tmp_path, volts):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT)
    back = read(path)
    assert {s.stimulus for s in back.sweeps} == {"steps"}
    assert back.device["comment"] == "a comment"
    assert "ABF 2.6.0.0" in str(describe(path))


def test_a_stimulus_file_of_floats(tmp_path, rng):
    waveforms = rng.normal(0, 20, (1, 2, 640))
    path = write_abf2(
        tmp_path / "x.abf", waveforms, inputs=[In(unit="pA")], outputs=SILENT, floats=True
    )
    assert read_protocol(path).waveforms * 1e12 == pytest.approx(waveforms[0], abs=1e-4)


def test_no_outputs_at_all(tmp_path, volts):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT)
    back = read(patch(path, (108, "IIq", (0, 0, 0)), (512 + 126, "h", (1,))))
    assert str(back.sweeps[0].mode) == "current_clamp"  # what the header says of the experiment
    assert back.sweeps[0].command is None
    back = read(patch(path, (512 + 126, "h", (2,))))
    assert str(back.sweeps[0].mode) == "unknown"


def test_tags_are_told_with_their_times(tmp_path, volts):
    """As pyabf has them."""
    tag = struct.pack("<i56shh", 4000, "µM drug".encode("latin-1"), 1, 0)
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, at_14=("f", 12.5))
    at = path.stat().st_size // 512
    path.write_bytes(path.read_bytes() + tag + bytes(448))
    patch(path, (252, "IIq", (at, 64, 1)))
    assert "tags: 0.05 s 'µM drug'" in read(path).findings
    assert pyabf.ABF(path).tagTimesSec == [0.05]
    patch(path, (260, "q", (10**9,)))  # no more than the file has
    assert any("tags: 0.05 s" in f and "and 999999992 more" in f for f in read(path).findings)
    path = write_abf1(tmp_path / "y.abf", volts, units="mV", rate="10 kHz")
    at = path.stat().st_size // 512
    path.write_bytes(path.read_bytes() + tag + bytes(448))
    assert "tags: 0.4 s 'µM drug'" in read(patch(path, (44, "ii", (at, 1)))).findings


def test_averaged_sweeps_are_said(tmp_path, volts):
    fields = {"at_42": ("h", 1), "at_34": ("i", 5)}
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, **fields)
    assert any("average of up to 5 runs" in f for f in read(path).findings)
    fields["at_42"] = ("h", 0)
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, **fields)
    assert not any("average" in f for f in read(path).findings)


def test_digital_outputs_are_said(tmp_path, volts):
    epochs = [(1, 0.0, 0.0, 90), (1, 0.0, 0.0, 300)]
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(epochs=epochs)], at_140=("h", 1))
    assert not any("digital" in f for f in read(path).findings)
    at = struct.unpack_from("<I", path.read_bytes(), 124)[0] * 512
    patch(path, (at + 32 + 4, "h", (1,)))  # a train in epoch B
    assert any("digital outputs were on in epoch B" in f for f in read(path).findings)
    patch(path, (512 + 140, "h", (0,)))
    assert not any("digital" in f for f in read(path).findings)


def test_starts_after_many_hours_and_out_of_order(tmp_path, volts):
    """Counts of 12.5 us are negative, as 32 bits have it, after 7.5 hours."""
    late = 2**31 + 80_000
    synch = [(0, 640), (late - 2**32, 640), (late - 2**32 + 80_000, 640)]
    fields = {"outputs": SILENT, "at_14": ("f", 12.5)}
    path = write_abf2(tmp_path / "x.abf", volts, synch=synch, **fields)
    assert [s.start_time for s in read(path).sweeps] == [
        0.0, late * 12.5e-6, late * 12.5e-6 + 1
    ]  # fmt: skip
    assert not any("in order" in f for f in read(path).findings)
    path = write_abf2(tmp_path / "x.abf", volts, synch=synch[::-1], **fields)
    assert any("not in order" in f for f in read(path).findings)


def test_more_than_two_gigabytes_of_samples(tmp_path, volts):
    """The header alone is read here, of a file with a hole in it."""
    path = write_abf2(tmp_path / "x.abf", volts, outputs=SILENT, mode=3)
    count = 3 * 2**30
    patch(path, (244, "q", (count,)))
    with path.open("r+b") as file:
        file.truncate(2 * count + 2**14)
    source = open_abf(path)
    assert source.lengths.tolist() == [count]
    path.unlink()


@pytest.mark.parametrize(
    ("name", "khz"), [("171116sh_0016", 10), ("190619B_0003", 3), ("File_axon_5", 3)]
)
def test_the_telegraphed_filter_is_that_of_pyabf(name, khz, data_dir):
    """One ABF1 and two ABF2 files."""
    path = data_dir / "icephys" / "recordings" / f"{name}.abf"
    abf = pyabf.ABF(path, loadData=False)
    header = abf._headerV1 if abf.abfVersion["major"] == 1 else abf._adcSection
    assert header.fTelegraphFilter[0] == khz * 1e3
    assert read(path).device["filtering"].startswith(f"low pass of {khz} kHz")


@pytest.mark.parametrize(("corner", "stated"), [(0.0, False), (99.9e3, True), (1e5, False)])
def test_a_bypassed_filter_is_not_stated(corner, stated):
    assert bool(_filtering(corner)) == stated
