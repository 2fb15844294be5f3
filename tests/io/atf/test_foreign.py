"""ATF files of other makers: signals, units, delimiters, times; what is damaged says so."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cleo_like.core import FileFormatError, InputError
from cleo_like.io import describe, read, read_all, read_protocol

T = np.arange(200) / 20_000
STEP = np.where((T > 0.002) & (T < 0.006), 100.0, 0.0)
REST = -70 + STEP * 0.05


def atf(tmp_path, columns, *, signals=None, records=(), n_records=None, times=None, **form):
    """Write columns, each (title, values); `signals` names them."""
    times = times if times is not None else ("Time (s)", T)
    tab, end = form.get("tab", "\t"), form.get("end", "\r\n")
    point = form.get("point", ".")
    lines = [*records]
    if signals is not None:
        lines.append(tab.join(['"Signals="', *(f'"{s}"' for s in signals)]))
    head = [
        f"ATF{tab}1.0",
        f"{len(lines) if n_records is None else n_records}{tab}{len(columns) + 1}",
        *lines,
        tab.join(f'"{title}"' for title, _ in [times, *columns]),
    ]
    rows = zip(times[1], *(v for _, v in columns), strict=True)
    body = [tab.join(f"{x:.9g}" for x in row).replace(".", point) for row in rows]
    path = tmp_path / "x.atf"
    encoding = form.get("encoding", "latin-1")
    path.write_bytes((end.join([*head, *body]) + end).encode(encoding))
    return path


def test_a_stimulus_of_two_currents_is_its_first(tmp_path):
    """As SSFINEST.atf, which pyABF's recordings play."""
    path = atf(
        tmp_path, [("Trace #1 (pA)", STEP), ("Trace #1 (nA)", 0 * STEP)],
        signals=["Signal 00", "Signal 01"],
    )  # fmt: skip
    protocol = read_protocol(path)
    assert protocol.waveforms == pytest.approx(STEP[None] * 1e-12)
    assert "'Signal 00' (pA), one of 2 signals" in protocol.source
    assert "stimulus file" in str(describe(path))
    with pytest.raises(FileFormatError, match="electrode='Signal 00'"):
        read(path)
    back = read(path, electrode="Signal 01")
    assert str(back.sweeps[0].mode) == "voltage_clamp"


@pytest.mark.parametrize(
    ("columns", "electrode", "mode", "command"),
    [
        ([("mV", REST), ("pA", STEP)], "S0", "current_clamp", 1e-10),
        ([("pA", STEP), ("mV", REST)], "S0", "voltage_clamp", -0.065),
        ([("°C", 32 + 0 * T), ("pA", STEP)], "S1", "voltage_clamp", None),
        ([("°C", 32 + 0 * T), ("mV", REST), ("pA", STEP)], "S1", "current_clamp", 1e-10),
        ([("V", STEP / 20), ("mV", REST), ("pA", STEP)], "S1", "current_clamp", 1e-10),
        ([("V", STEP / 20), ("pA", STEP), ("mV", REST)], "S1", "voltage_clamp", -0.065),
        ([("pA", STEP), ("V", STEP / 20)], "S0", "voltage_clamp", None),
        ([("mV", 0 * T), ("pA", STEP), ("mV", REST)], "S1", "voltage_clamp", -0.065),
        ([("mV", REST)], "S0", "current_clamp", None),
    ],
)
def test_which_trace_is_the_cell(tmp_path, columns, electrode, mode, command):
    path = atf(
        tmp_path, [(f"Trace #1 ({u})", v) for u, v in columns],
        signals=[f"S{k}" for k in range(len(columns))],
    )  # fmt: skip
    back = read(path)
    assert back.device["electrode"] == electrode
    assert str(back.sweeps[0].mode) == mode
    if command is None:
        assert back.sweeps[0].command is None
    else:
        assert back.sweeps[0].command[80] == pytest.approx(command)


