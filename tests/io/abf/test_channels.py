"""Which channel of an ABF file is the cell, and what drove it: unit, range, name, answer."""

from __future__ import annotations

import numpy as np
import pytest

from cleo_like.core import InputError, UnknownNameError
from cleo_like.io import describe, read, read_all
from cleo_like.io.abf.source import _named
from cleo_like.io.findings.responses import (
    ANSWER,
    COPY,
    correlation,
    is_auxiliary,
    is_potential,
)
from tests.io.abf.abf2 import In, Out, write_abf2

N, RATE = 6400, 10_000.0
LADDER = [(1, 0.0, 0.0, 900), (1, -100.0, 50.0, 3000)]
OTHER = [(1, 0.0, 0.0, 2000), (1, 30.0, -20.0, 1500)]


def waveform(epochs, n_sweeps=4):
    """What `epochs` (steps) draw (pA)."""
    made = np.zeros((n_sweeps, N))
    start = N // 64
    for _, level, rise, duration in epochs:
        made[:, start : start + duration] = (level + rise * np.arange(n_sweeps))[:, None]
        start += duration
    return made


def passive(command, rng, *, rest=-70.0, resistance=0.2, tau=0.02):
    """Potential (mV) of an RC cell: mV, pA, GOhm, s."""
    decay = np.exp(-1 / RATE / tau)
    volts, found = np.zeros(len(command)), np.empty_like(command)
    for k in range(command.shape[1]):
        volts = volts * decay + command[:, k] * resistance * (1 - decay)
        found[:, k] = volts
    return rest + found + rng.normal(0, 0.1, command.shape)


@pytest.fixture
def step():
    return waveform(LADDER)


@pytest.fixture
def cell(step, rng):
    return passive(step, rng)


@pytest.fixture
def held(step, rng):
    """A second cell, to which nothing was given."""
    return passive(0 * step, rng, rest=-62.0)


def make(tmp_path, *channels, outputs=None, **more):
    """Write channels, each (name, unit, number, samples)."""
    inputs = [
        In(name=name, unit=unit, number=number, instrument=3000 / max(np.abs(v).max(), 1e-3) / 1e3)
        for name, unit, number, v in channels
    ]  # fmt: skip
    data = np.stack([v for *_, v in channels])
    outputs = outputs if outputs is not None else [Out(epochs=LADDER)]
    return write_abf2(tmp_path / "x.abf", data, inputs=inputs, outputs=outputs, **more)


def steps_of(recording):
    return [round(float(s.command[2000]) * 1e12, 2) for s in recording.sweeps]


OUTPUTS = (Out(epochs=LADDER), Out(name="Cmd 1", number=1, enabled=0))


@pytest.mark.parametrize("name", ["Stim", "IN 0"])
@pytest.mark.parametrize("outputs", [OUTPUTS, OUTPUTS[:1]])
@pytest.mark.parametrize("copy_of", [lambda step: step / 400, lambda step: 5.0 * (step != 0)])
def test_a_copy_of_the_stimulus_listed_first_is_not_the_potential(  # noqa: PLR0917
    tmp_path, step, cell, name, outputs, copy_of
):
    """400 pA/V, and a trigger of 5 V."""
    copy = copy_of(step)
    path = make(tmp_path, (name, "V", 0, copy), ("IN 1", "mV", 1, cell), outputs=outputs)
    back = read(path)
    assert back.device["electrode"] == "IN 1"
    assert back.sweeps[0].response == pytest.approx(cell[0] * 1e-3, abs=2e-5)
    assert steps_of(back) == [-100, -50, 0, 50]
    assert any("it answers to output 'Cmd 0'" in f for f in back.findings)
    assert any(f"not used, no output or response goes with it: channel {name!r}" in f
               for f in back.findings)  # fmt: skip


def test_a_potential_far_from_rest_beside_a_copy_of_the_stimulus(tmp_path, step, cell):
    """An offset of 69 mV: no channel rests where a membrane does; the copy is a copy."""
    path = make(
        tmp_path, ("IN 0", "V", 0, step / 1000), ("IN 1", "mV", 1, cell + 69), outputs=OUTPUTS
    )
    back = read(path)
    assert back.device["electrode"] == "IN 1"
    assert any("where no membrane rests" in f for f in back.findings)


