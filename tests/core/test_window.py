"""A window is a stretch of time; whatever looks at one takes it whole, by name, or by its times."""

import numpy as np
import pytest

import cleo_like as cl
from cleo_like.core.errors import InputError, UnitError
from cleo_like.core.window import chosen_window
from cleo_like.features import impedance, long_square_features, spike_features
from cleo_like.features.clamp import membrane_test

RATE = 20e3


@pytest.fixture
def recording():
    """A step of 100 ms from 50 ms on, answered by an RC of 100 MOhm and 10 ms."""
    t = np.arange(4000) / RATE
    on = (t >= 0.05) & (t < 0.15)
    levels = np.array([-4e-11, -2e-11])
    step = cl.Epoch(name="step", start=1000, stop=3000, levels=levels)
    protocol = cl.Protocol(
        waveforms=levels[:, None] * on, rate=RATE, family="long_square", epochs=[step]
    )
    rise = np.where(on, 1 - np.exp(-(t - 0.05) / 0.01), 0)
    sweeps = [
        cl.Sweep(response=-0.07 + 1e8 * a * rise, command=a * on, rate=RATE, number=k)
        for k, a in enumerate(levels)
    ]
    return cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="test"),
        protocol=protocol,
    )  # fmt: skip


def test_a_window_is_the_pair_of_its_times():
    window = cl.Window(start=0.05, end=0.15)
    start, end = window
    assert (start, end, len(window), window[1]) == (0.05, 0.15, 2, 0.15)
    assert window == (0.05, 0.15) == window
    assert hash(window) == hash((0.05, 0.15))
    assert window != cl.Window(start=0.05, end=0.15, baseline=(0.0, 0.05))
    assert window != "step"
    assert np.allclose(window, (0.05, 0.15))
    with pytest.raises(InputError, match="0 <= start < end"):
        cl.Window(start=0.1, end=0.1)


def test_epoch_protocol_recording_and_match_give_the_same_window(recording):
    window = cl.Window(start=0.05, end=0.15)
    assert recording.protocol.epoch("step").window("20 kHz") == window
    assert recording.protocol.window("step") == recording.window("step") == window
    assert cl.match(recording).window == window
    assert cl.match(recording).baseline_window == (0.0, 0.05)


MEASURES = [
    lambda r, *a, **k: long_square_features(r, *a, **k).values["input_resistance"],
    lambda r, *a, **k: spike_features(r, *a, **k).n_sweeps,
    lambda r, *a, **k: impedance(r, *a, resolution="10 Hz", **k).magnitude.tolist(),
    lambda r, **k: membrane_test(r, **k).input_resistance.tolist(),
]


@pytest.mark.parametrize("measure", MEASURES, ids=["steps", "spikes", "impedance", "pulse"])
def test_every_measure_takes_every_kind_of_window(recording, measure):
    wanted = measure(recording, start="50 ms", end="150 ms")
    for window in (
        cl.match(recording).window, "step", ("50 ms", "0.15 s"), cl.Window(start=0.05, end=0.15),
    ):  # fmt: skip
        assert measure(recording, window=window) == wanted
    for wrong, said in (
        ({"window": "step", "start": "50 ms", "end": "1 s"}, "not both"),
        ({"start": "50 ms"}, "give both start= and end=, or neither"),
        ({"window": "stp"}, "there are: step"),
        ({"window": recording.protocol.epochs[0]}, r"write protocol.window\('step'\)"),
        ({"window": 3}, "a pair of times as in"),
    ):
        with pytest.raises(InputError, match=said):
            measure(recording, **wrong)
    with pytest.raises(UnitError):
        measure(recording, window=(0.05, 0.15))


def test_a_sweep_is_cut_by_a_window_or_by_times(recording):
    part = recording[0].between(window=recording.window("step"))
    assert part == recording[0].between("50 ms", "150 ms")
    assert part == recording[0].between("50 ms", stop="150 ms")  # the older name
    assert (part.n_samples, part.start_time) == (2000, 0.05)
    for call in (
        lambda: recording[0].between(window="step"),
        lambda: recording[0].between("50 ms"),
        lambda: recording[0].between(),
    ):
        with pytest.raises(InputError):
            call()


def test_where_it_is_not_told_what_to_write_is_said(recording):
    with pytest.raises(InputError, match=r"window=cl.match\(recording\).window"):
        spike_features(recording)
    bare = recording[:0]
    with pytest.raises(InputError, match=r"cl.match\(recording\).window looks for it"):
        bare.window("step")
    assert chosen_window(None, None, None) is None


def test_of_several_protocols_the_name_must_tell_one(recording):
    other = cl.Protocol(
        waveforms=np.zeros((1, 4000)), rate=RATE, family="ramp",
        epochs=[cl.Epoch(name="ramp", start=500, stop=900), cl.Epoch(name="step", start=950, stop=990)],
    )  # fmt: skip
    sweep = cl.Sweep(response=np.full(4000, -0.07), command=np.zeros(4000), rate=RATE)
    second = cl.Recording(
        sweeps=[sweep], cell=recording.cell, provenance=recording.provenance, protocol=other
    )
    both = cl.join_recordings([recording, second])
    assert both.window("ramp") == (0.025, 0.045)
    with pytest.raises(InputError, match=r"as in recording\['long_square'\].window\('step'\)"):
        both.window("step")
    assert both["ramp"].window("step") == (950 / RATE, 990 / RATE)
