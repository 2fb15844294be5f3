"""Devices of a closed loop show themselves: a line, a figure, tables; as the nouns do."""

import brian2 as b2
import matplotlib as mpl
import numpy as np
import pytest
from brian2 import ms, mV, second, um

import cleo_like as cl
from cleo_like.core.errors import InputError, PlaceError
from cleo_like.imaging import Scope, calibrated, gcamp6f

mpl.use("Agg")


@pytest.fixture(scope="module")
def loop():
    """Three cells, of which the scope sees two; the second fires every 20 ms from 50 ms on."""
    before, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    cells = b2.NeuronGroup(
        3, "v = -70*mV + i*mV : volt\nlight : 1",
        threshold="i == 1 and t > 50*ms", refractory=20 * ms, reset="", dt=1 * ms, name="cells",
    )  # fmt: skip
    cl.coords.assign_xyz(cells, [-20, 0, 30], [0, 10, 0], [100, 104, 300], unit=um)
    sensor = gcamp6f(sigma_noise=1e-9)
    devices = {
        "scope": Scope(sensor, 200 * um, 100 * um),
        "v": cl.recorders.VoltageRecorder(name="v"),
        "rate": cl.recorders.RateRecorder(1, name="rate"),
        "spikes": cl.recorders.GroundTruthSpikeRecorder(name="spikes"),
        "light": cl.stimulators.StateVariableSetter(
            name="light", variable_to_ctrl="light", unit=1
        ),
    }
    sim = cl.CLSimulator(b2.Network(cells))
    for device in devices.values():
        sim.inject(device, cells)

    class Ramp(cl.LatencyIOProcessor):
        def process(self, _state, t):
            return {"light": float(t / second)}, t

    sim.set_io_processor(Ramp(sample_period=10 * ms))
    sim.run(100 * ms)
    b2.prefs.codegen.target = before  # of the whole process: this fixture is the module's
    return devices | {"sensor": sensor, "sim": sim}


def test_every_device_is_one_line(loop):
    lines = {name: repr(thing) for name, thing in loop.items()}
    assert lines["scope"] == (
        "Scope 'Scope': gcamp6f, 2 ROIs in 1 plane, image 200 um wide, 10 frames"
    )
    assert lines["v"] == "VoltageRecorder 'v': v of cells, 10 samples in 0.09 s"
    assert lines["rate"].startswith(
        "RateRecorder 'rate': rate of neuron 1 of cells, 10 samples"
    )
    assert lines["light"] == ("StateVariableSetter 'light': signal 0.09, 11 samples in 0.09 s")
    assert (
        lines["sensor"]
        == f"GECI gcamp6f: dF/F of one spike {gcamp6f().dFF_1AP:.3g}, noise 1e-09, in 2 cells of cells"
    )
    assert max(map(len, lines.values())) < 130


def test_they_are_counted_and_indexed(loop):
    v, scope = loop["v"], loop["scope"]
    assert (len(v), len(scope), len(loop["sensor"])) == (10, 2, 2)
    assert v[-1] == pytest.approx([-0.070, -0.069, -0.068])
    assert np.array_equal(v[2:4], v.values[2:4])
    assert len(list(v)) == 10
    assert np.array_equal(scope[1], scope.dFF[:, 1])
    assert len(scope[:1]) == 1
    assert scope[1:].truth.spike_times[0].size == 3
    with pytest.raises(PlaceError, match="has 10 samples"):
        v[10]
    with pytest.raises(PlaceError, match="2 ROIs"):
        scope[2]


def test_a_device_without_samples_is_there():
    assert cl.recorders.VoltageRecorder()
    assert Scope(gcamp6f(), 100 * um)
    assert gcamp6f()


@pytest.mark.parametrize(
    ("name", "label", "n"),
    [("v", "v (mV)", 3), ("rate", "rate of neuron 1 (Hz)", 1),
     ("spikes", "spikes since the last sample", 3), ("light", "light / 1", 1)],
)  # fmt: skip
def test_what_was_kept_is_drawn_with_its_unit(loop, name, label, n):
    axes = loop[name].plot()
    assert (axes.get_ylabel(), axes.get_xlabel()) == (label, "time (s)")
    assert len(axes.lines) == n
    assert loop[name].plot(axes, most=1) is axes
    if name == "v":
        assert axes.lines[2].get_ydata().tolist() == pytest.approx([-68.0] * 10)
    with pytest.raises(InputError, match="1 or more"):
        loop[name].plot(most=0)


def test_a_scope_draws_traces_and_its_field(loop):
    traces = loop["scope"].plot()
    assert traces.get_xlabel() == "time (s)"
    field = loop["scope"].plot_field()
    (cells,) = field.collections
    assert cells.get_offsets().tolist() == pytest.approx(np.array([[-20.0, 0.0], [0.0, 10.0]]))
    assert field.get_xlim() == pytest.approx((-100, 100))
    by_hand = Scope(gcamp6f(), 100 * um)
    by_hand.injections = loop["scope"].injections
    by_hand.dFF, by_hand.t = np.zeros((3, 2)), [0, 10, 20] * ms
    assert by_hand.plot().get_ylabel() == "ROI"  # without truth


