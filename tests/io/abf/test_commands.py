"""The command that an ABF header describes, against pyabf where it is right, else the definition.

The definition is Axon's public description: 1/64 at holding, the epochs, holding or the last
level; a user list takes the place of one parameter; outputs 0 and 1 may take turns.
"""

from __future__ import annotations

import struct

import numpy as np
import pyabf
import pytest

from cleo_like.io import Header, read, read_protocol, write_abf1
from cleo_like.io.abf.table import EpochTable
from tests.io.abf.abf2 import In, Out, write_abf2

N, OFF = 640, 10
STEP, RAMP, PULSES, TRIANGLES, COSINES, BIPHASIC = 1, 2, 3, 4, 5, 7


@pytest.fixture
def volts(rng):
    return rng.normal(-70, 0.1, (1, 4, N))


def commands(path):
    """Of every sweep in pA (or mV); None where one is unknown."""
    back = read(path)
    if any(s.command is None for s in back.sweeps):
        assert any("unknown" in f for f in back.findings)
        return None
    return np.stack([s.command for s in back.sweeps]) * 1e12


def by_pyabf(path):
    abf, found = pyabf.ABF(path), []
    for k in abf.sweepList:
        abf.setSweep(k)
        found.append(abf.sweepC)
    return np.stack(found)


@pytest.mark.parametrize(
    "epochs",
    [
        [(STEP, 0.0, 0.0, 90), (STEP, -50.0, 25.0, 300)],
        [(STEP, 5.0, 0.0, 90), (RAMP, -50.0, 25.0, 300), (STEP, 7.0, 1.0, 20)],
        [(STEP, 0.0, 0.0, 90), (STEP, 50.0, 0.0, 100, 40), (STEP, -5.0, 0.0, 50, -10)],
        [(STEP, 5.0, 0.0, 90), (PULSES, 50.0, 10.0, 300, 0, 50, 20)],
        [(STEP, 5.0, 0.0, 90), (TRIANGLES, 50.0, 10.0, 300, 0, 50, 20)],
        [(STEP, 5.0, 0.0, 90), (BIPHASIC, 50.0, 10.0, 300, 0, 50, 21)],
    ],
    ids=["steps", "ramp", "durations", "pulses", "triangles", "biphasic"],
)
@pytest.mark.parametrize("keeps_last", [0, 1])
def test_epochs_as_pyabf_draws_them(tmp_path, volts, epochs, keeps_last):
    output = Out(holding=-3.0, keeps_last=keeps_last, epochs=epochs)
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output])
    assert commands(path) == pytest.approx(by_pyabf(path), abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        (PULSES, lambda at: at < 20),
        (BIPHASIC, lambda at: 1.0 * (at < 10) - 1.0 * ((at >= 10) & (at < 20))),
        (TRIANGLES, lambda at: np.where(at < 20, at / 19, 1 - (at - 20) / 29)),
        (COSINES, lambda at: (1 - np.cos(2 * np.pi * at / 50)) / 2),
    ],
)
def test_trains_go_on_to_the_end_of_the_epoch(tmp_path, volts, kind, share):
    """315 samples are 6.3 periods of 50; pyabf leaves the last part flat, or no number."""
    output = Out(epochs=[(STEP, 5.0, 0.0, 90), (kind, 45.0, 10.0, 315, 0, 50, 20)])
    found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=[output]))
    at = np.arange(315) % 50
    for k in range(4):
        expected = 5 + (40 + 10 * k) * share(at)
        assert found[k, 100:415] == pytest.approx(expected, abs=1e-4)
        assert found[k, 415:] == pytest.approx(0)


@pytest.mark.parametrize(("period", "width"), [(0, 0), (50, 51), (-1, 0), (50, -1)])
def test_a_train_that_cannot_be_is_unknown(tmp_path, volts, period, width):
    output = Out(epochs=[(PULSES, 45.0, 0.0, 300, 0, period, width)])
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output])
    assert commands(path) is None
    assert any("the train of epoch A" in f for f in read(path).findings)


def test_a_train_as_wide_as_its_period_is_a_step(tmp_path, volts):
    output = Out(epochs=[(PULSES, 45.0, 0.0, 300, 0, 50, 50)])
    found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=[output]))
    assert found[0, OFF : OFF + 300] == pytest.approx(45)


LADDER = [(STEP, 0.0, 0.0, 90), (STEP, -50.0, 50.0, 300)]