def test_a_potential_far_from_rest_beside_a_trigger_of_its_own(tmp_path, cell, rng):
    """No copy of the command, but 5 V are no membrane's."""
    trigger = 5.0 * (np.arange(N) % 1000 < 100) + np.zeros((4, 1))
    path = make(
        tmp_path, ("IN 0", "V", 0, trigger), ("IN 1", "mV", 1, cell + 69), outputs=OUTPUTS
    )
    assert read(path).device["electrode"] == "IN 1"


def test_a_potential_far_from_rest_beside_what_is_called_no_cell(tmp_path, cell, rng):
    field = rng.normal(0, 0.2, (4, N))
    path = make(
        tmp_path, ("LFP", "mV", 0, field), ("IN 1", "mV", 1, cell + 69), outputs=OUTPUTS
    )
    assert read(path).device["electrode"] == "IN 1"


def test_of_channels_that_look_like_no_cell_one_is_read(tmp_path, rng):
    """Nothing was driven and nothing rests where a membrane does: the first, with a word."""
    channels = [(f"IN {k}", "mV", k, rng.normal(0, 0.2, (4, N))) for k in range(2)]
    outputs = [Out(name=f"Cmd {k}", number=k, enabled=0) for k in range(2)]
    (back,) = read_all(make(tmp_path, *channels, outputs=outputs))
    assert back.device["electrode"] == "IN 0"
    assert any("'IN 1' (mV)" in f for f in back.findings)


def test_the_recorded_command_is_the_next_channel(tmp_path, cell, step):
    path = make(
        tmp_path, ("IN 5", "pA", 5, 3 + 0 * step), ("IN 0", "mV", 0, cell), ("IN 6", "pA", 6, step),
        outputs=[Out(enabled=0)],
    )  # fmt: skip
    assert steps_of(read(path)) == pytest.approx([-100, -50, 0, 50], abs=0.05)


def test_a_cell_lifted_to_0_mV_most_of_the_time_is_its_outputs_cell(tmp_path, held, rng):
    lift = [(1, 0.0, 0.0, 300), (1, 320.0, 10.0, 5500)]
    lifted = passive(waveform(lift), rng)
    outputs = (Out(epochs=lift), Out(name="Cmd 1", number=1, enabled=0))
    path = make(tmp_path, ("IN 0", "mV", 0, lifted), ("IN 1", "mV", 1, held), outputs=outputs)
    assert read(path).device["electrode"] == "IN 0"
    assert steps_of(read(path)) == [320, 330, 340, 350]


def test_two_electrodes_of_which_one_was_driven_are_two_recordings(tmp_path, cell, held):
    path = make(tmp_path, ("IN 0", "mV", 0, cell), ("IN 1", "mV", 1, held), outputs=OUTPUTS)
    one, two = read_all(path)
    assert [r.device["electrode"] for r in (one, two)] == ["IN 0", "IN 1"]
    assert steps_of(one) == [-100, -50, 0, 50]
    assert steps_of(two) == [0, 0, 0, 0]  # by its own output, which was silent
    assert [r.cell.id for r in (one, two)] == ["x_IN0", "x_IN1"]
    back = read(path)
    assert back.device["electrode"] == "IN 0"
    assert any("also recorded, their outputs silent: 'IN 1'" in f for f in back.findings)
    assert read(path, electrode="IN 1").sweeps[0].response == pytest.approx(
        two.sweeps[0].response
    )
    text = str(describe(path))
    assert "electrode: IN 0" in text
    assert "electrode: IN 1" in text


def test_two_driven_electrodes_must_be_named(tmp_path, cell, rng):
    other = passive(waveform(OTHER), rng)
    outputs = (Out(epochs=LADDER), Out(name="Cmd 1", number=1, epochs=OTHER))
    path = make(tmp_path, ("IN 0", "mV", 0, cell), ("IN 1", "mV", 1, other), outputs=outputs)
    with pytest.raises(InputError, match=r"2 electrodes with responses \(IN 0, IN 1\)"):
        read(path)
    assert steps_of(read(path, electrode="IN 1")) == [0, 0, 0, 0]
    assert read(path, electrode="IN 1").sweeps[0].command[2500] == pytest.approx(30e-12)


