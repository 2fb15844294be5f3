"""Habits and faults of other makers' NWB files: right values, or the reason why there are none.

Four sweeps; sweep k steps by AMPS[k] in samples 100..600 of 1000, and answers as a passive cell.
"""

from __future__ import annotations

import subprocess
import sys

import h5py
import numpy as np
import pytest
from pynwb import TimeSeries
from pynwb.icephys import (
    CurrentClampSeries,
    CurrentClampStimulusSeries,
    IZeroClampSeries,
    PatchClampSeries,
    VoltageClampSeries,
    VoltageClampStimulusSeries,
)

from cleo_like import match
from cleo_like.core import ClampMode, FileFormatError, InputError, UnknownNameError
from cleo_like.io import describe, read, read_all, read_protocol
from tests.io.nwb.nwb_maker import Maker

RATE, N = 20_000.0, 1000
AMPS = np.array([-100, -50, 50, 100]) * 1e-12


def command(k):
    samples = np.zeros(N)
    samples[100:600] = AMPS[k]
    return samples


def potential(k):
    decay = np.exp(-np.arange(500) / 100)
    samples = np.full(N, -0.07)
    samples[100:600] += AMPS[k] * 1.5e8 * (1 - decay)
    samples[600:] += AMPS[k] * 1.5e8 * decay[:400]
    return samples


def at(k):
    return {"rate": RATE, "starting_time": 2.0 * k}


def stamped(times):
    return {"timestamps": times, "rate": None, "starting_time": None}


class File:
    """A file that is made series by series."""

    def __init__(self, tmp_path, electrodes=("e0",)):
        self.maker = Maker(electrodes)
        self.path = tmp_path / "x.nwb"

    def _series(self, cls, name, data, k, fields):
        fields = {"electrode": self.maker.electrodes[0]} | at(k) | fields
        return cls(name=name, data=data, **{n: v for n, v in fields.items() if v is not None})

    def response(self, k, data=None, cls=CurrentClampSeries, name=None, **fields):
        data = potential(k) if data is None else data
        series = self._series(cls, name or f"v{k}", data, k, fields)
        self.maker.file.add_acquisition(series)
        return series

    def stimulus(self, k, data=None, cls=CurrentClampStimulusSeries, name=None, **fields):
        data = command(k) if data is None else data
        template = fields.pop("template", False)
        series = self._series(cls, name or f"i{k}", data, k, fields)
        (self.maker.file.add_stimulus_template if template else self.maker.file.add_stimulus)(
            series
        )
        return series

    def save(self, edit=None):
        self.maker.save(self.path)
        if edit is not None:
            with h5py.File(self.path, "a") as file:
                edit(file)
        return self.path


@pytest.fixture
def file(tmp_path):
    return File(tmp_path)


def filled(file, respond=lambda k: {}, stimulate=lambda k: {}):
    for k in range(4):
        file.response(k, **respond(k))
        file.stimulus(k, **stimulate(k))
    return file


def assert_right(recording, n=4, sweeps=None):
    """All sweeps have the potentials and commands that were meant."""
    sweeps = range(n) if sweeps is None else sweeps
    assert recording.n_sweeps == len(sweeps)
    for k, sweep in zip(sweeps, recording.sweeps, strict=True):
        assert sweep.mode is ClampMode.CURRENT
        assert sweep.rate == RATE
        assert sweep.response == pytest.approx(potential(k), abs=1e-9)
        assert sweep.command == pytest.approx(command(k), abs=1e-18)


def said(recording):
    return " | ".join(recording.findings)


# --- clocks