@pytest.mark.parametrize(
    ("text", "repeats", "levels"),
    [
        ("-200,-50,0,25", 0, [-200, -50, 0, 25]),
        ("-200, 7.5", 0, [-200, 7.5, 7.5, 7.5]),
        ("-200,7.5,", 1, [-200, 7.5, -200, 7.5]),
        ("1e2", 0, [100] * 4),
    ],
)
def test_a_user_list_of_levels(tmp_path, volts, text, repeats, levels):
    output = Out(epochs=LADDER, user_list=(22, text, repeats))
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output])
    assert commands(path)[:, 200] == pytest.approx(levels)
    assert read(path).protocol.epochs[1].levels == pytest.approx(np.array(levels) * 1e-12)


def test_a_user_list_of_durations(tmp_path, volts):
    """Parameter 35 is the duration of epoch E, as in pyABF's file user-list-durations."""
    epochs = [(STEP, float(k), 0.0, 20) for k in range(6)]
    output = Out(epochs=epochs, user_list=(35, "30,10,200,0", 0))
    found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=[output]))
    for k, duration in enumerate((30, 10, 200, 0)):
        changes = np.flatnonzero(np.diff(found[k])) + 1
        end = 90 + duration
        expected = [30, 50, 70, 90, end, end + 20] if duration else [30, 50, 70, 90, 110]
        assert changes.tolist() == expected
    assert read(tmp_path / "x.abf").protocol.epochs == ()


def test_user_lists_of_periods_and_widths(tmp_path, volts):
    train = [(PULSES, 50.0, 0.0, 300, 0, 50, 20)]
    for parameter, text, count in (
        (41, "30,60,100,300", [10, 5, 3, 1]),
        (51, "1,20,30,50", None),
    ):
        output = Out(epochs=train, user_list=(parameter, text, 0))
        found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=[output]))
        rises = (np.diff(found, axis=1) > 0).sum(axis=1)
        on = (found == 50).sum(axis=1)
        assert on.tolist() == ([6, 120, 180, 300] if count is None else [20 * n for n in count])
        assert count is None or rises.tolist() == count


@pytest.mark.parametrize(
    ("user_list", "reason"),
    [
        ((26, "1,2,3,4", 0), "level of epoch F, which is off"),
        ((36, "1,2,3,4", 0), "duration of epoch F, which is off"),
        ((22, "1,two", 0), "no list of numbers"),
        ((22, "", 0), "no list of numbers"),
        ((61, "1,2,3,4", 0), "parameter 61"),
        ((-1, "1,2,3,4", 0), "parameter -1"),
        ((32, "1,2,3,4000", 0), "does not fit"),
        ((22, "1,2,3,1e9", 0), "level that is no number"),
    ],
)
def test_user_lists_that_tell_nothing(tmp_path, volts, user_list, reason):
    path = write_abf2(
        tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER, user_list=user_list)]
    )
    assert commands(path) is None
    assert any(reason in f for f in read(path).findings)


@pytest.mark.parametrize("parameter", [0, 3, 7, 9, 10, 11, 20])
def test_user_lists_of_what_is_in_no_sweep_change_nothing(tmp_path, volts, parameter):
    output = Out(epochs=LADDER, user_list=(parameter, "1,2,3,4", 0))
    found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=[output]))
    assert found[:, 200] == pytest.approx([-50, 0, 50, 100])


def test_a_user_list_of_clampex_11_is_not_guessed(tmp_path, volts):
    output = Out(epochs=LADDER, user_list=(22, "1,2,3,4", 0))
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output], creator=11)
    assert commands(path) is None


def test_a_user_list_of_the_other_outputs_holding(tmp_path, volts):
    outputs = [
        Out(enabled=0, holding=3.0),
        Out(name="Cmd 1", number=1, unit="mV", epochs=LADDER, user_list=(8, "10,20,30,40", 0)),
    ]
    found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=outputs))
    assert found[:, 100] == pytest.approx([10, 20, 30, 40])
    outputs[1].number = 2
    assert commands(write_abf2(tmp_path / "x.abf", volts, outputs=outputs)) is None


def test_durations_listed_for_an_output_that_was_not_active(tmp_path, volts):
    output = Out(epochs=LADDER, user_list=(32, "10,20,30,40", 0))
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output], at_142=("h", 1))
    assert commands(path) is None
    output.user_list = (22, "10,20,30,40", 0)  # levels are listed for each output
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output], at_142=("h", 1))
    assert commands(path)[:, 200] == pytest.approx([10, 20, 30, 40])


