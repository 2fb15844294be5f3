"""The mathematics of the indicators against an independent integration in small steps."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import Hz, molar, ms, nmolar, second, umolar
from scipy.integrate import solve_ivp

from cleo_like import imaging
from cleo_like.imaging.events import CalciumTable, Kinetics, dff_of_spikes
from tests.selection import some_slow

TEN = (
    "gcamp3", "gcamp6f", "gcamp6s", "gcamp6rs06", "gcamp6rs09", "jgcamp7f", "jgcamp7s",
    "jgcamp7b", "jgcamp7c", "ogb1",
)  # fmt: skip
REST, GAMMA, KAPPA_S, B_T, INFLUX = 50e-9, 292.3, 110.0, 200e-6, 7.6e-6  # M, 1/s

# K_d (nM), Hill coefficient, maximum, and NAOMi's kernel: the published numbers, once more
TABLE = {
    "gcamp3": (287, 2.52, 12, (0.05, 1, 1)),
    "gcamp6f": (290, 2.7, 25.2, (76.1251, 0.8535, 98.6173)),
    "gcamp6s": (147, 2.45, 27.2, (54.6943, 0.4526, 68.5461)),
    "gcamp6rs06": (320, 3, 15, None),
    "gcamp6rs09": (520, 3.2, 25, None),
    "jgcamp7f": (174, 2.3, 30.2, None),
    "jgcamp7s": (68, 2.49, 40.4, None),
    "jgcamp7b": (82, 3.06, 22.1, None),
    "jgcamp7c": (298, 2.44, 145.6, None),
    "ogb1": (250, 1, 14, None),
}


def reference(name, spikes, frames):
    """Integrate the defining equations to 1e-10 between spikes; dF/F at the frames."""
    k_d, n_h, largest, kernel = TABLE[name]
    k_d *= 1e-9
    amp, on, off = kernel if kernel else (0.0, 1.0, 1.0)

    def slowing(calcium):
        return 1 + KAPPA_S + B_T * k_d / (calcium + k_d) ** 2

    def flow(t, y):
        calcium, decaying, rising = y  # the kernel as its two exponentials
        return [
            -GAMMA * (calcium - REST) / slowing(calcium),
            calcium - REST - off * decaying,
            calcium - REST - (on + off) * rising,
        ]

    def hill(c):
        return 1 / (1 + (k_d / c) ** n_h)

    y, now, result = np.array([REST, 0.0, 0.0]), 0.0, []
    events = sorted([(t, 0) for t in spikes] + [(t, 1) for t in frames])
    for time, is_frame in events:
        if time > now:
            solved = solve_ivp(flow, (now, time), y, "DOP853", rtol=1e-8, atol=1e-17)
            y, now = solved.y[:, -1], time
        if is_frame:
            bound = y[0] if kernel is None else REST + 100 * amp * (y[1] - y[2])
            result.append(largest * (hill(bound) - hill(REST)))
        else:
            y[0] += INFLUX / slowing(y[0])
    return np.array(result)


def train(rate, duration, seed=4):
    """Steps of 0.1 ms at which a cell spikes, with some spikes close together."""
    rng = np.random.default_rng(seed)
    steps = 2 * rng.choice(int(duration * 5e3) - 60, int(rate * duration), replace=False)
    return np.unique(np.append(steps, steps[0] + 50))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            n, marks=[pytest.mark.slow] * (n not in ("gcamp6f", "gcamp6s", "jgcamp7f"))
        )
        for n in TEN
    ],
)
def test_every_indicator_follows_the_reference_at_1_5_and_20_hz(bench, name):
    """A spike at time t acts at the end of its step, t + 0.1 ms, as in any Brian2 synapse;
    and the cell spikes one step after what drives it."""
    trains = [train(rate, 1) for rate in (1, 5, 20)]
    seen = {}
    for evaluation in ("event", "clock"):
        sensor = getattr(imaging, name)(sigma_noise=0, evaluation=evaluation)
        scope = bench(trains).image(sensor, period=1 / 30 * second, duration=1 * second)
        seen[evaluation] = scope.dFF
    frames = scope.t_ms * 1e-3
    for cell, steps in enumerate(trains):
        expected = reference(name, (steps + 2) * 1e-4, frames)
        for evaluation, dff in seen.items():
            error = np.abs(dff[:, cell] - expected).max() / expected.max()
            assert error < 2e-6, f"{name}, {evaluation}, train {cell}"


@pytest.mark.parametrize("name", TEN)
def test_ten_indicators_work_with_default_arguments(bench, name):
    sensor = getattr(imaging, name)()
    assert sensor.name == name
    assert sensor.is_event_driven
    scope = bench([[10], []]).image(sensor, duration=0.2 * second)
    assert scope.dFF.shape == (10, 2)
    (clean,) = sensor.get_state().values()
    assert clean[0] > 0.001
    assert clean[1] == pytest.approx(0, abs=1e-12)


def test_single_spike_of_gcamp6f_has_the_documented_peak_and_decay():
    """Published for Cleo's parameters: peak 0.105 after 74 ms, half decay 1.29 s."""
    times = np.arange(0, 3, 1e-3)
    kinetics = imaging.gcamp6f().kinetics()
    (dff,), (calcium,) = dff_of_spikes(kinetics, np.zeros(1, int), np.zeros(1), times, 1)
    assert dff.max() == pytest.approx(0.105, abs=0.0005)
    assert times[dff.argmax()] == pytest.approx(0.074, abs=0.0015)
    after = np.flatnonzero((dff < dff.max() / 2) & (times > 0.1))[0]
    assert times[after] - times[dff.argmax()] == pytest.approx(1.29, abs=0.01)
    assert (calcium[0] - 50e-6) * 1e6 == pytest.approx(12.4, abs=0.05)  # nM


