"""Which cells a scope sees, when, and what goes wrong loudly."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import Hz, ms, second, um

from cleo_like import imaging
from cleo_like.base import CLSimulator
from cleo_like.coords import assign_xyz
from cleo_like.core import InputError, UnitError, UnsupportedError
from cleo_like.imaging import Scope, gcamp6f
from cleo_like.imaging.plane import focus_weight
from cleo_like.ioproc import RecordOnlyProcessor


def cells_at(*z, x=0):
    group = b2.NeuronGroup(len(z), "v : 1", threshold="v > 1", reset="")
    assign_xyz(group, x, 0, list(z), unit=um)
    return group


def scope_on(group, *args, injection=(), **kwargs):
    scope = Scope(gcamp6f(), 500 * um, *args, **kwargs)
    CLSimulator(b2.Network(group)).inject(scope, group, **dict(injection))
    return scope


def test_noise_rises_as_the_plane_leaves_the_middle_of_a_cell():
    group = cells_at(100, 106, 92, 111)
    found = imaging.target_neurons_in_plane(group, 100 * um, 500 * um)
    assert found[0].tolist() == [0, 1, 2]
    assert found[1] == pytest.approx([1, 1.25, 1 / 0.6])
    membrane = imaging.target_neurons_in_plane(
        group, 100 * um, 500 * um, sensor_location="membrane"
    )
    assert membrane[1] == pytest.approx([1, 1.118, 1.291], abs=1e-3)


def test_cells_above_and_below_the_plane_are_projected_alike():
    group = cells_at(92, 108)
    _, _, at = imaging.target_neurons_in_plane(group, 100 * um, 500 * um)
    assert np.allclose(at / um, [[0, 0, 100], [0, 0, 100]])
    edge = cells_at(92, 108, x=49.5)
    found, _, _ = imaging.target_neurons_in_plane(edge, 100 * um, 100 * um)
    assert found.tolist() == [0, 1]


def test_a_direction_of_any_length_and_a_tilted_scope(rng):
    group = cells_at(100, 200)
    found, _, _ = imaging.target_neurons_in_plane(
        group, 100 * um, 500 * um, scope_direction=(0, 0, 2)
    )
    assert found.tolist() == [0]
    places = rng.uniform(-50, 50, (50, 3))
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    straight, tilted = (b2.NeuronGroup(50, "v : 1") for _ in range(2))
    assign_xyz(straight, *places.T, unit=um)
    assign_xyz(tilted, *(places @ turn.T).T, unit=um)
    one = imaging.target_neurons_in_plane(straight, 5 * um, 60 * um)
    two = imaging.target_neurons_in_plane(
        tilted, 5 * um, 60 * um, scope_direction=turn @ [0, 0, 1]
    )
    assert one[0].tolist() == two[0].tolist()
    assert np.allclose(one[1], two[1])
    assert np.allclose(one[2] @ turn.T / um, two[2] / um)


def test_a_depth_of_zero_is_a_depth():
    scope = scope_on(cells_at(0, 100), 0 * um)
    assert scope.i_targets_per_injct[0].tolist() == [0]
    also = scope_on(cells_at(0, 100), injection={"focus_depth": 0 * um})
    assert also.i_targets_per_injct[0].tolist() == [0]


def test_the_snr_cut_keeps_what_the_formula_says():
    """With SNR 2.608 in focus, cells to 9.236 um off the plane of R = 10 um are kept."""
    group = cells_at(109.2, 109.3, 100)
    assert scope_on(group, 100 * um).i_targets_per_injct[0].tolist() == [0, 2]
    dim = {"rho_rel_generator": lambda n: np.full(n, 0.3)}
    assert scope_on(cells_at(100, 109), 100 * um, injection=dim).n == 0
    unknown = Scope(imaging.ogb1(), 500 * um, 100 * um)
    group = cells_at(109.9)
    CLSimulator(b2.Network(group)).inject(unknown, group)
    assert unknown.n == 1
    assert np.isnan(unknown.dFF_1AP).all()


def test_a_plane_that_hits_no_cell_gives_empty_frames(bench):
    setup = bench([[10], [10]]).place(0, 0, 300)
    scope = setup.image(gcamp6f(), scope={"focus_depth": 100 * um}, duration=60 * ms)
    assert scope.n == 0
    assert scope.dFF.shape == (3, 0)
    assert scope.traces().n_rois == 0


def test_a_scope_that_sees_no_group_gives_empty_frames_at_any_rate(bench):
    setup = bench([[10], [10]])
    scope = Scope(gcamp6f(), 500 * um)
    scope.sim = setup.sim
    traces = scope.traces(rate=100 * Hz)
    assert traces.n_rois == 0
    assert traces.fluorescence.shape == (0, 1)


def test_several_planes_groups_and_their_order(bench):
    """Cell 1 is in both planes: two ROIs of the same signal, with noise of their own."""
    setup = bench([[10], [200], []]).place(0, 0, [100, 106, 112])
    scope = Scope(gcamp6f(), 500 * um, rand_seed=1)
    setup.sim.inject(scope, setup.cells, focus_depth=102 * um)
    setup.sim.inject(scope, setup.cells, focus_depth=110 * um)
    assert [i.tolist() for i in scope.i_targets_per_injct] == [[0, 1], [1, 2]]
    assert scope.n == 4
    assert scope.i_targets_for_neuron_group(setup.cells) == [0, 1, 1, 2]
    assert scope.focus_coords.shape == (4, 3)
    setup.sim.set_io_processor(RecordOnlyProcessor(10 * ms))
    setup.sim.run(0.2 * second)
    traces = scope.traces()
    truth = traces.truth
    assert truth.fluorescence[0].max() > 0.09
    assert np.array_equal(truth.fluorescence[1], truth.fluorescence[2])
    assert (truth.fluorescence[3] == 0).all()
    assert [len(s) for s in truth.spike_times] == [1, 1, 1, 0]
    assert truth.spike_times[1][0] == pytest.approx(0.0201)
    assert traces.rois["plane"].tolist() == [0, 0, 1, 1]
    assert traces.rois["neuron"].tolist() == [0, 1, 1, 2]
    assert np.allclose(traces.positions[:, 2], [100e-6, 106e-6, 106e-6, 112e-6])
    assert not np.array_equal(traces.fluorescence[1], traces.fluorescence[2])
    with pytest.raises(InputError, match="inject all planes before"):
        setup.sim.inject(scope, setup.cells, focus_depth=90 * um)


def test_a_subgroup_can_be_imaged_with_and_without_a_plane(bench):
    for depth in (None, 100 * um):
        for evaluation in ("event", "clock"):
            setup = bench([[], [], [10], []]).place(0, 0, [0, 0, 100, 105])
            part = setup.cells[2:]
            scope = Scope(gcamp6f(sigma_noise=1e-12, evaluation=evaluation), 500 * um, depth)
            setup.sim.inject(scope, part)
            setup.sim.set_io_processor(RecordOnlyProcessor(20 * ms))
            setup.sim.run(100 * ms)
            assert scope.dFF[-1] == pytest.approx([0.105, 0], abs=2e-3)


def test_noise_is_gaussian_of_the_scopes_own_seed(bench):
    def run(seed):
        return bench([[]] * 50).image(
            gcamp6f(), scope={"rand_seed": seed}, period=1 * ms, duration=0.2 * second
        )

    first, again, other = run(1), run(1), run(2)
    assert np.array_equal(first.dFF, again.dFF)
    assert not np.array_equal(first.dFF, other.dFF)
    assert first.dFF.std() == pytest.approx(0.03748, rel=0.02)
    first.sim.reset()
    assert len(first.dFF) == 0
    first.sim.run(0.2 * second)
    assert np.array_equal(first.dFF, again.dFF)


def test_reset_repeats_spikes_and_calcium(bench):
    for evaluation in ("event", "clock"):
        sensor = gcamp6f(evaluation=evaluation, sigma_noise=0)
        scope = bench([[10, 500]]).image(sensor, duration=0.2 * second)
        before = scope.dFF.copy()
        assert before.max() > 0.1
        scope.sim.reset()
        scope.sim.run(0.2 * second)
        assert np.allclose(scope.dFF, before, rtol=0, atol=1e-12)


def test_names_of_either_generation_of_cleo(bench):
    scope = bench([[10]]).image(gcamp6f(), duration=40 * ms)
    assert scope.t_ms == pytest.approx([0, 20])
    assert np.allclose(scope.t / ms, [0, 20])
    assert scope.neuron_groups[0] is scope.injections[0].neuron_group
    assert scope.sigma_noise == pytest.approx([0.037482], abs=1e-6)
    assert scope.sensor.snr == pytest.approx(2.608, abs=1e-3)
    assert imaging.gcamp6_rs06 is imaging.gcamp6rs06
    assert imaging.ogb_1 is imaging.ogb1
    assert scope.sensor.location == "cytoplasm"
    assert "gamma" in scope.sensor.params


def test_wrong_scopes_are_refused(bench):
    with pytest.raises(UnitError, match=r"img_width=500 has no unit; did you mean 500\*um"):
        Scope(gcamp6f(), 500)
    with pytest.raises(UnitError, match="img_width must be in um"):
        Scope(gcamp6f(), 500 * ms)
    with pytest.raises(UnitError, match="focus_depth must be in um"):
        Scope(gcamp6f(), 500 * um, 3 * ms)
    with pytest.raises(InputError, match="soma_radius must be positive"):
        Scope(gcamp6f(), 500 * um, soma_radius=0 * um)
    with pytest.raises(InputError, match=r"location must be three finite lengths"):
        Scope(gcamp6f(), 500 * um, location=[0, 0] * um)
    with pytest.raises(InputError, match="rand_seed must be a whole number"):
        Scope(gcamp6f(), 500 * um, rand_seed="one")
    with pytest.raises(InputError, match="needs a sensor first"):
        Scope(gcamp6f, 500 * um)
    group = cells_at(100, 100)
    with pytest.raises(InputError, match="cannot be given with a focal plane"):
        scope_on(group, 100 * um, injection={"sigma_noise": 0.1})
    with pytest.raises(InputError, match="a scope knows the keywords"):
        scope_on(group, 100 * um, injection={"rho_rel": 1})
    with pytest.raises(InputError, match="must give 2 numbers"):
        scope_on(group, 100 * um, injection={"rho_rel_generator": lambda n: [1]})
    with pytest.raises(InputError, match="has no coordinates"):
        scope_on(b2.NeuronGroup(1, "v : 1"), 100 * um)
    with pytest.raises(InputError, match="took no frame"):
        scope_on(cells_at(100), 100 * um).traces()
    setup = bench([[]])
    sensor = gcamp6f()
    setup.sim.inject(sensor, setup.cells)
    with pytest.raises(InputError, match="already injected into"):
        setup.sim.inject(sensor, setup.cells)
    clock = bench([[]])
    with pytest.raises(UnsupportedError, match="exposure needs event-driven"):
        clock.image(gcamp6f(evaluation="clock"), scope={"optics": imaging.Optics()})


def test_two_scopes_need_two_sensors(bench):
    """Found at the injection, not at the run, and the simulator stays usable."""
    setup = bench([[10], [20]]).place(0, 0, [100, 100])
    shared = gcamp6f()
    one = Scope(shared, 500 * um, 100 * um, name="one")
    setup.sim.inject(one, setup.cells)
    with pytest.raises(InputError, match=r"gcamp6f\(name='gcamp6f-2'\)"):
        setup.sim.inject(Scope(gcamp6f(), 500 * um, 100 * um, name="two"), setup.cells)
    with pytest.raises(InputError, match="'two' and 'one' share the sensor 'gcamp6f'"):
        setup.sim.inject(Scope(shared, 500 * um, 100 * um, name="two"), setup.cells)
    two = Scope(gcamp6f(name="gcamp6f-2"), 500 * um, 100 * um, name="two")
    setup.sim.inject(two, setup.cells)
    setup.sim.run(20 * ms)
    assert {name: len(f) for name, f in setup.sim.get_state().items()} == {"one": 2, "two": 2}


def test_groups_injected_in_turn_keep_their_places(bench):
    """Planes of two groups, one after another: A, B, A."""
    setup = bench([[10], [], []]).place(0, 0, [100, 110, 120])
    other = b2.NeuronGroup(2, "v : 1", threshold="v > 1", reset="", name="others*")
    imaging_coords = [100, 100] * um
    from cleo_like.coords import assign_xyz

    assign_xyz(other, 0, 0, imaging_coords)
    setup.sim.network.add(other)
    scope = Scope(gcamp6f(sigma_noise=1e-12), 500 * um, rand_seed=1)
    setup.sim.inject(scope, setup.cells, focus_depth=120 * um)
    setup.sim.inject(scope, other, focus_depth=100 * um)
    setup.sim.inject(scope, setup.cells, focus_depth=100 * um)
    setup.sim.set_io_processor(RecordOnlyProcessor(20 * ms))
    setup.sim.run(90 * ms)
    traces = scope.traces()
    assert traces.rois["neuron"].tolist() == [2, 0, 1, 0]
    assert traces.rois["plane"].tolist() == [0, 1, 1, 2]
    assert traces.rois["group"][3] == setup.cells.name
    assert np.round(traces.fluorescence[:, -1], 2).tolist() == [0, 0, 0, 0.1]
    later = scope.traces(rate=50 * b2.Hz)
    assert np.allclose(later.fluorescence[:, :5], traces.fluorescence, atol=1e-7)


def test_frames_computed_after_the_run_equal_those_taken_in_it(bench):
    setup = bench([[10, 300], [77]])
    scope = setup.image(gcamp6f(sigma_noise=0), period=50 * ms)
    later = scope.traces(rate=20 * b2.Hz)
    taken = scope.traces()
    assert np.allclose(later.times[:-1], taken.times)
    assert np.allclose(later.fluorescence[:, :-1], taken.fluorescence, atol=1e-7)
    assert np.allclose(later.truth.calcium[:, :-1], taken.truth.calcium, atol=1e-10)


def test_neo_export_has_the_frames_in_the_block_of_the_simulator(bench):
    pytest.importorskip("neo")
    setup = bench([[10], []]).place(0, 0, [100, 104])
    scope = setup.image(gcamp6f(), scope={"focus_depth": 100 * um}, duration=0.2 * second)
    (signal,) = setup.sim.to_neo().segments[0].analogsignals
    assert signal.name == "Scope"
    assert np.allclose(signal.magnitude, scope.dFF)
    assert signal.array_annotations["z"].rescale("um").magnitude == pytest.approx([100, 100])
    plain = bench([[10]]).image(gcamp6f(), duration=0.2 * second)
    assert plain.to_neo().shape == (10, 1)


@pytest.mark.slow
def test_a_standalone_run_is_imaged_afterwards(bench, tmp_path):
    """Brian2 builds and runs a program of its own; its spikes give the same frames."""
    runtime = bench([[10, 300], [77]]).image(gcamp6f(sigma_noise=0), duration=0.1 * second)
    b2.set_device("cpp_standalone", directory=str(tmp_path))
    try:
        setup = bench([[10, 300], [77]], name="built")
        scope = Scope(gcamp6f(sigma_noise=0), 500 * um)
        setup.sim.inject(scope, setup.cells)
        setup.sim.run(0.1 * second)
        traces = scope.traces(rate=50 * b2.Hz)
    finally:
        b2.device.reinit()
        b2.set_device("runtime")
    taken = runtime.traces()
    assert taken.fluorescence.max() > 0.1
    assert np.allclose(traces.fluorescence[:, :5], taken.fluorescence, atol=1e-7)
    assert [len(s) for s in traces.truth.spike_times] == [2, 1]


def test_the_plot_shows_cells_plane_and_rois(bench):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from cleo_like import viz

    setup = bench([[], [], []]).place([0, 50, 20], 0, [100, 104, 300])
    scope = Scope(gcamp6f(), 200 * um, 100 * um)
    setup.sim.inject(scope, setup.cells)
    _, ax = viz.plot(setup.cells, sim=setup.sim, zlim=(0, 400))
    assert "Scope: 2 ROIs" in [t.get_text() for t in ax.get_legend().get_texts()]
    assert ax.get_zlabel() == "z (µm)"
    assert ax.get_zlim() == (400, 0)
    assert len(ax.collections) == 3  # cells, disc, ROIs
    bare = Scope(gcamp6f(), 200 * um)
    viz.plot(setup.cells, devices=[bare])
    plt.close("all")


def test_the_faintest_cells_are_looked_at():
    """A cell counts when it gives a thousandth of the light of one in focus, or more."""
    heights, optics = np.linspace(0, 60, 601), imaging.Optics()
    scope = scope_on(
        cells_at(*(100 + heights)),
        injection={"focus_depth": 100 * um, "soma_radius": 10 * um},
        optics=optics,
        snr_cutoff=0,
    )
    weights = focus_weight(heights * 1e-6, 10e-6, optics.axial_sigma, "cytoplasm")
    (seen,) = scope.injections
    assert np.array_equal(seen.i_targets, np.flatnonzero(weights > 1e-3))
    assert weights[seen.i_targets[-1]] < 1.2e-3