def test_a_sensor_draws_its_answer_to_a_spike():
    axes = gcamp6f().plot()
    line = axes.lines[0]
    one = gcamp6f().single_spike()
    assert line.get_ydata().max() == pytest.approx(one.peak, rel=0.01)
    assert (
        line.get_ydata()[line.get_xdata() < 0].tolist() == [0.0] * (line.get_xdata() < 0).sum()
    )
    fitted = calibrated.jgcamp8m()
    assert fitted.plot().lines[0].get_ydata().max() == pytest.approx(
        fitted.indicator.single_spike().peak, rel=0.02
    )
    steady = gcamp6f(pre_existing_cal=True).plot()
    calcium, dff = steady.lines[0].get_data()
    assert steady.get_xlabel() == "calcium (uM)"
    half = float(np.interp(0.29, calcium, dff))  # K_d: half of the largest, less that at rest
    assert half == pytest.approx(25.2 * (0.5 - 1 / (1 + (290 / 50) ** 2.7)), rel=0.01)


def test_a_sensor_tells_its_cells_now(loop):
    frame = loop["sensor"].to_pandas()
    assert list(frame) == ["group", "neuron", "dFF", "calcium_mM"]
    assert frame["neuron"].tolist() == [0, 1]
    assert frame["dFF"].tolist() == pytest.approx(loop["sensor"].get_state()["cells"])
    assert frame["calcium_mM"][0] == pytest.approx(50e-6)
    assert gcamp6f().to_pandas().empty


def test_tables_have_units_people_read_and_arrays_are_in_si(loop):
    frame = loop["v"].to_pandas()
    assert frame.index.name == "time_s"
    assert frame[2].tolist() == pytest.approx([-68.0] * 10)
    assert list(loop["rate"].to_pandas()) == ["rate_Hz"]
    assert list(loop["light"].to_pandas()["light"]) == pytest.approx([0, *np.arange(10) / 100])
    assert loop["scope"].to_pandas().shape == (10, 2)
    pytest.importorskip("xarray")
    array = loop["v"].to_xarray()
    assert (array.dims, array.attrs["units"]) == (("time", "channel"), "V")
    assert float(array[0, 2]) == pytest.approx(-0.068)
    assert loop["scope"].to_xarray().dims == ("roi", "time")


def test_a_notebook_shows_them(loop):
    for name in ("scope", "v", "rate", "light", "sensor"):
        assert "<img" in loop[name]._repr_html_(), name
    page = loop["sim"]._repr_html_()
    assert "VoltageRecorder &#x27;v&#x27;: v of cells" in page
    assert "<img" not in cl.recorders.VoltageRecorder()._repr_html_()
    assert "<img" not in Scope(gcamp6f(), 100 * um)._repr_html_()


def test_what_is_not_there_is_said():
    with pytest.raises(InputError, match="has kept nothing: run the simulator"):
        cl.recorders.VoltageRecorder().plot()
    with pytest.raises(InputError, match="took no frame"):
        Scope(gcamp6f(), 100 * um).plot()
    with pytest.raises(InputError, match="give the neurons coordinates"):
        Scope(gcamp6f(), 100 * um).plot_field()


def test_the_provenance_of_a_scope_keeps_all_parameters(loop):
    told = loop["scope"].traces().provenance.parameters["scope"]
    assert told.startswith("Scope(name='Scope'")
    for part in (
        "img_width=",
        "sensor=GECI(name='gcamp6f'",
        "cal_model=DynamicCalcium(",
        "n_H=2.7",
    ):
        assert part in told


def test_a_pipette_in_a_network_shows_what_it_recorded():
    cells = b2.NeuronGroup(
        2, "dv/dt = (10*nS*(-70*mV - v) + I)/(100*pF) : volt\nI : amp", dt=0.05 * ms
    )
    cells.v = -70 * mV
    sim = cl.CLSimulator(b2.Network(cells))
    device = cl.rig_preset("multiclamp_700b").as_device("pipette")
    sim.inject(device, cells, i_targets=[1])
    assert len(device) == 0
    sim.run(5 * ms)
    assert repr(device).endswith("current_clamp, 1 cell, 100 samples")
    assert (len(device), device[-1].shape) == (100, (1,))
    response, command = device.plot()
    assert response.get_ylabel() == "potential (mV)"
    assert command.get_ylabel() == "current (pA)"
    assert device.to_pandas().iloc[-1, 0] == pytest.approx(-70, abs=1)
    assert "<img" in device._repr_html_()


def test_a_live_cell_is_one_line():
    assert repr(cl.LiveCell("passive", "ideal", "20 kHz")) == (
        "LiveCell passive: ideal, current_clamp, 20 kHz, 0 samples played"
    )


def test_the_card_of_a_protocol_has_its_numbers_and_no_lists():
    protocol = cl.long_square(
        ["-20 pA", "20 pA"], duration="0.1 s", before="0.1 s", after="0.1 s"
    )
    page = protocol._repr_html_()
    shown = [name for name, value in protocol.parameters.items() if np.ndim(value) == 0]
    listed = [name for name, value in protocol.parameters.items() if np.ndim(value) == 1]
    assert shown
    assert listed
    assert all(f">{name}<" in page for name in shown)
    assert not any(f">{name}<" in page for name in listed)