def test_two_headstages_with_primary_and_secondary(tmp_path, step, cell, rng):
    """MultiClamp: mV, pA, mV, pA on inputs 0 to 3, driven by outputs 0 and 1."""
    second = waveform(OTHER)
    outputs = tuple(
        Out(name=f"Cmd {k}", number=k, epochs=e, enabled=int(bool(e)))
        for k, e in enumerate((LADDER, OTHER, (), ()))
    )
    path = make(
        tmp_path,
        ("V1", "mV", 0, cell), ("I1", "pA", 1, step),
        ("V2", "mV", 2, passive(second, rng)), ("I2", "pA", 3, second),
        outputs=outputs,
    )  # fmt: skip
    one, two = read_all(path)
    assert [r.device["electrode"] for r in (one, two)] == ["V1", "V2"]
    assert steps_of(one) == [-100, -50, 0, 50]
    assert [s.command[2500] * 1e12 for s in two.sweeps] == pytest.approx(
        [30, 10, -10, -30], abs=0.05
    )
    assert any("'V2' (mV), it answers to output 'Cmd 1'" in f for f in two.findings)
    assert {n for s in two.sweeps for n in s.notes} == {
        "command: epoch table of Cmd 1, confirmed by channel 'I2'"
    }
    text = str(describe(path))
    for name in ("V1", "V2", "I1", "I2"):
        assert f"'{name}'" in text


def test_an_output_of_another_number_and_a_cell_that_does_not_answer(tmp_path, held):
    """Its own output was silent, another played: it is not told which drives it."""
    outputs = (Out(enabled=0), Out(name="Cmd 1", number=1, epochs=LADDER))
    back = read(make(tmp_path, ("IN 0", "mV", 0, held), outputs=outputs))
    assert back.sweeps[0].command is None
    assert any("output 'Cmd 1' played a waveform" in f for f in back.findings)


def test_an_output_of_another_number_and_a_cell_that_answers(tmp_path, cell):
    outputs = (Out(enabled=0), Out(name="Cmd 1", number=1, epochs=LADDER))
    back = read(make(tmp_path, ("IN 0", "mV", 0, cell), outputs=outputs))
    assert steps_of(back) == [-100, -50, 0, 50]
    assert any("it answers to output 'Cmd 1'" in f for f in back.findings)


@pytest.mark.parametrize(("size", "known"), [(0.27, False), (0.33, True)])
def test_how_much_of_an_answer_it_takes(tmp_path, step, held, size, known):
    """The bound is a correlation of 0.3; noise reaches 0.1."""
    moved = step - step.mean(axis=1, keepdims=True)
    share = size / np.sqrt(1 - size**2) * held.std() / moved.std()
    outputs = (Out(enabled=0), Out(name="Cmd 1", number=1, epochs=LADDER))
    back = read(make(tmp_path, ("IN 0", "mV", 0, held + share * step), outputs=outputs))
    assert (back.sweeps[0].command is not None) is known


def test_the_only_recorded_input_and_its_own_output(tmp_path, cell):
    outputs = (
        Out(epochs=LADDER),
        Out(name="Cmd 1", number=1, epochs=[(1, 0.0, 0.0, 900), (1, 500.0, 0.0, 3000)]),
    )
    assert steps_of(read(make(tmp_path, ("IN 1", "mV", 1, cell), outputs=outputs))) == [500] * 4


def test_any_channel_can_be_named(tmp_path, step, cell):
    path = make(
        tmp_path, ("IN 0", "mV", 0, cell), ("Cmd rec", "pA", 1, step), ("Temp", "°C", 2, 0 * step + 32),
        outputs=OUTPUTS,
    )  # fmt: skip
    current = read(path, electrode="Cmd rec")
    assert str(current.sweeps[0].mode) == "voltage_clamp"
    assert current.sweeps[0].response[2000] == pytest.approx(-1e-10, rel=1e-3)
    warm = read(path, electrode="Temp")
    assert str(warm.sweeps[0].mode) == "unknown"
    assert warm.sweeps[0].response[0] == pytest.approx(32, rel=1e-3)
    assert warm.sweeps[0].command is None
    with pytest.raises(UnknownNameError, match=r"did you mean 'IN 0'.*'Cmd rec'.*'Temp'"):
        read(path, electrode="in 0")


def test_channels_of_one_name_are_told_apart(tmp_path, cell, held):
    path = make(tmp_path, ("Vm", "mV", 0, cell), ("Vm", "mV", 1, held), outputs=OUTPUTS)
    assert [r.device["electrode"] for r in read_all(path)] == ["Vm #0", "Vm #1"]