LATE = 100


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("stamps", [True, False])
def test_a_stimulus_that_starts_later_is_laid_where_it_was(file, numbered, stamps):
    number = (lambda k: {"sweep_number": np.uint64(k)}) if numbered else (lambda k: {})

    def stimulate(k):
        start = 2.0 * k + LATE / RATE
        time = {"starting_time": start}
        if stamps:
            time = stamped(start + np.arange(N - LATE) / RATE)
        return {"data": command(k)[LATE:]} | number(k) | time

    back = read(filled(file, number, stimulate).save())
    for k, sweep in enumerate(back.sweeps):
        assert np.isnan(sweep.command[:LATE]).all()
        assert sweep.command[LATE:] == pytest.approx(command(k)[LATE:], abs=1e-18)
        assert f"command unknown in the first {LATE} and last 0 samples" in sweep.notes
    assert "does not cover the response" in said(back)


@pytest.mark.parametrize("ratio", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("stamps", [True, False])
def test_a_stimulus_of_another_rate_is_held(file, ratio, stamps):
    def stimulate(k):
        index = np.floor(np.arange(int(N * ratio)) / ratio + 1e-9).astype(int)
        time = {"rate": RATE * ratio}
        if stamps:
            time = stamped(2.0 * k + np.arange(len(index)) / RATE / ratio)
        return {"data": command(k)[index], "sweep_number": np.uint64(k)} | time

    back = read(filled(file, lambda k: {"sweep_number": np.uint64(k)}, stimulate).save())
    assert_right(back)
    assert "another rate" in said(back)


def test_a_stimulus_from_before_the_response_is_cut(file):
    def stimulate(k):
        return {
            "data": np.r_[np.full(40, 9e-12), command(k)],
            "starting_time": 2.0 * k - 40 / RATE,
        }

    assert_right(read(filled(file, stimulate=stimulate).save()))


def test_stimuli_that_all_start_at_0_are_laid_from_the_first_sample(file):
    number = lambda k: {"sweep_number": np.uint64(k)}  # noqa: E731
    path = filled(
        file,
        lambda k: number(k) | {"starting_time": 0.01 + 2.0 * k},
        lambda k: number(k) | {"starting_time": 0.0},
    ).save()
    back = read(path)
    assert_right(back)
    assert "no start time of its own" in said(back)


def test_a_stimulus_of_another_time_is_no_command(file):
    number = lambda k: {"sweep_number": np.uint64(k)}  # noqa: E731
    path = filled(file, number, lambda k: number(k) | {"starting_time": 100 + 2.0 * k}).save()
    back = read(path)
    assert [s.command for s in back.sweeps] == [None] * 4
    assert "tells nothing of the time of the response" in said(back)


@pytest.mark.parametrize("stimuli", ["one series", "four series"])
@pytest.mark.parametrize("responses", ["one series", "four series"])
@pytest.mark.parametrize("n", [2, 4])  # one gap is the least that there can be
def test_gaps_split_a_series_into_sweeps(file, responses, stimuli, n):
    times = np.concatenate([2.0 * k + np.arange(N) / RATE for k in range(n)])
    for kind, make, one in (
        (responses, file.response, potential),
        (stimuli, file.stimulus, command),
    ):
        if kind == "one series":
            make(0, data=np.concatenate([one(k) for k in range(n)]), **stamped(times))
        else:
            for k in range(n):
                make(k)
    back = read(file.save())
    assert_right(back, n)
    assert [s.start_time for s in back.sweeps] == [2.0 * k for k in range(n)]
    assert [s.number for s in back.sweeps] == list(range(n))
    assert (f"jump ({n - 1} time" in said(back)) is (responses == "one series")


def test_rows_of_a_table_cut_a_series_with_gaps(file):
    times = stamped(np.concatenate([2.0 * k + np.arange(N) / RATE for k in range(4)]))
    response = file.response(0, data=np.concatenate([potential(k) for k in range(4)]), **times)
    stimulus = file.stimulus(0, data=np.concatenate([command(k) for k in range(4)]), **times)
    for k in range(4):
        window = {"response_start_index": k * N, "response_index_count": N}
        window |= {"stimulus_start_index": k * N, "stimulus_index_count": N}
        file.maker.file.add_intracellular_recording(
            electrode=file.maker.electrodes[0], response=response, stimulus=stimulus, **window
        )
    back = read(file.save())
    assert_right(back)
    assert [s.start_time for s in back.sweeps] == [0.0, 2.0, 4.0, 6.0]
    assert back.findings == ()


def test_one_template_for_all_rows_of_a_table(file):
    stimulus = file.stimulus(3, starting_time=0.0)
    for k in range(3):
        file.maker.file.add_intracellular_recording(
            electrode=file.maker.electrodes[0], response=file.response(k), stimulus=stimulus
        )
    back = read(file.save())
    assert all(s.command == pytest.approx(command(3), abs=1e-18) for s in back.sweeps)
    assert "no start time of its own" in said(back)


def test_a_lost_sample_splits_the_sweep_and_the_command(file):
    kept = np.arange(N) != 500
    path = filled(
        file,
        lambda k: {"data": potential(k)[kept], **stamped(2.0 * k + np.arange(N)[kept] / RATE)},
    ).save()
    back = read(path)
    assert [s.n_samples for s in back.sweeps] == [500, 499] * 4
    assert back.sweeps[1].start_time == pytest.approx(501 / RATE)
    assert back.sweeps[1].command == pytest.approx(command(0)[501:], abs=1e-18)


def test_a_long_stimulus_serves_the_sweeps_within_it(file):
    long = np.zeros(int(8 * RATE / 10))
    for k in range(4):
        file.response(k)
        long[int(2 * k * RATE / 10) + np.arange(N // 10)] = command(k)[::10]
    file.stimulus(0, data=long, rate=RATE / 10)
    back = read(file.save())
    assert_right(back)
    assert "stretch of a longer stimulus" in said(back)


def test_rates_alike_are_one(file):
    path = filled(file, lambda k: stamped(2.0 * k + np.arange(N) / RATE)).save()
    assert {s.rate for s in read(path).sweeps} == {RATE}
    assert_right(read(path))


@pytest.mark.parametrize(
    ("clock", "why"),
    [
        ({"rate": 0.0}, "a rate of 0 Hz"),
        ({"rate": np.nan}, "a rate of nan Hz"),
        ({"unit": "furlongs"}, "its times are in 'furlongs'"),
    ],
)
def test_a_series_without_a_usable_clock_is_left_out(file, clock, why):
    edit = lambda f: f["acquisition/v1/starting_time"].attrs.update(clock)  # noqa: E731
    back = read(filled(file).save(edit))
    assert_right(back, sweeps=(0, 2, 3))
    assert "'v1' left out" in said(back)
    assert why in said(back)


def test_times_in_milliseconds(file):
    def edit(f):
        for k in range(4):
            f[f"acquisition/v{k}/starting_time"][()] = 2000.0 * k
            f[f"acquisition/v{k}/starting_time"].attrs["unit"] = "ms"

    back = read(filled(file).save(edit))
    assert_right(back)
    assert [s.start_time for s in back.sweeps] == [0.0, 2.0, 4.0, 6.0]


def test_kilohertz_stored_as_hertz_are_a_finding(file):
    back = read(filled(file, lambda k: {"rate": 20.0}, lambda k: {"rate": 20.0}).save())
    assert "a rate of 20 Hz looks like kHz" in said(back)
    found = match(back)
    assert found.window is None
    assert "is the rate in kHz?" in found.sweeps[0].reason


# --- units


def units(response, stimulus, conversions=(None, None)):
    def edit(f):
        for k in range(4):
            for path, unit, conversion in (
                (f"acquisition/v{k}/data", response, conversions[0]),
                (f"stimulus/presentation/i{k}/data", stimulus, conversions[1]),
            ):
                if unit is not None:
                    f[path].attrs["unit"] = unit
                if conversion is not None:
                    f[path].attrs["conversion"] = conversion

    return edit


def milli(k):
    return {"data": potential(k) * 1e3}


def pico(k):
    return {"data": command(k) * 1e12}


@pytest.mark.parametrize(
    ("respond", "stimulate", "edit", "text"),
    [
        (milli, pico, units("mV", "pA"), "the unit attribute says 'mV'"),
        (milli, pico, units("millivolts", "picoamperes"), "'picoamperes'"),
        (milli, pico, units("mV", "pA", (1e-3, 1e-12)), "applied once"),
        (milli, pico, units("V", "A", (1e-3, 1e-12)), ""),
        (milli, pico, units("volt", "Amps", (1e-3, 1e-12)), ""),
        (dict, dict, units("a.u.", "arbitrary"), "taken as amperes"),
        (dict, dict, units("", "n/a"), ""),
    ],
)
def test_units_as_the_file_says(file, respond, stimulate, edit, text):
    take = lambda make: lambda k: make(k) if make is not dict else {}  # noqa: E731
    back = read(filled(file, take(respond), take(stimulate)).save(edit))
    assert_right(back)
    assert text in said(back)
    assert bool(said(back)) is bool(text)


def test_units_that_contradict_the_type_make_the_mode_unknown(file):
    back = read(filled(file).save(units("amperes", "volts")))
    assert {s.mode for s in back.sweeps} == {ClampMode.UNKNOWN}
    assert "they contradict each other" in said(back)


@pytest.mark.parametrize("conversion", [0.0, np.nan, np.inf, "x"])
def test_a_conversion_that_is_none(file, conversion):
    with pytest.raises(
        FileFormatError, match=r"no readable intracellular response.*conversion"
    ):
        read(filled(file).save(units(None, None, (conversion, None))))


def test_integers_with_conversion_and_offset(file):
    def respond(k):
        counts = np.rint((potential(k) + 0.07) / 1e-6).astype("i2")
        return {"data": counts, "conversion": 1e-6, "offset": -0.07}

    back = read(filled(file, respond).save())
    for k, sweep in enumerate(back.sweeps):
        assert sweep.response == pytest.approx(potential(k), abs=0.51e-6)


def reshaped(shape):
    def edit(f):
        for k in range(4):
            data = f[f"acquisition/v{k}/data"][:].reshape(shape)
            attributes = dict(f[f"acquisition/v{k}/data"].attrs)
            del f[f"acquisition/v{k}/data"]
            f[f"acquisition/v{k}/data"] = data
            f[f"acquisition/v{k}/data"].attrs.update(attributes)

    return edit


def test_one_column_or_row_is_a_vector(file):
    path = filled(file).save(reshaped((N, 1)))
    assert_right(read(path))
    with h5py.File(path, "a") as f:
        reshaped((1, N))(f)
    assert_right(read(path))


def test_several_columns_are_no_sweep(file):
    with pytest.raises(FileFormatError, match=r"shape \(500, 2\); expected .n_samples,., one"):
        read(filled(file).save(reshaped((500, 2))))


# --- pairs and kinds of series


def test_a_lonely_response_does_not_unpair_the_others(file):
    for k in range(4):
        number = {"sweep_number": np.uint64(k), "starting_time": 0.0}
        file.response(k, **number)
        if k != 1:
            file.stimulus(k, **number)
    back = read(file.save())
    assert [s.command is None for s in back.sweeps] == [False, True, False, False]
    assert back.sweeps[3].command == pytest.approx(command(3), abs=1e-18)


def test_sweep_numbers_that_repeat_are_counted_anew(file):
    number = lambda k: {"sweep_number": np.uint64(k // 2)}  # noqa: E731
    back = read(filled(file, number, number).save())
    assert_right(back)
    assert [s.number for s in back.sweeps] == [0, 1, 2, 3]
    assert "repeat themselves; counted anew" in said(back)


@pytest.mark.parametrize("numbered", [True, False])
def test_a_stimulus_electrode_that_records_nothing(tmp_path, numbered):
    file = File(tmp_path, ("e0", "e1"))
    other = {"electrode": file.maker.electrodes[1]}
    number = (lambda k: {"sweep_number": np.uint64(k)}) if numbered else (lambda k: {})
    back = read(filled(file, number, lambda k: number(k) | other).save())
    assert_right(back)


def test_an_electrode_that_records_keeps_its_stimuli(tmp_path):
    """Stimulating one cell while recording another: the command belongs to the first."""
    file = File(tmp_path, ("e0", "e1"))
    other = {"electrode": file.maker.electrodes[1]}
    for k in range(3):
        number = {"sweep_number": np.uint64(k)}
        file.response(k, **number)
        file.stimulus(k, **number | other)
    file.response(3, **other)
    found = {r.device["electrode"]: r for r in read_all(file.save())}
    assert [s.command for s in found["e0"].sweeps] == [None] * 3
    assert found["e1"].n_sweeps == 1


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("monitor", ["A", "V"])
def test_what_was_recorded_beside_the_potential(file, numbered, monitor):
    cls, scale = (VoltageClampSeries, 1.0) if monitor == "A" else (CurrentClampSeries, 2e9)
    for k in range(4):
        number = {"sweep_number": np.uint64(k)} if numbered else {}
        file.response(k, **number)
        file.stimulus(k, **number)
        data = command(k) * scale
        file.response(k, data=data, cls=cls, name=f"a_second{k}", **number)
    path = file.save()
    back = read(path)
    assert_right(back)
    assert "recorded beside the response of a sweep were left out" in said(back)
    chosen = read(path, electrode="a_second2")
    assert chosen.sweeps[0].response == pytest.approx(command(2) * scale, abs=1e-15)
    with pytest.raises(UnknownNameError, match="unknown electrode or series 'a_third'"):
        read(path, electrode="a_third")


def test_two_potentials_at_once_are_said(file):
    for k in range(4):
        number = {"sweep_number": np.uint64(k)}
        file.response(k, **number)
        file.response(k, data=potential(k) - 0.01, name=f"w{k}", **number)
        file.stimulus(k, **number)
    back = read(file.save())
    assert "which is the potential cannot be told" in said(back)
    assert [s.command for s in back.sweeps] == [None] * 8


def test_both_clamp_modes_on_one_electrode(file):
    filled(file)
    later = {"starting_time": 50.0}
    file.response(0, data=command(1), cls=VoltageClampSeries, name="vc", **later)
    file.stimulus(0, data=potential(1), cls=VoltageClampStimulusSeries, name="vcs", **later)
    back = read(file.save())
    assert [str(s.mode) for s in back.sweeps] == ["current_clamp"] * 4 + ["voltage_clamp"]
    assert back.sweeps[4].command == pytest.approx(potential(1))
    assert back.findings == ()


def test_two_cells_are_two_recordings(tmp_path):
    file = File(tmp_path, ("e0", "e1"))
    for e, shift in zip(file.maker.electrodes, (0, 1), strict=True):
        for k in range(2):
            number = {"sweep_number": np.uint64(k), "electrode": e}
            file.response(k, data=potential(k + shift), name=f"{e.name}v{k}", **number)
            file.stimulus(k, data=command(k + shift), name=f"{e.name}i{k}", **number)
    path = file.save()
    one, two = read_all(path)
    assert_right(one, sweeps=(0, 1))
    assert_right(two, sweeps=(1, 2))
    assert_right(read(path, electrode="e1"), sweeps=(1, 2))
    with pytest.raises(InputError, match="2 electrodes"):
        read(path)


@pytest.mark.parametrize(
    ("respond", "stimulate"),
    [
        (
            {"cls": PatchClampSeries, "unit": "volts"},
            {"cls": PatchClampSeries, "unit": "amperes"},
        ),
        ({}, {"cls": TimeSeries, "unit": "A", "electrode": None}),
    ],
)
def test_general_types_are_told_by_their_unit(file, respond, stimulate):
    assert_right(read(filled(file, lambda k: respond, lambda k: stimulate).save()))


def test_zero_current(file):
    for k in range(4):
        file.response(k, cls=IZeroClampSeries, gain=1.0)
    back = read(file.save())
    assert all(not s.command.any() for s in back.sweeps)
    assert back.findings == ()


def test_templates_count_by_sweep_number_only(tmp_path):
    for numbered in (True, False):
        file = File(tmp_path)
        number = (lambda k: {"sweep_number": np.uint64(k)}) if numbered else (lambda k: {})
        template = lambda k: {"template": True, "starting_time": 0.0} | number(k)  # noqa: E731, B023
        back = read(filled(file, number, template).save())
        if numbered:
            assert_right(back)
            assert "the command is the template" in said(back)
        else:
            assert [s.command for s in back.sweeps] == [None] * 4
            assert "4 stimuli belong to no response" in said(back)


@pytest.mark.parametrize("kept", [True, False])
def test_types_of_an_extension_that_is_not_installed(file, kept):
    text = (
        '{"groups": [{"neurodata_type_def": "Odd", "neurodata_type_inc": "Between"},'
        '{"neurodata_type_def": "Between", "neurodata_type_inc": "CurrentClampSeries"}]}'
    )

    def edit(f):
        for k in range(4):
            name = "Odd" if kept else "LabCurrentClampSeries"
            f[f"acquisition/v{k}"].attrs.update(neurodata_type=name, namespace="ndx-lab")
        if kept:
            f["specifications/ndx-lab/0.1.0/ndx-lab.extensions"] = text

    back = read(filled(file).save(edit))
    assert_right(back)
    assert ("'LabCurrentClampSeries' is not known here; taken as" in said(back)) is not kept


@pytest.mark.parametrize("kind", ["\xff", None])
def test_a_type_that_nobody_knows_loses_no_sweep(file, kind):
    def edit(f):
        del f["acquisition/v1"].attrs["neurodata_type"]
        if kind is not None:
            f["acquisition/v1"].attrs["neurodata_type"] = kind

    back = read(filled(file).save(edit))
    assert_right(back)
    assert f"'v1': its type {kind!r} is not known here" in said(back)


def test_plain_series_are_no_commands_where_there_are_commands(file):
    """A trigger kept as TimeSeries in V beside voltage-clamp stimuli."""
    for k in range(4):
        file.response(k, data=command(k), cls=VoltageClampSeries)
        file.stimulus(k, data=potential(k), cls=VoltageClampStimulusSeries)
        trigger = {"electrode": None, "unit": "V", "name": f"ttl{k}"}
        file.stimulus(k, data=np.zeros(N), cls=TimeSeries, **trigger)
    back = read(file.save())
    assert all(s.command == pytest.approx(potential(k)) for k, s in enumerate(back.sweeps))
    assert back.findings == ()


def test_raw_volts_of_a_converter_are_no_command(file):
    back = read(
        filled(file, lambda k: {}, lambda k: {"data": command(k) * 1e9}).save(units(None, "V"))
    )
    assert [s.command for s in back.sweeps] == [None] * 4
    assert "a CurrentClampStimulusSeries with the unit attribute 'V'" in said(back)


def test_stimuli_without_a_response_are_said(file):
    file.response(0, data=np.concatenate([potential(k) for k in range(4)]))
    for k in range(4):
        file.stimulus(k, starting_time=k * N / RATE)
    back = read(file.save())
    assert "3 stimuli belong to no response: 'i1', 'i2', 'i3'" in said(back)
    assert np.isnan(back.sweeps[0].command[N:]).all()


# --- what is missing or damaged


def unlink(path, link):
    def edit(f):
        for k in range(4):
            del f[path.format(k)]
            f[path.format(k)] = link

    return edit


@pytest.mark.parametrize("path", ["acquisition/v{}", "acquisition/v{}/data"])
@pytest.mark.parametrize(
    ("link", "why"),
    [
        (h5py.ExternalLink("gone.nwb", "/x"), "'/x' of the file 'gone.nwb', which is missing"),
        (h5py.SoftLink("/gone"), "link to '/gone', which is not there"),
    ],
)
def test_links_that_lead_nowhere_are_named(file, path, link, why):
    with pytest.raises(FileFormatError, match=f"no readable intracellular response.*{why}"):
        read(filled(file).save(unlink(path, link)))


def test_a_stimulus_behind_a_broken_link_is_unknown(file):
    edit = unlink("stimulus/presentation/i{}/data", h5py.ExternalLink("gone.nwb", "/x"))
    back = read(filled(file).save(edit))
    assert [s.command for s in back.sweeps] == [None] * 4
    assert "gone.nwb" in said(back)


def test_samples_in_another_file_are_followed(file, tmp_path):
    def edit(f):
        with h5py.File(tmp_path / "raw.h5", "w") as raw:
            for k in range(4):
                f.copy(f"acquisition/v{k}/data", raw, f"d{k}")
                del f[f"acquisition/v{k}/data"]
                f[f"acquisition/v{k}/data"] = h5py.ExternalLink("raw.h5", f"/d{k}")

    assert_right(read(filled(file).save(edit)))


@pytest.mark.parametrize("kind", ["another file", "the same file", "raw bytes"])
def test_samples_that_are_put_together_from_others(file, tmp_path, kind):
    def edit(f):
        path = "acquisition/v1/data"
        attributes, values = dict(f[path].attrs), f[path][:]
        del f[path]
        if kind == "raw bytes":
            raw = str(tmp_path / "v1.raw")
            values.tofile(raw)
            f.create_dataset(path, (N,), values.dtype, external=[(raw, 0, values.nbytes)])
        else:
            name = "other.h5" if kind == "another file" else "."
            if name == ".":
                f["scratch/d"] = values
            else:
                with h5py.File(tmp_path / name, "w") as other:
                    other["scratch/d"] = values
            layout = h5py.VirtualLayout((N,), values.dtype)
            layout[:] = h5py.VirtualSource(name, "scratch/d", shape=(N,))
            f.create_virtual_dataset(path, layout)
        f[path].attrs.update(attributes)

    assert_right(read(filled(file).save(edit)))


def raw_data(kind):
    """HDF5 reads zeros, without a word, from each of these."""

    def edit(f):
        path = "acquisition/v1/data"
        attributes = dict(f[path].attrs)
        folder = f.filename.rpartition("/")[0]
        del f[path]
        if kind == "virtual":
            layout = h5py.VirtualLayout((N,), "f8")
            layout[:] = h5py.VirtualSource("gone.h5", "d", shape=(N,))
            f.create_virtual_dataset(path, layout)
        elif kind == "short file":
            raw = f"{folder}/short.raw"
            np.zeros(N // 2).tofile(raw)
            f.create_dataset(path, (N,), "f8", external=[(raw, 0, 8 * N)])
        elif kind == "unwritten":
            f.create_dataset(path, (N,), "f8")
        f[path].attrs.update(attributes)

    return edit


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("virtual", "of the file 'gone.h5', which is missing"),
        ("short file", "too short (4000 of 8000 bytes)"),
        ("unwritten", "without a recorded sample"),
    ],
)
def test_data_that_hdf5_makes_up_are_left_out(file, kind, why):
    back = read(filled(file).save(raw_data(kind)))
    assert_right(back, sweeps=(0, 2, 3))
    assert why in said(back)


def test_blocks_that_were_never_written_are_unknown(file):
    def edit(f):
        path = "acquisition/v1/data"
        attributes = dict(f[path].attrs)
        del f[path]
        data = f.create_dataset(path, (N,), "f4", chunks=(100,))
        data[:300] = potential(1)[:300]
        data[500:700] = potential(1)[500:700]
        data.attrs.update(attributes)

    sweep = read(filled(file).save(edit)).sweeps[1]
    assert sweep.n_samples == 700
    assert np.flatnonzero(np.isnan(sweep.response)).tolist() == list(range(300, 500))
    assert "300 samples at the end were never recorded" in sweep.notes


def test_an_empty_series_does_not_take_the_others_along(file):
    for k in range(4):
        stop = 0 if k == 2 else N
        time = stamped(2.0 * k + np.arange(stop) / RATE)
        file.response(k, data=potential(k)[:stop], **time)
        file.stimulus(k, data=command(k)[:stop], **time)
    path = file.save()
    assert_right(read(path), sweeps=(0, 1, 3))
    assert "no sample was recorded" in str(describe(path))


def test_infinite_samples_were_not_measured(file):
    data = potential(1)
    data[[5, 700]] = np.inf
    sweep = read(filled(file, lambda k: {"data": data}).save()).sweeps[0]
    assert np.flatnonzero(np.isnan(sweep.response)).tolist() == [5, 700]
    assert "2 samples of the response are infinite; taken as not recorded" in sweep.notes


def test_without_an_electrode_there_is_still_a_recording(file):
    def edit(f):
        for k in range(4):
            del f[f"acquisition/v{k}/electrode"]

    back = read(filled(file).save(edit))
    assert_right(back)
    assert back.device["electrode"] == "unknown electrode"


def test_a_session_without_zone_or_time(file):
    def edit(f):
        del f["session_start_time"]
        f["session_start_time"] = "2020-01-02T03:04:05"

    path = filled(file).save(edit)
    assert read(path).session_start == "2020-01-02T03:04:05+00:00"
    assert "no time zone" in said(read(path))
    with h5py.File(path, "a") as f:
        f["session_start_time"][()] = "yesterday"
    assert read(path).session_start is None
    assert "'yesterday', which is no time" in said(read(path))


# --- files that are something else


def test_other_files_are_called_what_they_are(file, tmp_path):
    path = tmp_path / "y.nwb"
    with h5py.File(path, "w") as f:
        f["nwb_version"] = "NWB-1.0.5"
        f.create_group("acquisition/timeseries")
    with pytest.raises(FileFormatError, match=r"y\.nwb is NWB 1\.0\.5.*only NWB 2 is read"):
        read(path)
    with h5py.File(path, "w") as f:
        f.attrs["nwb_version"] = "1.0.6"
    with pytest.raises(FileFormatError, match=r"NWB 1\.0\.6"):
        describe(path)
    with h5py.File(path, "w") as f:
        f["spikes"] = 1
    with pytest.raises(FileFormatError, match="HDF5 without an NWB version, with 'spikes'"):
        read_protocol(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(FileFormatError, match="no HDF5 file at all"):
        read(path)
    (tmp_path / "z.nwb").mkdir()
    (tmp_path / "z.nwb" / ".zgroup").write_text("{}")
    with pytest.raises(FileFormatError, match="a folder in Zarr; NWB is read from HDF5 only"):
        read(tmp_path / "z.nwb")
    for k in range(4):
        file.response(k, cls=TimeSeries, unit="V", electrode=None)
    with pytest.raises(FileFormatError, match=r"only plain time series \(v0, v1, v2, v3\)"):
        read(file.save())


def test_a_file_that_another_program_writes_is_called_so(file):
    path = filled(file).save()
    code = (
        "import h5py, sys; f = h5py.File(sys.argv[1], 'a'); print('open', flush=True); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout.readline().strip() == b"open"
    with pytest.raises(FileFormatError, match="another program has it open for writing"):
        read(path)
    other.communicate(b"\n")
    assert_right(read(path))
