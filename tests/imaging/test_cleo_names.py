"""Everything the imaging reference of Cleo documents exists here, under its name."""

import inspect

import brian2 as b2
import pytest
from brian2 import um

import cleo_like as cleo

CLASSES = {
    "CalBindingActivationModel": "model",
    "CalciumModel": "model on_pre",
    "DoubExpCalBindingActivation": "A Ca_rest init_syn_vars model tau_off tau_on",
    "DynamicCalcium": "B_T Ca_rest dCa_T gamma init_syn_vars kappa_S model on_pre",
    "ExcitationModel": "model",
    "GECI": "K_d bind_act_model cal_model dFF_max exc_model fluor_model get_state "
    "init_syn_vars location n_H params",
    "LightExcitation": "model",
    "NullBindingActivation": "model",
    "NullExcitation": "model",
    "PreexistingCalcium": "model",
    "Scope": "add_self_to_plot connect_to_neuron_group dFF dFF_1AP direction "
    "focus_coords_per_injct focus_depth get_state i_targets_for_neuron_group "
    "i_targets_per_injct img_width inject_sensor_for_targets location n neuron_groups "
    "rand_seed reset rho_rel_per_injct sensor sigma_noise sigma_per_injct snr_cutoff "
    "soma_radius t_ms target_neurons_in_plane",
    "Sensor": "dFF_1AP exc_spectrum get_state location sigma_noise snr",
}
ARGUMENTS = {
    "DoubExpCalBindingActivation": "A tau_on tau_off Ca_rest",
    "DynamicCalcium": "Ca_rest gamma B_T kappa_S dCa_T",
    "GECI": "extra_namespace name save_history sigma_noise dFF_1AP cal_model bind_act_model "
    "exc_model K_d n_H dFF_max",
    "Scope": "sensor img_width focus_depth location direction soma_radius snr_cutoff "
    "rand_seed name save_history",
    "Sensor": "extra_namespace name save_history sigma_noise dFF_1AP location",
    "geci": "light_dependent doub_exp_conv pre_existing_cal",
    "target_neurons_in_plane": "ng scope_focus_depth scope_img_width scope_location "
    "scope_direction soma_radius sensor_location",
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_have_their_attributes(name):
    found = getattr(cleo.imaging, name)
    fields = {f.name for f in getattr(found, "__attrs_attrs__", ())}
    missing = [a for a in CLASSES[name].split() if a not in fields and not hasattr(found, a)]
    assert missing == []


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_come_in_their_order(name):
    mine = inspect.signature(getattr(cleo.imaging, name)).parameters
    wanted = ARGUMENTS[name].split()
    assert set(wanted) <= set(mine)
    positional = [a for a in wanted if mine[a].kind is mine[a].POSITIONAL_OR_KEYWORD]
    assert positional == list(mine)[: len(positional)]


def test_a_script_written_for_cleo_runs_with_one_import_changed():
    group = b2.NeuronGroup(
        30, "dv/dt = (1.2 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="euler"
    )
    cleo.coords.assign_coords_rand_rect_prism(group, (-0.1, 0.1), (-0.1, 0.1), (0.08, 0.12))
    sim = cleo.CLSimulator(b2.Network(group))
    scope = cleo.imaging.Scope(
        focus_depth=100 * um, img_width=500 * um, sensor=cleo.imaging.gcamp6f()
    )
    sim.inject(scope, group, rho_rel_generator=lambda n: [1.0] * n)
    sim.inject(scope, group, focus_depth=110 * um, soma_radius=8 * um)
    scope.inject_sensor_for_targets()
    sim.set_io_processor(cleo.ioproc.RecordOnlyProcessor(sample_period=5 * b2.ms))
    sim.run(50 * b2.ms)
    assert len(scope.dFF) == len(scope.t_ms) == 10
    assert scope.dFF[-1].shape == (scope.n,) == scope.sigma_noise.shape
    assert scope.n == sum(len(i) for i in scope.i_targets_per_injct) > 5


def test_what_is_missing_says_so():
    with pytest.raises(NotImplementedError, match="VideoVisualizer is not part of cleo_like"):
        cleo.viz.VideoVisualizer(devices=[])