def test_each_output_has_its_own_epochs_and_user_list(tmp_path, volts):
    both = np.concatenate([volts, volts])
    inputs = [In(), In(name="IN 1", number=1)]
    more = [(STEP, 1.0, 0.0, 90), (STEP, 2.0, 0.0, 300)]
    outputs = [
        Out(epochs=LADDER, user_list=(22, "5,6,7,8", 0)),
        Out(name="Cmd 1", number=1, epochs=more, user_list=(21, "9", 0)),
    ]
    path = write_abf2(tmp_path / "x.abf", both, inputs=inputs, outputs=outputs)
    one, two = (read(path, electrode=name) for name in ("IN 0", "IN 1"))
    assert [s.command[200] * 1e12 for s in one.sweeps] == pytest.approx([5, 6, 7, 8])
    assert [s.command[50] * 1e12 for s in two.sweeps] == pytest.approx([9] * 4)
    assert [s.command[200] * 1e12 for s in two.sweeps] == pytest.approx([2] * 4)


def test_outputs_that_take_turns(tmp_path, volts):
    """Output 0 plays in the first sweep, output 1 in the second, and so on."""
    both = np.concatenate([volts, volts])
    inputs = [In(), In(name="IN 1", number=1)]
    outputs = [
        Out(epochs=LADDER, holding=-3.0),
        Out(name="Cmd 1", number=1, epochs=LADDER, holding=2.0),
    ]
    path = write_abf2(tmp_path / "x.abf", both, inputs=inputs, outputs=outputs, at_182=("h", 1))
    one, two = (read(path, electrode=name) for name in ("IN 0", "IN 1"))
    levels = [[s.command[200] * 1e12 for s in r.sweeps] for r in (one, two)]
    assert levels[0] == pytest.approx([-50, -3, 50, -3])
    assert levels[1] == pytest.approx([2, 0, 2, 100])
    assert one.protocol.epochs[1].levels * 1e12 == pytest.approx([-50, -3, 50, -3])


def test_turns_with_the_last_level_are_not_defined(tmp_path, volts):
    path = write_abf2(
        tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER, keeps_last=1)], at_182=("h", 1)
    )
    assert commands(path) is None


def test_after_a_conditioning_train_the_sweep_begins_at_its_level(tmp_path, volts):
    output = Out(epochs=LADDER, holding=-3.0, train=(1, 0.5, 12.0))
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output])
    found = commands(path)
    assert found[:, 0] == pytest.approx(12)
    assert found[:, -1] == pytest.approx(-3)
    assert any("conditioning train" in f for f in read(path).findings)
    output.train = (1, 0.0, 12.0)  # no time after it: back at holding
    assert commands(write_abf2(path, volts, outputs=[output]))[0, 0] == pytest.approx(-3)


def test_leak_subtraction_is_said(tmp_path, volts):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER, leak=1)])
    assert any("leak subtraction" in f for f in read(path).findings)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"at_22": ("i", 1280)}, "recorded with 1280"),  # cut in Clampfit
        ({"at_30": ("i", 3)}, "its waveform is told for 3"),  # sweeps added later
        ({"at_46": ("h", 2)}, "began with sweep 2"),
    ],
)
def test_sweeps_that_are_not_those_of_the_table(tmp_path, volts, fields, reason):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER)], **fields)
    assert commands(path) is None
    assert any(reason in f for f in read(path).findings)


def test_a_sweep_of_few_samples_begins_with_one_at_holding(tmp_path):
    """1/64 is no sample then, and Axon's definition has at least one."""
    output = Out(holding=-3.0, epochs=[(STEP, 5.0, 0.0, 20)])
    path = write_abf2(tmp_path / "x.abf", np.full((1, 2, 40), -70.0), outputs=[output])
    assert commands(path)[0] == pytest.approx(np.r_[-3, np.full(20, 5), np.full(19, -3)])


def test_epochs_to_the_last_sample_and_one_beyond(tmp_path, volts):
    output = Out(epochs=[(STEP, 5.0, 0.0, N - OFF)])
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[output])
    assert commands(path)[0, -1] == pytest.approx(5)
    output.epochs = [(STEP, 5.0, 0.0, N - OFF + 1)]
    assert commands(write_abf2(path, volts, outputs=[output])) is None


def test_a_first_sweep_of_one_and_more_sweeps_than_recorded_are_usual(tmp_path, volts):
    fields = {"at_30": ("i", 200), "at_46": ("h", 1)}
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER)], **fields)
    assert commands(path)[3, 200] == pytest.approx(100)