def test_two_potentials_are_two_cells(tmp_path):
    columns = [("mV", REST), ("mV", REST + 5), ("pA", STEP)]
    path = atf(tmp_path, [(f"Trace #1 ({u})", v) for u, v in columns], signals=["A", "B", "C"])
    assert [r.device["electrode"] for r in read_all(path)] == ["A", "B"]
    with pytest.raises(InputError, match="2 electrodes"):
        read(path)
    assert read(path, electrode="B").sweeps[0].response[0] == pytest.approx(-0.065)
    assert str(read(path, electrode="C").sweeps[0].mode) == "voltage_clamp"


def test_traces_are_sorted_by_signal_and_unit(tmp_path):
    """Without names the units tell; with names, whatever stands beside what."""
    side = [("Trace #1 (mV)", REST), ("Trace #1 (pA)", STEP)] * 2
    back = read(atf(tmp_path, side))
    assert back.n_sweeps == 2
    assert back.sweeps[1].command[80] == pytest.approx(1e-10)
    rows = [("Trace #1 (mV)", REST), ("Trace #2 (mV)", REST + 1)]
    rows += [("Trace #1 (pA)", STEP), ("Trace #2 (pA)", 2 * STEP)]
    back = read(atf(tmp_path, rows, signals=["V", "V", "I", "I"]))
    assert back.sweeps[1].response[0] == pytest.approx(-0.069)
    assert back.sweeps[1].command[80] == pytest.approx(2e-10)
    with pytest.raises(FileFormatError, match="not as many traces of each signal"):
        read(atf(tmp_path, [*side, ("Trace #3 (mV)", REST)]))


@pytest.mark.parametrize(
    "form",
    [
        {"end": "\n"}, {"end": "\r"}, {"tab": ","}, {"point": ","}, {"encoding": "utf-8-sig"},
    ],
)  # fmt: skip
def test_delimiters_line_ends_and_decimal_commas(tmp_path, form):
    columns = [("Trace #1 (mV)", REST + 0.25), ("Trace #1 (pA)", STEP)]
    back = read(atf(tmp_path, columns, signals=["V", "I"], **form))
    assert back.sweeps[0].response == pytest.approx((REST + 0.25) * 1e-3)
    assert back.sweeps[0].rate == 20_000
    assert any("decimal commas" in f for f in back.findings) == ("point" in form)


def test_points_and_commas_are_not_guessed(tmp_path):
    path = atf(tmp_path, [("Trace #1 (mV)", REST)])
    path.write_bytes(path.read_bytes().replace(b"-70", b"-1,070.5"))
    with pytest.raises(FileFormatError, match="which is the decimal one"):
        read(path)


