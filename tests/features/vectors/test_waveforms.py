"""Waveforms and courses between spikes, of potentials that are known at every sample."""

from types import SimpleNamespace

import numpy as np
import pytest

from cleo_like.core import InputError, Window
from cleo_like.features.stack import SweepStack
from cleo_like.features.vectors.waveforms import first_ap, isi_shape, subsample


def cell(v, rate, spikes, *, amplitude=None, window=None):
    """Give what the vectors ask of a cell: potentials (mV), and spikes by sweep."""
    v = np.atleast_2d(v)
    empty = {"threshold_index": [], "fast_trough_index": [], "threshold_v": []}
    tables = [{n: np.array(x, float) for n, x in (empty | s).items()} for s in spikes]
    counts = np.array([s["threshold_index"].size for s in tables])
    return SimpleNamespace(
        stack=SweepStack(voltage_mv=v, current_pa=np.zeros_like(v), rate=rate),
        spikes=SimpleNamespace(of=tables.__getitem__),
        sweeps={
            "n_spikes": counts,
            "avg_rate": counts * 1.0,
            "stim_amp": np.arange(len(v)) * 1.0 if amplitude is None else np.array(amplitude),
        },
        window=window if window is not None else Window(start=0.0, end=(v.shape[1] - 1) / rate),
    )


def slope(rate, seconds=0.02):
    """Give a potential that rises by 1 mV in a ms."""
    return np.arange(round(seconds * rate)) / rate * 1e3


@pytest.mark.parametrize(
    "rate", [10e3, 20e3, 40e3, 49999.999, 50e3, 62.5e3, 80e3, 100e3, 200e3]
)
def test_any_rate_gives_three_ms_at_50_khz(rate):
    """A slope is the same slope at every rate; means lie half a sample late."""
    at = round(0.005 * rate)
    wave, steps = first_ap(cell(slope(rate), rate, [{"threshold_index": [at]}]), [0])
    assert wave.size == 150
    assert steps.size == 149
    late = (1 / 50e3 - 1 / rate) / 2 * 1e3 if rate in {100e3, 200e3} else 0.0
    known = np.arange(150) / 50 <= (int(0.003 * rate) - 1) / rate * 1e3  # not past the end
    expected = at / rate * 1e3 + np.arange(150) / 50 + late
    assert wave[known] == pytest.approx(expected[known], abs=1e-6)
    assert steps[known[1:]] == pytest.approx(0.02, abs=1e-6)


def test_the_mean_of_the_first_spikes_of_those_that_are_whole():
    rate, v = 50e3, np.stack([slope(50e3), slope(50e3) + 10, slope(50e3) + 500])
    spikes = [{"threshold_index": [100, 300]}, {}, {"threshold_index": [400]}]
    wave, _ = first_ap(cell(v, rate, spikes), [0, 1, 2])
    assert wave[0] == pytest.approx((2 + 508) / 2)
    late = [{"threshold_index": [1000 - 150]}, {}, {"threshold_index": [1000 - 149]}]
    assert first_ap(cell(v, rate, late), [0, 1, 2])[0][0] == pytest.approx(17)
    with pytest.raises(InputError, match="no spike with 3 ms"):
        first_ap(cell(v, rate, late), [1, 2])


def test_means_of_whole_stretches():
    assert subsample(np.arange(7.0), 3).tolist() == [1, 4]
    assert subsample(np.arange(6.0), 1).tolist() == [0, 1, 2, 3, 4, 5]


def between(n, rate=10e3, gap=400):
    """Give n spikes, each `gap` samples apart, with the fast trough 30 after the threshold."""
    at = 100 + gap * np.arange(n)
    return {"threshold_index": at, "fast_trough_index": at + 30, "threshold_v": at * 0.0 + 2}


def test_the_course_between_spikes_is_relative_to_the_threshold():
    """On a slope of 1 mV/ms, from 3 ms after the threshold to the next: 370 samples."""
    rate = 10e3
    found = isi_shape(cell(slope(rate, 0.4), rate, [between(6)]))
    first = 100 + 400 * np.arange(5) + 30
    width = 370 // 100
    assert found.size == 100
    expected = (first.mean() + (width - 1) / 2 + width * np.arange(100)) / 10 - 2
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("gap", [60, 129, 130, 131])
def test_short_intervals_are_interpolated(gap):
    rate = 10e3
    found = isi_shape(cell(slope(rate, 0.4), rate, [between(2, gap=gap)]))
    begin, size = 130, gap - 30
    at = np.linspace(0, size - 1, 100) if size < 100 else np.arange(100)
    assert found == pytest.approx((begin + at) / 10 - 2)


def test_the_lowest_sweep_with_five_spikes_else_the_one_with_most():
    rate = 10e3
    v = np.stack([slope(rate, 0.4) + 1e4 * k for k in range(4)])

    def chosen(counts, amplitude):
        one = cell(v, rate, [between(n) for n in counts], amplitude=amplitude)
        return round((isi_shape(one)[0] - isi_shape(cell(v[0], rate, [between(3)]))[0]) / 1e4)

    assert chosen([4, 5, 6, 5], [1.0, 4.0, 2.0, 3.0]) == 2
    assert chosen([4, 3, 2, 4], [1.0, 4.0, 2.0, 3.0]) == 0
    assert chosen([0, 2, 3, 0], [1.0, 4.0, 2.0, 3.0]) == 2
    with pytest.raises(InputError, match="no sweep with a spike"):
        isi_shape(cell(v, rate, [{}] * 4))


def test_an_interval_without_a_trough_does_not_count():
    rate = 10e3
    spikes = between(3)
    spikes["fast_trough_index"] = np.array([np.nan, 530.0, 930.0])
    found = isi_shape(cell(slope(rate, 0.4), rate, [spikes]))
    assert found[0] == pytest.approx((530 + 1) / 10 - 2)
    spikes["fast_trough_index"] = np.array([np.nan, np.nan, 930.0])
    with pytest.raises(InputError, match="no interval between two whole spikes"):
        isi_shape(cell(slope(rate, 0.4), rate, [spikes]))


@pytest.mark.parametrize(("back", "size"), [(0.05, 470), (0.2, 1000), (None, 1000)])
def test_a_single_spike_until_the_potential_is_back(back, size):
    """From the trough (13 ms) until 1 mV below the steady state, at most 100 ms."""
    rate = 10e3
    t = np.arange(4000) / rate
    v = np.full(4000, -70.0) if back is None else np.where(t < back + 0.01, -70.0, -50.5)
    v[2900:] = -50.0
    one = cell(v, rate, [between(1)], window=Window(start=0.0, end=0.39))
    found = isi_shape(one)
    width = size // 100
    course = v[130 : 130 + size] - 2
    expected = course[: width * (size // width)].reshape(-1, width).mean(axis=1)[:100]
    assert found == pytest.approx(expected)


def test_a_single_spike_whose_trough_is_cut_off():
    spikes = between(1) | {"fast_trough_index": [np.nan]}
    with pytest.raises(InputError, match="cut off by the end of the step"):
        isi_shape(cell(slope(10e3, 0.4), 10e3, [spikes]))