def test_calcium_of_the_neurons_drives_the_indicator(bench):
    """Calcium held at a level: dF/F is the Hill function of it, also behind a kernel."""
    model = "v : 1\nCa = (50 + 250*int(t >= 100*ms))*nmolar : mmolar"
    for name, kernel, gain in (("gcamp6f", True, 0.6615), ("jgcamp7f", False, 1.0)):
        sensor = getattr(imaging, name)(
            pre_existing_cal=True, doub_exp_conv=kernel, sigma_noise=0
        )
        assert not sensor.is_event_driven
        scope = bench([[], []], model).image(sensor, duration=0.5 * second)
        k_d, n_h, largest, _ = TABLE[name]
        levels = np.array([50, 50 + gain * 250])
        low, high = 1 / (1 + (k_d / levels) ** n_h)
        assert np.allclose(scope.dFF[0], 0)
        assert np.allclose(scope.dFF[-1], largest * (high - low), rtol=2e-3)


@pytest.mark.parametrize("name", TEN)
def test_all_ten_take_calcium_of_the_neurons(bench, name):
    """Calcium of 300 nM: the Hill function of it less that of the 50 nM at rest."""
    sensor = getattr(imaging, name)(pre_existing_cal=True, doub_exp_conv=False, sigma_noise=0)
    scope = bench([[]], "v : 1\nCa = 300*nmolar : mmolar").image(sensor, duration=40 * ms)
    k_d, n_h, largest, _ = TABLE[name]
    low, high = 1 / (1 + (k_d / np.array([50, 300])) ** n_h)
    np.testing.assert_allclose(scope.dFF, largest * (high - low), rtol=2e-3)


def test_neurons_calcium_of_another_name_and_a_missing_one(bench):
    sensor = imaging.gcamp6f(pre_existing_cal=True, sigma_noise=0, doub_exp_conv=False)
    setup = bench([[]], "v : 1\nfree : mmolar")
    setup.cells.free = 290 * nmolar
    scope = imaging.Scope(sensor, 500 * b2.um)
    setup.sim.inject(scope, setup.cells)
    scope.inject_sensor_for_targets(Ca_var_name="free")
    low = 1 / (1 + (290 / 50) ** 2.7)
    assert scope.get_state()[0] == pytest.approx(25.2 * (0.5 - low))
    with pytest.raises(ValueError, match=r"needs the variable 'Ca' in .*Ca_var_name="):
        bench([[]]).image(imaging.gcamp6f(pre_existing_cal=True))


@pytest.mark.parametrize("evaluation", ["event", "clock"])
def test_a_neuron_with_calcium_of_its_own_keeps_it(bench, evaluation):
    setup = bench([[10]], "v : 1\nCa : mmolar")
    setup.cells.Ca = 7 * umolar
    sensor = imaging.gcamp6f(sigma_noise=0, evaluation=evaluation)
    scope = setup.image(sensor, duration=0.2 * second)
    assert setup.cells.Ca[0] == 7 * umolar
    sensor = imaging.gcamp6f(sigma_noise=0, evaluation=evaluation)
    plain = bench([[10]]).image(sensor, duration=0.2 * second)
    assert np.array_equal(scope.dFF, plain.dFF)
    assert scope.dFF.max() > 0.1


