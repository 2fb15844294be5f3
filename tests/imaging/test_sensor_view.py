"""The synapses of an event-driven sensor: oracle is the same sensor as Brian2 equations."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms, nmolar, um, umolar

from cleo_like.base import CLSimulator
from cleo_like.coords import assign_xyz
from cleo_like.core import InputError, UnitError, UnsupportedError
from cleo_like.imaging import Optics, Scope, calibrated, gcamp6f, jgcamp7f


def spiking(n=3):
    """Cell k spikes every 4 + 3 k ms."""
    return b2.NeuronGroup(
        n, "v : 1", threshold="int(t/dt) % (40 + 30*i) == 39 + 30*i", reset="", name="cells"
    )


def both_ways(make, change=lambda synapses: None):
    """Names and values of both evaluations after 15 ms, `change`, and another 15 ms."""
    results = []
    for evaluation in ("event", "clock"):
        group = spiking()
        sensor = make(evaluation=evaluation)
        sim = CLSimulator(b2.Network(group)).inject(sensor, group, i_targets=[2, 0])
        sim.run(15 * ms)
        change(sensor.synapses[group.name])
        sim.run(15 * ms)
        synapses = sensor.synapses[group]
        names = ["Ca", "CaB", "dFF", "rho_rel", "i", "j"]
        names += ["b"] if make is gcamp6f else []
        results.append({n: np.array(getattr(synapses, n)[:]) for n in names})
        assert synapses.N == len(synapses) == 2
        assert b2.get_dimensions(synapses.Ca[:]) is b2.mmolar.dim
    return results


def change_all(synapses):
    synapses.Ca = 300 * nmolar
    synapses.rho_rel = [2, 0.5]


def change_one(synapses):
    synapses.Ca[1] = 0.4 * umolar
    synapses.rho_rel[0] = 3


@pytest.mark.parametrize("make", [gcamp6f, pytest.param(jgcamp7f, marks=pytest.mark.slow)])
@pytest.mark.parametrize("change", [lambda synapses: None, change_all, change_one])
def test_variables_are_those_of_the_equations(make, change):
    event, clock = both_ways(make, change)
    for name, values in clock.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(event[name], values, rtol=0, atol=2e-5 * scale, err_msg=name)
    assert event["i"].tolist() == [2, 0]


def test_present_values_compute_like_arrays():
    group = spiking()
    sensor = gcamp6f()
    CLSimulator(b2.Network(group)).inject(sensor, group)
    view = sensor.synapses[group.name]
    assert (view.Ca < 51 * nmolar).all()
    assert np.allclose(view.Ca / nmolar, 50)
    assert view.dFF.shape == (3,)
    assert view.dFF.tolist() == [0, 0, 0]
    assert (view.rho_rel * 2).tolist() == [2, 2, 2]
    assert view.Ca_[0] == pytest.approx(50e-6)  # mol/m^3
    assert np.asarray(view.rho_rel).sum() == 3
    assert list(view.i[1:]) == [1, 2]
    assert len(view.exc_factor) == 3
    assert "gcamp6f_cells" in repr(view)
    assert "Ca" in dir(view)


def test_what_cannot_be_set_or_read_says_so():
    group = spiking()
    sensor, fitted = gcamp6f(), calibrated.gcamp6f()
    fitted.name = "fitted"
    CLSimulator(b2.Network(group)).inject(sensor, group).inject(fitted, group)
    view = sensor.synapses[group]
    with pytest.raises(InputError, match="follows from Ca and rho_rel"):
        view.dFF = 1
    with pytest.raises(UnitError, match="Ca=3 has no unit"):
        view.Ca = 3
    with pytest.raises(InputError, match="must be from rest"):
        view.Ca = 10 * nmolar
    with pytest.raises(InputError, match="must be 0 or more, one or 3 values"):
        view.rho_rel = [1, 2]
    with pytest.raises(AttributeError, match="has no 'w'; it has Ca"):
        _ = view.w
    with pytest.raises(UnsupportedError, match="evaluation='clock'"):
        b2.StateMonitor(view, "dFF", record=True)
    assert np.isnan(fitted.synapses[group].Ca[:]).all()
    with pytest.raises(UnsupportedError, match="no concentration"):
        fitted.synapses[group].Ca = 1 * umolar
    fitted.synapses[group].rho_rel = 2
    assert fitted.synapses[group].rho_rel[2] == 2


@pytest.mark.slow
def test_reading_between_two_frames_takes_nothing_from_the_second():
    """Oracle: the same frames without the reading."""

    def frames(reading):
        group = spiking(1)
        scope = Scope(
            gcamp6f(sigma_noise=0), 500 * um, rand_seed=1,
            optics=Optics(frame_rate=50 * b2.Hz, brightness=1e12 * b2.Hz),
        )  # fmt: skip
        sim = CLSimulator(b2.Network(group)).inject(scope, group)
        for k in range(1, 7):
            sim.run(10 * ms)
            if reading:
                scope.sensor.get_state(), scope.sensor.synapses[group].Ca[:]
            if k % 2 == 0:
                scope.get_state()
        return np.array(scope._clean.values)

    np.testing.assert_allclose(frames(True), frames(False), rtol=1e-7)


@pytest.mark.parametrize(("start", "targets"), [(0, [20, 30]), (10, [2, 3]), (10, [20, 21])])
def test_calcium_of_neurons_is_read_in_a_subgroup(start, targets):
    """Oracle: the Hill function of the calcium of those very cells."""
    group = b2.NeuronGroup(60, "Ca : mmolar (constant)\nv : 1", threshold="v > 1", reset="")
    group.Ca = (50 + 10 * np.arange(60)) * nmolar
    sensor = gcamp6f(pre_existing_cal=True, doub_exp_conv=False, sigma_noise=0)
    sim = CLSimulator(b2.Network(group))
    part = group[start:]
    sim.inject(sensor, part, i_targets=targets)
    sim.run(0.2 * ms)
    calcium = 50 + 10 * (np.array(targets) + start)

    def hill(c):
        return 1 / (1 + (290 / c) ** 2.7)

    expected = 25.2 * (hill(calcium) - hill(50))
    assert sensor.get_state()[part.name] == pytest.approx(expected)
    assert np.array(sensor.synapses[part].dFF[:]) == pytest.approx(expected)


def test_cells_without_a_plane_next_to_planes():
    group = spiking(12)
    assign_xyz(group, [[0] * 12], 0, [[200] * 6 + [300] * 6], unit=um)
    scope = Scope(gcamp6f(), 500 * um, 200 * um)
    sim = CLSimulator(b2.Network(group))
    sim.inject(scope, group)
    sim.inject(scope, group, focus_depth=None, i_targets=range(6, 9), sigma_noise=0.5)
    own = np.linspace(0.1, 0.3, 3)
    sim.inject(scope, group, focus_depth=None, i_targets=range(9, 12), sigma_noise=own)
    assert [s.tolist() for s in scope.sigma_per_injct[1:]] == [[0.5] * 3, own.tolist()]
    assert scope.n == 12
    assert np.asarray(scope.focus_coords)[:, 2] == pytest.approx([200e-6] * 6 + [300e-6] * 6)
    with pytest.raises(ValueError, match="focus_depth=None"):
        sim.inject(scope, group, i_targets=[1])
    with pytest.raises(ValueError, match="focus_depth=None"):
        sim.inject(scope, group, focus_depth=200 * um, sigma_noise=0.1)
    cells = scope.i_targets_for_neuron_group(group)
    assert cells == list(range(12))
    sim.network.add(b2.SpikeMonitor(group, record=cells))
    sim.network.add(b2.StateMonitor(group, "v", record=cells))
    sim.run(1 * ms)


def test_parts_of_a_group_are_the_same_part():
    group = spiking(6)
    scope = Scope(gcamp6f(), 500 * um)
    CLSimulator(b2.Network(group)).inject(scope, group[2:5], i_targets=[0, 2])
    assert scope.i_targets_for_neuron_group(group[2:5]) == [0, 2]
    assert scope.i_targets_for_neuron_group(group[2:6]) == []
    assert scope.i_targets_for_neuron_group(group) == []


def test_frames_and_planes_can_be_assigned():
    pytest.importorskip("neo")
    scope = Scope(gcamp6f(), 500 * um, 200 * um)
    scope.t, scope.dFF = [1, 2] * ms, [[0, 1, 2], [3, 4, 5]]
    signal = scope.to_neo()
    assert signal.shape == (2, 3)
    assert signal.array_annotations == {}
    assert float(signal.annotations["focus_depth"].rescale("um")) == pytest.approx(200)
    scope.i_targets_per_injct = [[0, 4], [2]]
    scope.focus_coords_per_injct = [[[1, 2, 3], [4, 5, 6]] * um, [[7, 8, 9]] * um]
    scope.rho_rel_per_injct = [[0.9, 0.8], [0.7]]
    notes = scope.to_neo().array_annotations
    assert notes["x"].rescale("um").magnitude == pytest.approx([1, 4, 7])
    assert notes["dFF_1AP"] == pytest.approx(0.097755 * np.array([0.9, 0.8, 0.7]))
    assert notes["i_roi"].tolist() == [0, 1, 2]
    assert scope.n == 3
    with pytest.raises(InputError, match=r"given for \[2, 1\] cells"):
        scope.sigma_per_injct = [[0.1], [0.1]]
    with pytest.raises(InputError, match="no truth"):
        scope.traces()
