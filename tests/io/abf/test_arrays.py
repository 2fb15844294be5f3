"""The ABF1 writer against other readers: values, sweeps, channels, names, units."""

from __future__ import annotations

import struct

import numpy as np
import pyabf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like.core import FileFormatError, InputError, UnitError
from cleo_like.io import Header, write_abf1
from cleo_like.io.abf.source import open_abf

RATES = (
    1000.0,
    10_000.0,
    20_000.0,
    22_050.0,
    24_000.0,
    44_100.0,
    48_000.0,
    96_000.0,
    250_000.0,
)
UNITS = ("mV", "pA", "nA", "V", "µA", "°C")


def lsb(values: np.ndarray) -> float:
    """Size of the least significant bit that a channel may have: its peak is 32000 LSB.

    The scale factor is a float32 number, so 1.2e-7 of it is rounding.
    """
    return float(np.abs(values).max()) / 32000 * (1 + 2e-7)


@st.composite
def cases(draw):
    n_channels = draw(st.integers(1, 4))
    n_sweeps = draw(st.sampled_from([1, 2, 3, 17]))
    n_samples = draw(st.sampled_from([1, 2, 63, 64, 100, 256, 1000, 4096]))
    units = [draw(st.sampled_from(UNITS)) for _ in range(n_channels)]
    scales = [draw(st.sampled_from([1e-6, 1e-2, 1.0, 10.0, 87.3, 1e6])) for _ in units]
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    offset = draw(st.sampled_from([0.0, -3.0, 5.0]))
    data = rng.standard_normal((n_channels, n_sweeps, n_samples)) + offset
    if draw(st.booleans()):
        data[0] = 0.0  # a silent channel
    data *= np.array(scales)[:, np.newaxis, np.newaxis]
    data = data.astype(draw(st.sampled_from([np.float64, np.float32])))
    return data, units, draw(st.sampled_from(RATES))


@settings(max_examples=50)
@given(case=cases())
def test_round_trip_in_half_a_bit(tmp_path_factory, case):
    data, units, rate = case
    path = tmp_path_factory.mktemp("abf") / "x.abf"
    write_abf1(path, data, units=units, rate=f"{rate!r} Hz")
    source = open_abf(path)
    assert source.rate == rate
    assert tuple(u.text.replace("μ", "µ") for u in source.units) == tuple(units)
    assert (len(source.lengths), source.lengths[0]) == data.shape[1:]
    stored = source.samples()
    for index, channel in enumerate(data):
        back = np.stack(source.channel(stored, index)) / source.units[index].scale
        assert np.abs(back - channel).max() <= 0.5 * lsb(channel)
        assert np.abs(stored[:, index]).max() <= 32000


@settings(max_examples=15)
@given(case=cases())
def test_pyabf_reads_every_sweep_of_every_channel(tmp_path_factory, case):
    data, units, rate = case
    path = tmp_path_factory.mktemp("abf") / "x.abf"
    write_abf1(path, data, units=units, rate=f"{rate!r} Hz")
    abf = pyabf.ABF(path)
    assert abf.sweepCount == data.shape[1]
    assert abf.channelCount == data.shape[0]
    assert abs(abf.dataRate - rate) <= 1  # pyabf cuts rates to whole numbers
    for index, channel in enumerate(data):
        for number, sweep in enumerate(channel):
            abf.setSweep(number, channel=index)
            tolerance = 0.5 * lsb(channel) + 1e-6 * np.abs(channel).max()  # pyabf: float32
            assert np.abs(abf.sweepY - sweep).max() <= tolerance


def _neo_segments(path):
    from neo.rawio import AxonRawIO

    reader = AxonRawIO(filename=str(path))
    reader.parse_header()
    n_segments = reader.segment_count(0)
    chunks = [
        reader.rescale_signal_raw_to_float(
            reader.get_analogsignal_chunk(0, segment, stream_index=stream), stream_index=stream
        )
        for segment in range(n_segments)
        for stream in range(reader.signal_streams_count())
    ]
    return reader, chunks