@pytest.mark.parametrize("name", some_slow(TEN, 2))
@pytest.mark.parametrize("kernel", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_every_indicator_takes_calcium_of_the_neurons(bench, name, kernel):
    """At rest all are dark, and more calcium is more light."""
    model = "v : 1\nCa = (50 + 250*int(t >= 50*ms))*nmolar : mmolar"
    make = getattr(imaging, name)
    sensor = make(pre_existing_cal=True, doub_exp_conv=kernel, sigma_noise=0)
    dff = bench([[]], model).image(sensor, duration=0.1 * second).dFF[:, 0]
    assert np.abs(dff[:3]).max() < 1e-12
    assert dff[-1] > 1e-3


def test_expression_scales_dff(bench):
    scope = bench([[10], [10]]).image(
        imaging.gcamp6f(sigma_noise=0), rho_rel_generator=lambda n: np.arange(n) + 1.0
    )
    assert np.allclose(scope.dFF[:, 1], 2 * scope.dFF[:, 0])
    assert np.allclose(scope.dFF_1AP, [0.097755, 0.19551])


def test_excitation_scales_with_power_squared_and_spectrum(bench):
    from brian2 import mwatt, nmeter

    light = {
        "power": 20 * mwatt,
        "reference_power": 10 * mwatt,
        "wavelength": 930 * nmeter,
        "spectrum": [(900 * nmeter, 0.5), (920 * nmeter, 1.0), (940 * nmeter, 0.8)],
    }
    plain = bench([[10]]).image(imaging.gcamp6f(sigma_noise=0), duration=0.2 * second).dFF
    for evaluation in ("event", "clock"):
        bright = imaging.gcamp6f(
            light_dependent=True, sigma_noise=0, evaluation=evaluation, **light
        )
        assert bright.exc_spectrum[1] == (920 * nmeter, 1.0)
        seen = bench([[10]]).image(bright, duration=0.2 * second).dFF
        assert np.allclose(seen, 3.6 * plain, atol=1e-6)
    with pytest.raises(NotImplementedError, match="needs power, reference_power, wavelength"):
        imaging.gcamp6f(light_dependent=True)
    with pytest.raises(ValueError, match="says nothing about 1000 nm"):
        imaging.gcamp6f(light_dependent=True, **{**light, "wavelength": 1000 * nmeter})


def test_parts_of_ones_own_run_clock_driven(bench):
    """A linear indicator of a decaying tracer, written by a user."""

    class Tracer(imaging.CalciumModel):
        def __init__(self):
            super().__init__("dCa/dt = (Ca_rest - Ca)/(100*ms) : mmolar (clock-driven)")
            self.on_pre = "Ca += 100*nmolar"

        def init_syn_vars(self, syn):
            syn.Ca = 50 * nmolar

    sensor = imaging.GECI(
        cal_model=Tracer(), bind_act_model=imaging.NullBindingActivation(),
        exc_model=imaging.NullExcitation(), K_d=1 * molar, n_H=1, dFF_max=1e6,
        sigma_noise=0, dFF_1AP=None, name="linear",
    )  # fmt: skip
    assert not sensor.is_event_driven
    scope = bench([[1000]]).image(sensor, duration=0.3 * second)
    late = np.maximum(scope.t_ms - 100.2, 0)
    expected = np.where(scope.t_ms > 100, 0.1 * np.exp(-late / 100), 0)
    assert np.allclose(scope.dFF[:, 0], expected, atol=1e-5)
    with pytest.raises(ValueError, match="evaluation='event' needs calcium that spikes make"):
        imaging.gcamp6f(pre_existing_cal=True, evaluation="event")


def test_the_table_of_calcium_is_the_solution_of_the_equation():
    """G falls at gamma: integrate from 3 uM for half a second and look it up."""
    k = Kinetics(
        rest=5e-5, K_d=2.9e-4, B_T=0.2, influx=7.6e-3, gamma=292.3, kappa_S=110, n_H=2.7,
        dFF_max=25.2,
    )  # fmt: skip
    table = CalciumTable(k)

    def flow(t, x):
        return -k.gamma * x / (1 + k.kappa_S + k.B_T * k.K_d / (x + k.rest + k.K_d) ** 2)

    times = np.linspace(0, 0.5, 6)
    x = solve_ivp(flow, (0, 0.5), [3e-3], rtol=1e-11, atol=1e-20, t_eval=times).y[0]
    found, slope = table.calcium(table.place(3e-3) - table.fall * times)
    assert np.allclose(found, x, rtol=1e-6)
    assert np.allclose(slope, flow(0, x), rtol=1e-6)


def test_factories_are_functions_with_their_parameters_in_sight():
    import inspect

    signature = inspect.signature(imaging.gcamp6f)
    wanted = [
        "light_dependent",
        "doub_exp_conv",
        "pre_existing_cal",
        "K_d",
        "n_H",
        "dFF_max",
        "sigma_noise",
        "dFF_1AP",
        "ca_amp",
        "t_on",
        "t_off",
        "Ca_rest",
        "kappa_S",
        "gamma",
        "B_T",
        "dCa_T",
        "name",
    ]
    assert list(signature.parameters)[: len(wanted)] == wanted
    assert "K_d=290 nM" in imaging.gcamp6f.__doc__
    for row in imaging.INDICATORS.values():
        assert set(row.sources) == {
            "K_d", "n_H", "dFF_max", "dFF_1AP", "sigma_noise", "kernel",
        }  # fmt: skip
        assert all(row.sources.values()), row.name
    assert imaging.gcamp6f(K_d=400 * nmolar, gamma=100 * Hz).K_d == 400 * nmolar
    with pytest.raises(KeyError, match="did you mean 'gamma'"):
        imaging.gcamp6f(gama=400 * Hz)
    with pytest.raises(ValueError, match="K_d=400 has no unit"):
        imaging.gcamp6f(K_d=400)
    for wrong in ({"K_d": 0 * nmolar}, {"gamma": -1 * Hz}, {"sigma_noise": -1}, {"n_H": 0},
                  {"t_on": 0}, {"Ca_rest": -1 * nmolar}, {"kappa_S": -1}):  # fmt: skip
        with pytest.raises(ValueError, match=r"must be (above 0|0 or more), got"):
            imaging.gcamp6f(**wrong)
    assert not imaging.gcamp6f(False, False).params.keys() & {"A"}
    for flags, more in (((False,) * 4, {}), ((False,), {"light_dependent": False})):
        with pytest.raises(ValueError, match="takes light_dependent, doub_exp_conv, pre"):
            imaging.gcamp6f(*flags, **more)
    with pytest.raises(ValueError, match="ca_amp, t_on and t_off together"):
        imaging.jgcamp7f(ca_amp=3)


@pytest.mark.parametrize("name", ["gcamp6f", "gcamp3", "jgcamp7f"])
def test_frames_far_apart_and_close_together_agree(name):
    """Spikes in bursts, many within one frame: the same with 1 ms and with 0.7 s between frames."""
    rng = np.random.default_rng(7)
    who, when = rng.integers(0, 4, 120), rng.uniform(0, 2.8, 30).repeat(4)
    when += rng.uniform(0, 1e-3, 120)  # cells spike twice within a millisecond
    kinetics = getattr(imaging, name)().kinetics()
    fine, coarse = np.arange(1, 2801) * 1e-3, np.arange(1, 5) * 0.7
    close, _ = dff_of_spikes(kinetics, who, when, fine, 4)
    far, calcium = dff_of_spikes(kinetics, who, when, coarse, 4)
    np.testing.assert_allclose(far, close[:, 699::700], atol=2e-6 * close.max())
    assert close.max() > 0.3
    assert (calcium > 50e-6).all()


# (peak, time to peak, half-decay) of one spike at the defaults: an integration by RK4, once
ONE_SPIKE = {
    "gcamp3": (0.126, 2.022, 2.37), "gcamp6f": (0.105, 0.074, 1.29),
    "gcamp6s": (0.384, 0.106, 1.91), "gcamp6rs06": (0.057, 0, 1.11),
    "gcamp6rs09": (0.023, 0, 0.78), "jgcamp7f": (0.732, 0, 1.70),
    "jgcamp7s": (3.00, 0, 2.4), "jgcamp7b": (1.53, 0, 2.2), "jgcamp7c": (1.32, 0, 1.2),
    "ogb1": (0.43, 0, 1.55),
}  # fmt: skip


@pytest.mark.parametrize("name", TEN)
def test_an_indicator_tells_its_own_response_to_one_spike(name):
    one = getattr(imaging, name)().single_spike()
    peak, time_to_peak, half_decay = ONE_SPIKE[name]
    assert one.peak == pytest.approx(peak, rel=1e-2, abs=6e-4)
    assert one.time_to_peak == pytest.approx(time_to_peak, abs=6e-3)
    assert one.half_decay == pytest.approx(half_decay, rel=2.5e-2)
