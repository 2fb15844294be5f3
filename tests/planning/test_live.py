"""A live cell gives what `record` gives, bit for bit, however the command is cut."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms, mV, pA
from hypothesis import given, settings
from hypothesis import strategies as st

from cleo_like import IdealElectrode, record
from cleo_like.core import Protocol
from cleo_like.core.errors import InputError, UnitError, UnsupportedError
from cleo_like.patch import rig_preset
from cleo_like.patch.live import LiveCell

RATE, N = 2e4, 2000


def command(mode="current_clamp"):
    rng = np.random.default_rng(7)
    low, high = (-1e-10, 6e-10) if mode == "current_clamp" else (-0.09, -0.02)
    return np.repeat(rng.uniform(low, high, N // 100), 100)


def recorded(cell, rig, mode="current_clamp", holding=0.0):
    protocol = Protocol(
        waveforms=command(mode)[np.newaxis],
        rate=RATE,
        family="arbitrary",
        mode=mode,
        holding=holding,
    )
    return record(cell, protocol, electrode=rig, seed=3, keep_voltage=True, progress=False)[0]


def played(live, w, cuts):
    live.start(len(w))
    pieces = [
        (live.play(part), live.voltage, live.spike_times)
        for part in np.split(w, sorted(set(cuts)))
        if part.size
    ]
    return [np.concatenate(column) for column in zip(*pieces, strict=True)]


RIGS = {
    "ideal": IdealElectrode(noise="0.1 mV", lowpass="2 kHz"),
    "rig": rig_preset("multiclamp_700b"),
    "mains and drift": rig_preset("multiclamp_700b", pickup="0.05 mV", drift="0.5 mV"),
}


@pytest.mark.parametrize(
    ("cell", "rig"), [("rs", "ideal"), ("narrow_fs", "rig"), ("adex_tonic", "mains and drift")]
)
def test_blocks_are_the_recording_bit_for_bit(cell, rig):
    expected = recorded(cell, RIGS[rig])
    live = LiveCell(cell, RIGS[rig], "20 kHz", seed=3)
    for cuts in (range(20, N, 20), [1, 2, 777, 1500]):
        response, voltage, spikes = played(live, command(), cuts)
        assert np.array_equal(response, expected.sweeps[0].response.astype(float))
        assert np.array_equal(voltage, expected.truth.voltage[0].astype(float))
        assert np.array_equal(spikes, expected.truth.spike_times[0])


def test_voltage_clamp_too():
    rig = rig_preset("multiclamp_700b", "voltage_clamp")
    expected = recorded("rs", rig, "voltage_clamp", -0.07)
    live = LiveCell("rs", rig, "20 kHz", seed=3, holding="-70 mV")
    response, voltage, _ = played(live, command("voltage_clamp"), range(20, N, 20))
    assert np.array_equal(response, expected.sweeps[0].response.astype(float))
    assert np.array_equal(voltage, expected.truth.voltage[0].astype(float))


_LIVE = {}


@settings(max_examples=4)
@given(st.lists(st.integers(1, N - 1), max_size=12))
def test_any_cuts_give_the_same(cuts):
    live = _LIVE.setdefault("rs", LiveCell("rs", "multiclamp_700b", "20 kHz", seed=1))
    whole, *_ = played(live, command(), [])
    assert np.array_equal(played(live, command(), cuts)[0], whole)


def test_a_second_sweep_has_its_own_noise_and_mains():
    protocol = Protocol(
        waveforms=np.tile(command(), (2, 1)), rate=RATE, family="arbitrary", gap=0.013
    )
    rig = RIGS["mains and drift"]
    (expected,) = record("passive", protocol, electrode=rig, seed=3, progress=False)
    live = LiveCell("passive", rig, "20 kHz", seed=3)
    live.start(N, sweep=1, at=float(protocol.start_times[1]))
    assert np.array_equal(live.play(command()), expected.sweeps[1].response.astype(float))


def test_a_refused_block_changes_nothing():
    live = LiveCell("rs", "multiclamp_700b", "20 kHz", seed=1)
    whole, *_ = played(live, command(), [])
    live.start(N)
    first = live.play(command()[:1000])
    for bad in (
        np.zeros(0),
        np.full(3, np.nan),
        np.full(3, 1e-8),
        np.zeros((2, 2)),
        np.zeros(70_000),
    ):
        with pytest.raises(InputError):
            live.play(bad)
    assert np.array_equal(np.concatenate([first, live.play(command()[1000:])]), whole)


def test_units_of_a_block_and_of_a_start():
    """A potential is no current, though both are numbers; the phase of the mains is a time."""
    live = LiveCell("passive", "ideal", "20 kHz")
    plain = live.play(np.full(100, 10e-12))
    for block in (np.full(100, 10) * pA, ["10 pA"] * 100, [1e-11] * 100):
        live.start()
        assert np.array_equal(live.play(block), plain)
    for wrong in ([-70.0] * mV, ["-70 mV"], "x", [1j], {"a": 1}, [None]):
        with pytest.raises((InputError, UnitError), match="command"):
            live.play(wrong)
    for wrong in ("x", -1, np.nan, None, [1, 2], "3 mV"):
        with pytest.raises((InputError, UnitError), match="at"):
            live.start(at=wrong)
    mains = LiveCell("passive", RIGS["mains and drift"], "20 kHz")
    answers = []
    for at in ("3 ms", 3 * ms, 0.003):
        mains.start(100, at=at)
        answers.append(mains.play(np.zeros(100)))
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


def test_a_long_time_is_no_limit():
    live = LiveCell("passive", "ideal", "20 kHz")
    live.start(100)
    for _ in range(40):
        last = live.play(np.full(10_000, 10e-12))
    assert last[-1] == pytest.approx(-0.068, abs=1e-6)
    assert live.position == 400_000


def test_wrong_input_is_told():
    with pytest.raises(InputError, match="one cell"):
        LiveCell(["rs", "rs"], "ideal", "20 kHz")
    with pytest.raises(InputError, match="holding"):
        LiveCell("rs", rig_preset("multiclamp_700b", "voltage_clamp"), "20 kHz")
    with pytest.raises(InputError, match="rig must be"):
        LiveCell("rs", 5, "20 kHz")
    with pytest.raises(InputError, match="10000 Hz"):
        LiveCell("rs", rig_preset("multiclamp_700b", rate="10 kHz"), "20 kHz")
    with pytest.raises(UnsupportedError, match="access_resistance_end"):
        LiveCell("rs", rig_preset("multiclamp_700b", access_resistance_end="20 MOhm"), "20 kHz")
    live = LiveCell("passive", "ideal", "20 kHz")
    with pytest.raises(InputError, match="n_samples"):
        live.start(0)
    with pytest.raises(InputError, match="at most"):
        live.start(10**9)
