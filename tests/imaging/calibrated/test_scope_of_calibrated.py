"""A calibrated sensor in a scope gives what the pure model gives."""

import brian2 as b2
import numpy as np
import pytest

from cleo_like.core.errors import InputError
from cleo_like.imaging import Scope, calibrated
from cleo_like.imaging.calibrated import calibrated_names, calibrated_sensor, s2f

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


PUBLISHED = (
    "gcamp6f", "gcamp6f_transgenic", "gcamp6s", "gcamp6s_transgenic", "jgcamp7f", "jgcamp8f",
    "jgcamp8m", "jgcamp8s", "xcamp_gf",
)  # fmt: skip


def test_every_indicator_images_cells_in_focus_by_default(bench):
    imaged = bench(SPIKES).place(0, 0, [100, 100, 100])
    for indicator in [*calibrated_names(), *(getattr(s2f, name)() for name in PUBLISHED)]:
        sensor = calibrated_sensor(indicator)
        scope = Scope(sensor, 500 * b2.um, name=f"scope_{sensor.name}", **DEPTH)
        imaged.sim.inject(scope, imaged.cells)
        assert scope.n == 3, sensor.name
    imaged.sim.run(1 * b2.ms)


def test_cut_is_on_one_spike_where_one_spike_is_seen():
    seen = calibrated_sensor("jgcamp8m")
    assert seen.snr == pytest.approx(seen.indicator.single_spike().peak / seen.sigma_noise)
    assert seen.snr > 1
    assert calibrated_sensor("gcamp6f_pv").snr is None
    assert calibrated_sensor(s2f.gcamp6s_transgenic()).snr is None


def test_noise_of_a_published_set_is_that_of_the_recordings():
    assert calibrated_sensor(s2f.jgcamp8s()).sigma_noise == calibrated.jgcamp8s().sigma_noise
    assert calibrated_sensor(s2f.jgcamp8s(), sigma_noise=0.5).sigma_noise == 0.5


def test_own_indicator_needs_noise():
    own = calibrated.CalibratedIndicator(
        name="mine",
        kernel=calibrated.Kernel(rise="1 ms", decays=["1 s"], weights=[1]),
        response=calibrated.HillResponse(single_spike=0.1, exponent=1, half_saturation=9),
        source="this test",
    )
    with pytest.raises(InputError, match="'mine' has no recorded noise; say sigma_noise"):
        calibrated_sensor(own)
    assert calibrated_sensor(own, sigma_noise=0.2).snr == pytest.approx(0.5)
