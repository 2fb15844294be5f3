"""Each library cell shows the landmark that it is in the library for."""

import numpy as np
import pytest

from cleo_like.cells import cell_names, get_cell, landmark_step
from cleo_like.core import Epoch, Protocol
from cleo_like.core.protocol import levels_from_epochs
from cleo_like.patch import record

RATE = 50_000.0
ONSET = 0.1


def steps(picoamperes, duration=1.0, rate=RATE):
    start, stop = round(ONSET * rate), round((ONSET + duration) * rate)
    levels = np.asarray(picoamperes) * 1e-12
    epochs = [Epoch(name="step", start=start, stop=stop, levels=levels)]
    waveforms = levels_from_epochs(epochs, len(levels), stop + round(0.05 * rate), 0.0)
    return Protocol(waveforms=waveforms, rate=rate, family="long_square", epochs=epochs)


def spikes_of(name, picoamperes, duration=1.0, rate=RATE):
    (recording,) = record(name, steps([picoamperes], duration, rate))
    return recording, recording.truth.spike_times[0] - ONSET


def half_width(recording, spike):
    """Width (ms) at half of the height from the following trough to the peak."""
    v = recording.sweeps[0].response.astype(float)
    start = round((spike + ONSET) * RATE) - 100
    peak = start + np.argmax(v[start : start + 250])
    trough = v[peak : peak + 250].min()
    level = (v[peak] + trough) / 2
    before = np.flatnonzero(v[:peak] < level)[-1]
    after = peak + np.flatnonzero(v[peak:] < level)[0]
    return (after - before - 1) / RATE * 1e3


def cv(times):
    isi = np.diff(times)
    return isi.std() / isi.mean()


def test_every_cell_has_a_source_and_a_landmark():
    for name in cell_names():
        cell = get_cell(name)
        assert cell.source != "user", name
        assert cell.landmark, name


def test_passive_never_spikes():
    recording, spikes = spikes_of("passive", 100.0)
    assert len(spikes) == 0
    assert recording.sweeps[0].response.max() == pytest.approx(-0.050, abs=1e-6)


def test_regular_spiking_adapts():
    recording, spikes = spikes_of("rs", 400.0)
    isi = np.diff(spikes)
    assert len(spikes) == 11
    assert 4.5 < isi[-1] / isi[0] < 5.3
    assert 0.80 < half_width(recording, spikes[1]) < 0.90


def test_slower_gates_make_broader_spikes():
    recording, spikes = spikes_of("broad_rs", 400.0)
    assert 1.1 < half_width(recording, spikes[1]) < 1.25


def test_fast_spiking_is_narrow_and_regular():
    recording, spikes = spikes_of("narrow_fs", 250.0)
    assert 0.44 < half_width(recording, spikes[1]) < 0.54
    assert cv(spikes[1:]) < 0.02


def test_long_latency():
    first = {i: spikes_of("long_latency", i, duration=2.0)[1][0] for i in (156.0, 158.0, 200.0)}
    assert 1.0 < first[156.0] < 1.35
    assert 0.7 < first[158.0] < 0.95
    assert first[200.0] < 0.1


def test_stuttering():
    _, spikes = spikes_of("stuttering", 200.0, duration=2.0)
    isi = np.diff(spikes)
    assert cv(spikes) > 1.0
    assert isi.max() > 8 * np.median(isi)
    assert 0.4 < spikes[0] < 0.95


def test_sag():
    (recording,) = record("sag", steps([-300.0]))
    v = recording.sweeps[0].response.astype(float)
    start, stop = round(ONSET * RATE), round((ONSET + 1.0) * RATE)
    rest, peak, steady = (
        v[: start - 1].mean(),
        v[start:stop].min(),
        v[stop - 1500 : stop].mean(),
    )
    assert -0.100 < peak < -0.090
    assert 0.35 < (steady - peak) / (rest - peak) < 0.55


def test_low_threshold_spiking_begins_with_a_burst():
    _, spikes = spikes_of("lts", 70.0)
    isi = np.diff(spikes)
    assert isi[-1] / isi[0] > 15


def test_wang_buzsaki_is_fast_and_does_not_adapt():
    recording, spikes = spikes_of("wang_buzsaki", 50.0)
    assert cv(spikes) < 0.01
    assert 0.5 < half_width(recording, spikes[1]) < 0.65


def adaptation(times):
    isi = np.diff(times)
    return np.mean((isi[1:] - isi[:-1]) / (isi[1:] + isi[:-1]))


ADEX = {
    "tonic": lambda t: cv(t[1:]) < 0.02 and 95 < len(t) < 110,
    "adapting": lambda t: 0.35 < cv(t) < 0.5 and 0.05 < adaptation(t) < 0.08,
    "initial_burst": lambda t: 0.25 < cv(t) < 0.4 and np.diff(t)[0] < 0.5 * np.diff(t)[-1],
    "regular_bursting": lambda t: cv(t) > 0.9 and np.diff(t).max() > 15 * np.median(np.diff(t)),
    "delayed_accelerating": lambda t: adaptation(t[2:]) < -0.001,
    "delayed_regular_bursting": lambda t: t[0] > 0.03 and cv(t) > 0.9,
    "transient": lambda t: len(t) == 1,
    "irregular": lambda t: 0.4 < cv(t) < 0.8,
}


@pytest.mark.parametrize("pattern", sorted(ADEX))
def test_adex_patterns(pattern):
    name = f"adex_{pattern}"
    _, spikes = spikes_of(name, landmark_step(name) * 1e12, rate=20_000.0)
    assert ADEX[pattern](spikes), (len(spikes), spikes[:5])


def test_the_steps_of_the_paper():
    """Naud et al. 2008, doi:10.1007/s00422-008-0264-7, table 1."""
    steps = {name: round(landmark_step(name) * 1e12, 6) for name in ADEX}
    assert steps == {
        "tonic": 500, "adapting": 500, "initial_burst": 400, "regular_bursting": 210,
        "delayed_accelerating": 300, "delayed_regular_bursting": 110, "transient": 180,
        "irregular": 160,
    }  # fmt: skip