@pytest.mark.parametrize("mode", [2, 3, 4])
def test_only_episodic_files_have_waveforms(tmp_path, volts, mode):
    path = write_abf2(
        tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER, holding=-3.0)], mode=mode
    )
    assert np.unique(commands(path)) == pytest.approx([-3.0])


def test_settings_changed_by_hand_make_the_holding_unknown(tmp_path, volts):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(enabled=0)])
    raw = bytearray(path.read_bytes())
    struct.pack_into("<IIq", raw, 284, 2, 12, 3)
    path.write_bytes(bytes(raw))
    assert commands(path) is None
    assert any("changed by hand 3 times" in f for f in read(path).findings)


@pytest.mark.parametrize(("enabled", "origin"), [(0, 1), (1, 0), (0, 2)])
def test_no_waveform_is_the_holding_level(tmp_path, volts, enabled, origin):
    output = Out(enabled=enabled, origin=origin, epochs=LADDER, holding=-3.0)
    found = commands(write_abf2(tmp_path / "x.abf", volts, outputs=[output]))
    assert np.unique(found) == pytest.approx([-3.0])


@pytest.mark.parametrize("holding", [np.nan, np.inf, 2e6])
def test_a_holding_level_that_is_no_number(tmp_path, volts, holding):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER, holding=holding)])
    assert commands(path) is None


@pytest.mark.parametrize(("unit", "scale"), [("nA", 1e3), ("µA", 1e6), ("A", 1e12)])
def test_outputs_in_other_units(tmp_path, volts, unit, scale):
    epochs = [(STEP, 0.0, 0.0, 90), (STEP, 0.5, 0.0, 300)]
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(unit=unit, epochs=epochs)])
    assert commands(path)[0, 200] == pytest.approx(0.5 * scale)


def test_an_unknown_source_is_not_holding(tmp_path, volts):
    path = write_abf2(tmp_path / "x.abf", volts, outputs=[Out(origin=3, epochs=LADDER)])
    assert commands(path) is None


# --- stimulus files ---------------------------------------------------------------------


def played(tmp_path, stimulus, *, suffix="abf", unit="pA", floats=True, **file):
    """A recording beside the file that it played."""
    name = f"Stim.{suffix}"
    if suffix == "abf":
        write_abf2(
            tmp_path / name, stimulus, inputs=[In(unit=unit)], outputs=[Out(enabled=0)],
            floats=floats,
        )  # fmt: skip
    path = ("C:\\x\\" + name, file.get("episode", 0), file.get("channel", 0), 1.0, 0.0)
    return write_abf2(
        tmp_path / "x.abf",
        np.full((1, 4, N), -70.0),
        outputs=[Out(origin=2, file=path, holding=-3.0)],
    )


def test_a_stimulus_file_of_floats_is_played_at_its_own_size(tmp_path, rng):
    stimulus = 20 * rng.standard_normal((1, 4, N))
    found = commands(played(tmp_path, stimulus))
    assert found[:, OFF:-OFF] == pytest.approx(stimulus[0, :, OFF:-OFF], abs=1e-5)
    assert np.unique(found[:, :OFF]) == pytest.approx([-3])


@pytest.mark.parametrize(
    ("episode", "sweeps"),
    [(0, [0, 1, 2, 2]), (1, [0, 0, 0, 0]), (2, [1, 1, 1, 1]), (-1, [1, 2, 2, 2])],
)
def test_which_sweeps_of_the_stimulus_file(tmp_path, rng, episode, sweeps):
    stimulus = rng.standard_normal((1, 3, N))
    found = commands(played(tmp_path, stimulus, episode=episode))
    assert found[:, OFF:-OFF] == pytest.approx(stimulus[0, sweeps, OFF:-OFF], abs=1e-5)


def test_a_sweep_or_channel_that_the_stimulus_file_has_not(tmp_path, rng):
    stimulus = rng.standard_normal((1, 3, N))
    assert commands(played(tmp_path, stimulus, episode=4)) is None
    two = np.concatenate([stimulus, stimulus])
    write_abf2(
        tmp_path / "Stim.abf", two, inputs=[In(unit="pA"), In(unit="pA", number=3)], floats=True
    )
    path = write_abf2(
        tmp_path / "x.abf", np.full((1, 3, N), -70.0),
        outputs=[Out(origin=2, file=("C:\\x\\Stim.abf", 0, 1, 1.0, 0.0))],
    )  # fmt: skip
    assert commands(path) is None