@pytest.mark.parametrize("first", ["V", "A"])
def test_the_clamp_is_what_the_driven_output_says(tmp_path, cell, held, rng, first):
    """Current clamp with the current beside it, and voltage clamp with the potential."""
    current = rng.normal(0, 5, held.shape)
    channels = [("IN 0", "mV", 0, held), ("IN 1", "pA", 1, current)]
    if first == "A":
        channels = [("IN 0", "pA", 0, current), ("IN 1", "mV", 1, held)]
    outputs = (
        Out(unit="pA" if first == "V" else "mV", epochs=LADDER),
        Out(name="Cmd 1", number=1, unit="mV" if first == "V" else "pA", enabled=0),
    )
    (back,) = read_all(make(tmp_path, *channels, outputs=outputs))
    assert str(back.sweeps[0].mode) == {"V": "current_clamp", "A": "voltage_clamp"}[first]
    assert back.device["electrode"] == "IN 0"


@pytest.mark.parametrize(
    ("experiment", "electrode"), [(0, "IN 1"), (1, "IN 0"), (2, "IN 0"), (7, "IN 0")]
)
def test_without_a_waveform_the_kind_of_experiment_decides(
    tmp_path, held, rng, experiment, electrode
):
    outputs = (Out(enabled=0), Out(name="Cmd 1", number=1, unit="mV", enabled=0))
    path = make(
        tmp_path, ("IN 0", "mV", 0, held), ("IN 1", "pA", 1, rng.normal(0, 5, held.shape)),
        outputs=outputs, at_126=("h", experiment),
    )  # fmt: skip
    assert read(path).device["electrode"] == electrode


def test_two_electrodes_without_any_waveform(tmp_path, cell, held, rng):
    outputs = tuple(Out(name=f"Cmd {k}", number=k, unit="mV", enabled=0) for k in range(2))
    channels = [(f"I{k}", "pA", k, rng.normal(0, 5, held.shape)) for k in range(2)]
    path = make(tmp_path, *channels, outputs=outputs, mode=3)
    assert len(read_all(path)) == 2
    with pytest.raises(InputError, match="2 electrodes"):
        read(path)


def test_the_better_of_two_recorded_commands(tmp_path, step, cell, rng):
    noise = rng.normal(0, 3, step.shape)
    path = make(
        tmp_path, ("IN 0", "mV", 0, cell), ("A", "pA", 5, noise), ("B", "pA", 6, 0.9 * step),
        outputs=OUTPUTS,
    )  # fmt: skip
    back = read(path)
    assert any("recorded command: channel 'B'" in f for f in back.findings)
    assert steps_of(back) == pytest.approx([-90, -45, 0, 45], abs=0.05)


def test_what_may_be_a_membrane():
    """Each bound just inside and just outside."""
    flat = np.full(100, 1e-3)
    for middle, good in ((-9.9, False), (-10.1, True), (-119.9, True), (-120.1, False)):
        assert is_potential(middle * flat) is good
    for top, good in ((199, True), (201, False), (-299, True), (-301, False)):
        assert is_potential(np.r_[-70 * flat, top * flat[:40]]) is good
    spike = np.r_[-70 * np.ones(9999), 500.0] * 1e-3  # one artefact
    assert is_potential(spike)
    assert not is_potential(np.empty(0))
    assert not is_potential(np.full(5, np.nan))


@pytest.mark.parametrize(
    "name", ["Stim", "TTL", "AO #1", "LED", "V_mon", "Cmd 0", "aux", "LFP"]
)
def test_names_of_what_is_no_cell(name):
    assert is_auxiliary(name)


@pytest.mark.parametrize(
    "name", ["IN 0", "Vm", "Vm_prime", "10_Vm", "_Ipatch", "Im", "I_MTest", ""]
)
def test_names_that_say_nothing_against_a_cell(name):
    assert not is_auxiliary(name)


def test_the_answer_of_cells_and_of_noise(step, cell, held, rng):
    """Measured: a passive cell 0.9, a held one below 0.1, a copy with noise 1."""
    assert ANSWER < abs(correlation(list(cell), step)) < COPY
    assert abs(correlation(list(held), step)) < ANSWER / 3
    copy = step / 400 + rng.normal(0, 0.002, step.shape)
    assert correlation(list(copy), step) > COPY
    assert correlation(list(cell), 0 * step) == 0
    assert correlation(list(cell), None) == 0
    assert correlation([cell[0], cell[1][:-1]], step[:2]) == 0
    drifting = held + 10 * np.arange(4)[:, None]  # between sweeps only
    assert abs(correlation(list(drifting), step)) < ANSWER / 3


def test_names_that_occur_twice_are_told_apart_by_their_place():
    names = _named(["Vm", "", "Vm", "Cmd", ""], [0, 4, 2, 1, 7])
    assert names == ("Vm #0", "IN 4", "Vm #2", "Cmd", "IN 7")
