"""A calibrated sensor in a scope gives what the pure model gives."""

import brian2 as b2
import numpy as np

from cleo_like.imaging import Scope, calibrated

SPIKES = [[50], [120, 600, 610], [120]]  # steps of 0.1 ms
DEPTH = {"focus_depth": 100 * b2.um}


def test_frames_are_those_of_the_model(bench):
    imaged = bench(SPIKES).place(0, 0, [100, 100, 100])
    monitor = b2.SpikeMonitor(imaged.cells)
    imaged.sim.network.add(monitor)
    sensor = calibrated.jgcamp8m(sigma_noise=1e-12, rand_seed=5)
    scope = imaged.image(
        sensor, period=10 * b2.ms, duration=200 * b2.ms, scope=DEPTH | {"snr_cutoff": 0}
    )
    block = sensor.blocks[imaged.cells.name]
    # as everywhere in the package, a spike acts at the end of its step
    expected = sensor.indicator.dff(
        np.array(monitor.t_) + 1e-4,
        np.array(monitor.i),
        scope.t_ms / 1e3,
        cells=block.cells.factors,
    )
    assert expected.max() > 0.3
    np.testing.assert_allclose(scope.dFF.T, expected, atol=1e-9)
    assert np.ptp(block.cells.factors.gain) > 0.05  # cells differ
    assert np.isnan(scope.traces().truth.calcium).all()  # no unit, so no number


def test_a_cell_in_two_planes_is_one_cell(bench):
    imaged = bench(SPIKES).place(0, 0, [100, 100, 100])
    sensor = calibrated.gcamp6s(rand_seed=1)
    scope = Scope(sensor, 500 * b2.um)
    imaged.sim.inject(scope, imaged.cells, focus_depth=98 * b2.um)
    imaged.sim.inject(scope, imaged.cells, focus_depth=102 * b2.um)
    scope.inject_sensor_for_targets()
    gain = sensor.blocks[imaged.cells.name].cells.factors.gain
    np.testing.assert_array_equal(gain[:3], gain[3:])
    assert np.ptp(gain) > 0


def test_equal_cells_on_request(bench):
    imaged = bench(SPIKES).place(0, 0, [100, 100, 100])
    sensor = calibrated.gcamp6s(cells_differ=False)
    imaged.image(sensor, duration=20 * b2.ms, scope=DEPTH)
    factors = sensor.blocks[imaged.cells.name].cells.factors
    assert (factors.gain == 1).all()
    assert (factors.duration == 1).all()


def test_frames_after_the_run_are_those_during_it(bench):
    imaged = bench(SPIKES).place(0, 0, [100, 100, 100])
    sensor = calibrated.jgcamp8m(sigma_noise=1e-12)
    scope = imaged.image(sensor, duration=200 * b2.ms, scope=DEPTH | {"snr_cutoff": 0})
    during, after = scope.traces(), scope.traces(rate=50 * b2.Hz)
    frames = np.searchsorted(after.times, during.times - 1e-9)
    np.testing.assert_allclose(after.times[frames], during.times, atol=1e-12)
    np.testing.assert_allclose(
        after.truth.fluorescence[:, frames], during.truth.fluorescence, atol=1e-9
    )
    assert during.truth.fluorescence.max() > 0.3