def test_neo_reads_values_starts_and_rate(tmp_path, rng):
    data = rng.normal(size=(2, 3, 500)) * np.array([60.0, 200.0])[:, None, None]
    path = write_abf1(
        tmp_path / "x.abf",
        data,
        units=["mV", "pA"],
        names=["Vm", "Cmd"],
        rate="22.05 kHz",
        start_times=["0 s", "1 s", "2.5 s"],
    )
    reader, chunks = _neo_segments(path)
    assert reader.segment_count(0) == 3
    signals = reader.header["signal_channels"]
    assert signals["name"].tolist() == ["Vm", "Cmd"]
    assert signals["units"].tolist() == ["mV", "pA"]
    assert signals["sampling_rate"].tolist() == pytest.approx([22050] * 2, rel=1e-6)
    starts = [reader.segment_t_start(0, i) for i in range(3)]
    assert starts == pytest.approx([0.0, 1.0, 2.5], abs=1e-4)  # float32 tick: 3e-8 of 2.5 s
    # neo streams channels by unit or all together; put them side by side either way
    per_segment = len(chunks) // 3
    for number in range(3):
        parts = chunks[number * per_segment : (number + 1) * per_segment]
        both = np.concatenate(parts, axis=1).T
        for index in range(2):
            assert np.abs(both[index] - data[index, number]).max() <= 0.51 * lsb(data[index])


def test_myokit_reads_values_and_units(tmp_path, rng):
    from myokit.formats.axon import AbfFile

    data = rng.normal(size=(2, 3, 500)) * np.array([60.0, 200.0])[:, None, None]
    path = write_abf1(tmp_path / "x.abf", data, units=["mV", "pA"], rate="20 kHz")
    abf = AbfFile(str(path))
    sweeps = list(abf)
    assert len(sweeps) == 3
    for number, sweep in enumerate(sweeps):
        channels = list(sweep)[:2]
        assert [str(c.unit()) for c in channels] == ["[mV]", "[pA]"]
        for index, channel in enumerate(channels):
            error = np.abs(channel.values() - data[index, number]).max()
            assert error <= 0.51 * lsb(data[index])


def test_a_million_samples_in_one_sweep_and_the_limit(tmp_path, rng):
    data = rng.normal(size=(1, 1, 1_000_001))
    source = open_abf(write_abf1(tmp_path / "x.abf", data, units="pA", rate="50 kHz"))
    back = source.channel(source.samples(), 0)[0] * 1e12
    assert np.abs(back - data[0, 0]).max() <= 0.5 * lsb(data)
    too_long = np.zeros((1, 1, 1_032_259))
    with pytest.raises(FileFormatError, match=r"at most 1032258 samples per sweep.*write NWB"):
        write_abf1(tmp_path / "y.abf", too_long, units="pA", rate="50 kHz")
    assert not (tmp_path / "y.abf").exists()


def test_more_samples_than_32_bits_count_is_an_error(tmp_path):
    huge = np.broadcast_to(np.float32(0), (4, 1000, 1_000_000))
    with pytest.raises(FileFormatError, match="at most 2147483647 samples in all"):
        write_abf1(tmp_path / "x.abf", huge, units="pA", rate="50 kHz")
    with pytest.raises(FileFormatError, match="at most 16 channels"):
        write_abf1(tmp_path / "x.abf", np.zeros((17, 1, 4)), units="pA", rate="50 kHz")
    with pytest.raises(FileFormatError, match="counts starts up to"):
        write_abf1(
            tmp_path / "x.abf",
            np.zeros((2, 4)),
            units="pA",
            rate="50 kHz",
            start_times=["0 s", "50000 s"],
        )


def test_header_of_1024_samples_has_no_spare_block(tmp_path):
    path = write_abf1(tmp_path / "x.abf", np.ones((1, 1024)), units="pA", rate="10 kHz")
    raw = path.read_bytes()
    assert len(raw) == 6144 + 2048 + 512  # header, data, synch array
    assert struct.unpack_from("<f", raw, 4)[0] == pytest.approx(1.83)
    assert struct.unpack_from("<16h", raw, 410) == (0, *(-1,) * 15)
    assert struct.unpack_from("<16h", raw, 4512) == (0,) * 16  # no telegraph


def test_integers_and_non_contiguous_arrays(tmp_path):
    data = np.arange(-32768, 32768, 256).astype(np.int16)
    path = write_abf1(tmp_path / "x.abf", data[np.newaxis, ::-2], units="pA", rate="10 kHz")
    assert np.abs(pyabf.ABF(path).sweepY - data[::-2]).max() <= 0.51 * 32768 / 32000