@pytest.mark.parametrize(
    ("title", "factor"), [("Time (ms)", 1e3), ("Time (us)", 1e6), ("Time (min)", 1 / 60)]
)
def test_units_of_time(tmp_path, title, factor):
    path = atf(tmp_path, [("Trace #1 (mV)", REST)], times=(title, T * factor))
    assert read(path).sweeps[0].rate == pytest.approx(20_000, rel=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_microvolts_in_any_encoding(tmp_path, encoding):
    """UTF-8 without a mark was read as latin-1: "ÂµV" is no unit."""
    path = atf(tmp_path, [("Trace #1 (µV)", REST * 1e3)])
    text = path.read_bytes()
    text = text.decode("utf-8" if b"\xc2\xb5" in text else "latin-1")
    path.write_bytes(text.encode(encoding))
    np.testing.assert_allclose(read(path).sweeps[0].response, REST * 1e-3, rtol=1e-4)


def test_a_time_without_unit_is_seconds_and_said(tmp_path):
    back = read(atf(tmp_path, [("Trace #1 (mV)", REST)], times=("Time", T)))
    assert any("has no unit; taken as s" in f for f in back.findings)


@pytest.mark.parametrize("title", ["Time (samples)", "Sample", "Trace #0 (mV)"])
def test_a_first_column_that_is_no_time(tmp_path, title):
    with pytest.raises(FileFormatError, match="expected a time"):
        read(atf(tmp_path, [("Trace #1 (mV)", REST)], times=(title, T)))


def test_times_printed_with_six_digits(tmp_path):
    """After 10 s they stand still for two samples of 20 kHz; a lost row is no such thing."""
    long = np.array([float(f"{t:.6g}") for t in 10 + T])
    back = read(atf(tmp_path, [("Trace #1 (mV)", REST)], times=("Time (s)", long)))
    assert back.sweeps[0].rate == 20_000  # 20101 by the first and last time
    assert any("within 1.0%; taken as 20000 Hz" in f for f in back.findings)
    lost = np.r_[T[:100], T[100:] + 5e-4]
    with pytest.raises(FileFormatError, match="not evenly spaced"):
        read(atf(tmp_path, [("Trace #1 (mV)", REST)], times=("Time (s)", lost)))
    for odd in (T[::-1], np.r_[T[:50], np.inf, T[51:]], np.r_[T[:50], np.nan, T[51:]], 0 * T):
        with pytest.raises(FileFormatError, match="not evenly spaced"):
            read(atf(tmp_path, [("Trace #1 (mV)", REST)], times=("Time (s)", odd)))


@pytest.mark.parametrize("starts", ["0,x", "0", "0,1,2", "0,nan", "0,1e400"])
def test_start_times_that_are_none(tmp_path, starts):
    columns = [("Trace #1 (mV)", REST), ("Trace #2 (mV)", REST)]
    path = atf(tmp_path, columns, signals=["V", "V"], records=[f'"SweepStartTimesMS={starts}"'])
    back = read(path)
    assert [s.start_time for s in back.sweeps] == [0.0, pytest.approx(0.01)]
    assert any("taken end to end" in f for f in back.findings)


def test_start_times(tmp_path):
    columns = [("Trace #1 (mV)", REST), ("Trace #2 (mV)", REST)]
    path = atf(tmp_path, columns, signals=["V", "V"], records=['"SweepStartTimesMS=0,1500"'])
    assert [s.start_time for s in read(path).sweeps] == [0.0, 1.5]


def test_records_that_are_promised_and_are_not_there(tmp_path):
    path = atf(tmp_path, [("Trace #1 (mV)", REST)], n_records=10**9)
    begin = time.perf_counter()
    with pytest.raises(FileFormatError, match="promises 1000000000 records"):
        read(path)
    assert time.perf_counter() - begin < 5
    for wrong in (1, 3):
        with pytest.raises(FileFormatError, match="promises 2 columns after"):
            read(atf(tmp_path, [("Trace #1 (mV)", REST)], n_records=wrong))


@pytest.mark.parametrize("bad", ["inf", "1e400", "nan"])
def test_samples_that_are_no_numbers(tmp_path, bad):
    path = atf(tmp_path, [("Trace #1 (mV)", REST), ("Trace #1 (pA)", STEP)])
    lines = path.read_bytes().split(b"\r\n")
    lines[50] = lines[50].split(b"\t")[0] + f"\t{bad}\t{bad}".encode()
    path.write_bytes(b"\r\n".join(lines))
    back = read(path)
    assert np.isnan(back.sweeps[0].response).sum() == 1
    assert any("infinite or no numbers" in f for f in back.findings)
    assert any("the command is infinite or no number" in f for f in back.findings)


def test_a_comment_whose_rate_contradicts_the_times(tmp_path):
    told = '"Comment=x; rate: 10000.0 Hz; samples: 200"'
    with pytest.raises(FileFormatError, match="says 10000 Hz, its time column 20000 Hz"):
        read(atf(tmp_path, [("Trace #1 (mV)", REST)], records=[told]))
    for odd in ("1.2.3", "nan", "0", "-5"):
        told = f'"Comment=x; rate: {odd} Hz; samples: 200"'
        back = read(atf(tmp_path, [("Trace #1 (mV)", REST)], records=[told]))
        assert back.sweeps[0].rate == 20_000