def test_windows_does_not_mind_the_case_of_a_name(tmp_path, rng):
    path = played(tmp_path, rng.standard_normal((1, 4, N)))
    (tmp_path / "Stim.abf").rename(tmp_path / "STIM.ABF")
    assert commands(path) is not None


def test_a_stimulus_file_in_another_unit_is_said(tmp_path, rng):
    stimulus = rng.standard_normal((1, 4, N))
    path = played(tmp_path, stimulus, unit="mV")
    assert commands(path)[:, OFF:-OFF] == pytest.approx(stimulus[0, :, OFF:-OFF], abs=1e-5)
    assert any("is in mV, and played as pA" in f for f in read(path).findings)


# --- ABF1 -------------------------------------------------------------------------------


def patch(path, *fields):
    raw = bytearray(path.read_bytes())
    for offset, form, values in fields:
        struct.pack_into("<" + form, raw, offset, *values)
    path.write_bytes(bytes(raw))
    return path


@pytest.fixture
def abf1(tmp_path, volts):
    table = EpochTable(levels=(0.0, -50.0), increments=(0.0, 50.0), durations=(90, 300))
    return write_abf1(
        tmp_path / "a.abf", volts, units="mV", rate="10 kHz", header=Header(table=table)
    )


def test_a_user_list_of_abf1(abf1):
    fields = ((3360, "h", (1,)), (3368, "h", (22,)), (3376, "256s", (b"-200,-50,0,25",)))
    assert commands(patch(abf1, *fields))[:, 200] == pytest.approx([-200, -50, 0, 25])
    patch(abf1, (3368, "h", (36,)))  # the duration of an epoch that is off
    assert commands(abf1) is None
    patch(abf1, (3360, "h", (0,)))  # not enabled
    assert commands(abf1)[:, 200] == pytest.approx([-50, 0, 50, 100])


def test_pulses_of_abf1(abf1):
    patch(abf1, (2310, "h", (3,)), (2140, "i", (50,)), (2220, "i", (20,)))
    on = np.arange(300) % 50 < 20
    assert commands(abf1)[2, 100:400] == pytest.approx(np.where(on, 50.0, 0.0))


def test_outputs_of_abf1_take_turns_from_version_1_72(abf1):
    patch(abf1, (5876, "h", (1,)))
    assert commands(abf1)[:, 200] == pytest.approx([-50, 0, 50, 0])
    patch(abf1, (4, "f", (1.71,)))
    assert commands(abf1)[:, 200] == pytest.approx([-50, 0, 50, 100])


def test_a_header_before_1_6_has_its_table_in_the_first_2048_bytes(tmp_path, abf1):
    """What follows is samples: here they say that a waveform comes from a file."""
    raw = abf1.read_bytes()
    old = patch(
        tmp_path / "a.abf",
        (4, "f", (1.3,)), (40, "i", (4,)), (1438, "hhh", (1, 0, 0)), (1444, "2h", (1, 1)),
        (1464, "2f", (0.0, -50.0)), (1504, "2f", (0.0, 50.0)), (1544, "2h", (90, 300)),
    ).read_bytes()  # fmt: skip
    samples = np.frombuffer(raw[6144:], "<i2").copy()
    samples[(2296 - 2048) // 2] = 1
    samples[(2300 - 2048) // 2] = 2
    abf1.write_bytes(old[:2048] + samples.tobytes())
    patch(abf1, (92, "i", (4 + (struct.unpack_from("<i", raw, 92)[0] - 12),)))
    assert commands(abf1)[:, 200] == pytest.approx([-50, 0, 50, 100])
    assert commands(abf1)[0, 99] == 0
    patch(abf1, (1966, "h", (1,)), (1762, "h", (22,)), (1764, "80s", (b"5,6,7,8",)))
    assert commands(abf1)[:, 200] == pytest.approx([5, 6, 7, 8])
    patch(abf1, (1438, "h", (0,)))
    assert np.unique(commands(abf1)) == pytest.approx([0.0])


def test_the_protocol_of_an_unknown_command_is_refused(tmp_path, volts):
    path = write_abf2(
        tmp_path / "x.abf", volts, outputs=[Out(epochs=LADDER, user_list=(36, "1", 0))]
    )
    with pytest.raises(ValueError, match="no command that is known"):
        read_protocol(path)