def test_comment_protocol_date_reach_pyabf(tmp_path):
    from datetime import datetime

    header = Header(
        recorded=datetime(2021, 2, 3, 4, 5, 6, 789_000),
        comment="µA and more",
        protocol="steps.pro",
    )
    path = write_abf1(
        tmp_path / "x.abf", np.ones((1, 200)), units="pA", rate="10 kHz", header=header
    )
    abf = pyabf.ABF(path)
    assert abf.abfDateTime == datetime(2021, 2, 3, 4, 5, 6, 789_000)
    assert abf.abfVersionString == "1.8.3.0"
    source = open_abf(path)
    assert source.started == "2021-02-03T04:05:06.789"


GOOD = {"units": "pA", "rate": "10 kHz"}


@pytest.mark.parametrize(
    ("data", "options", "error", "text"),
    [
        (np.ones((1, 4)), {"units": "", "rate": "1 kHz"}, UnitError, "name the unit"),
        (np.ones((1, 4)), {"units": ["pA", "mV"], "rate": "1 kHz"}, UnitError, "1 channels"),
        (np.ones((1, 4)), {"units": "pA", "rate": 1000}, UnitError, "rate=1000 has no unit"),
        (np.ones((1, 4)), {"units": "pA", "rate": "5 mV"}, UnitError, "unit of Hz"),
        (np.ones((1, 4)), {"units": "pA", "rate": "-5 Hz"}, InputError, "positive"),
        (np.ones((1, 4)), {"units": "MΩ", "rate": "5 Hz"}, FileFormatError, "latin-1"),
        (np.ones((1, 4)), {"units": "picoampere", "rate": "5 Hz"}, FileFormatError, "room for 8"),
        (np.ones((2, 4)), {**GOOD, "start_times": ["0 s", "0.1 ms"]}, InputError, "overlap"),
        (np.ones((2, 4)), {**GOOD, "start_times": ["0 s"]}, InputError, "2 finite times"),
        (np.ones((1, 4)), {**GOOD, "names": ["a", "b"]}, InputError, "one per channel"),
        (np.array([[1.0, np.nan]]), GOOD, InputError, "nan in sweep 0 at sample 1"),
        (np.array([[1.0, np.inf]]), GOOD, InputError, "inf in sweep 0 at sample 1"),
        (np.array([[1.0, 1e35]]), GOOD, InputError, "another unit"),
        (np.ones(4), GOOD, InputError, "shape"),
        (np.ones((1, 1, 1, 4)), GOOD, InputError, "shape"),
        (np.ones((1, 0)), GOOD, InputError, "at least one sample"),
        (np.ones((1, 4)) * 1j, GOOD, InputError, "real numbers"),
        (np.ones((1, 4), dtype=bool), GOOD, InputError, "real numbers"),
    ],
)  # fmt: skip
def test_bad_input_says_what_and_leaves_nothing(tmp_path, data, options, error, text):
    with pytest.raises(error, match=text):
        write_abf1(tmp_path / "x.abf", data, **options)
    assert list(tmp_path.iterdir()) == []


def test_micro_sign_stays_micro(tmp_path):
    path = write_abf1(tmp_path / "x.abf", np.ones((1, 200)), units="μA", rate="10 kHz")  # Greek
    assert path.read_bytes()[602:610] == b"\xb5A      "
    source = open_abf(path)
    assert source.channel(source.samples(), 0)[0][0] == pytest.approx(1e-6)
    reader, _ = _neo_segments(path)
    assert reader.header["signal_channels"]["units"].tolist()[0] in ("µA", "uA")


def test_fields_where_the_format_of_abf1_has_them(tmp_path):
    """Offsets of Axon's description of the header (version 1.83)."""
    data = np.linspace(-80, 40, 2 * 3000).reshape(2, 3000)
    path = write_abf1(tmp_path / "x.abf", data, rate="20 kHz", units="mV", names=["Vm"])
    raw = path.read_bytes()

    def at(offset, form):
        return struct.unpack_from("<" + form, raw, offset)[0]

    assert raw[:4] == b"ABF "
    assert at(4, "f") == pytest.approx(1.83)
    assert (at(8, "h"), at(10, "i"), at(16, "i")) == (5, 6000, 2)  # episodic, samples, sweeps
    assert (at(36, "h"), at(100, "h"), at(120, "h")) == (1, 0, 1)  # ABF, integers, channels
    assert at(40, "i") * 512 == at(2034, "i")  # data begin where the header ends
    assert at(122, "f") == pytest.approx(50.0)  # us between samples
    assert (at(138, "i"), at(96, "i")) == (3000, 2)
