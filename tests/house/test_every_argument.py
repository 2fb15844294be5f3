"""Every physical argument of every public callable: what each kind of value does to it.

A walk over all `__all__` lists finds the callables, their docstrings the arguments that are
quantities; one that is not in the table below fails the test.
"""

import importlib
import inspect
import pkgutil
import re
from datetime import datetime

import attrs
import numpy as np
import pytest
import quantities as pq
from brian2 import NeuronGroup, Quantity, kelvin, ms, prefs, um
from brian2 import second as b2_second
from brian2.units.fundamentalunits import get_or_create_dimension

import cleo_like as cl
from cleo_like import core, imaging, ioproc, sessions, stimuli
from cleo_like.core import UnitError
from cleo_like.core.units.table import UNITS
from cleo_like.features import clamp
from cleo_like.features.impedance import impedance
from cleo_like.features.long_square.cell import long_square_features
from cleo_like.features.parameters import ExtractionParameters
from cleo_like.features.spikes.table import spike_features
from cleo_like.imaging import movie
from cleo_like.imaging.calibrated import RecordingNoise
from cleo_like.imaging.calibrated.kernel import Kernel
from cleo_like.io import Header, write_abf1
from cleo_like.matching.match import match_arrays
from cleo_like.patch import clamp as dynamic
from cleo_like.stimuli.waveforms import shapes
from cleo_like.utilities import analog_signal, wavelength_to_rgb

# argument: (number, unit); a list of numbers is an argument of several values
A = {"pA": ("A", 1e-12), "nA": ("A", 1e-9), "mV": ("V", 1e-3), "ms": ("s", 1e-3), "us": ("s", 1e-6), "nS": ("S", 1e-9), "s": ("s", 1),
     "Hz": ("Hz", 1), "kHz": ("Hz", 1e3), "um": ("m", 1e-6), "mm": ("m", 1e-3), "nm": ("m", 1e-9), "MOhm": ("ohm", 1e6),
     "nM": ("M", 1e-9), "pF": ("F", 1e-12), "pA/s": ("A/s", 1e-12), "mW": ("W", 1e-3), "uM/s": None}  # fmt: skip
REST = {"before": (10, "ms"), "after": (20, "ms"), "rate": (10, "kHz"), "holding": (3, "pA"),
        "gap": (5, "ms"), "test_pulse": (-25, "pA")}  # fmt: skip
LADDER = {"amplitudes": ([-20, 30], "pA"), "duration": (50, "ms"), **REST}


def steps():
    t = np.arange(4000) / 2e4
    on = (t >= 0.05) & (t < 0.15)
    rise = np.where(on, 1 - np.exp(-(t - 0.05) / 0.01), 0)
    sweeps = [
        cl.Sweep(response=-0.07 + 1e8 * a * rise, command=a * on, rate=2e4, number=k)
        for k, a in enumerate((-4e-11, -2e-11))
    ]
    return cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="test")
    )


def clamped():
    played = stimuli.voltage_steps(["-60 mV", "-50 mV"], rate="10 kHz", duration="20 ms")
    sweeps = [
        cl.Sweep(
            response=5e-9 * (w + 0.07), command=w, rate=1e4, number=k, mode="voltage_clamp"
        )
        for k, w in enumerate(played.waveforms)
    ]
    return cl.Recording(
        sweeps=sweeps,
        cell=cl.Cell(id="rc"),
        provenance=cl.Provenance(source="test"),
        protocol=played,
    )


def picture(**given):
    return stimuli.from_image(np.linspace(0, 1, 12).reshape(3, 4), **given)


def relief_of(**given):
    protocol = stimuli.from_image(np.array([[0.0, 0.5, 1.0]]), "30 ms", "1 kHz")
    sweep = cl.Sweep(response=-0.07 + 2e8 * protocol.waveforms[0], rate=1e3)
    recording = cl.Recording(
        sweeps=[sweep], cell=cl.Cell(id="r"), provenance=cl.Provenance(source="test"),
        protocol=protocol,
    )  # fmt: skip
    return cl.relief(recording, **given)


def written(tmp_path, **given):
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.abf"
    header = Header(recorded=datetime(2026, 1, 1))
    write_abf1(path, np.ones((2, 40)), units="pA", header=header, **given)
    return np.frombuffer(path.read_bytes(), "<i2").astype(float)


def recorded(**given):
    """Without a compiler: the step is what is asked, not the speed."""
    protocol = stimuli.long_square("5 pA", duration="5 ms", before="5 ms", after="5 ms", rate="10 kHz")  # fmt: skip
    before, prefs.codegen.target = prefs.codegen.target, "numpy"
    try:
        return cl.record("passive", protocol, seed=1, backend="brian2", progress=False, **given)[0].sweeps  # fmt: skip
    finally:
        prefs.codegen.target = before


def experiment_of(**given):
    protocol = stimuli.long_square("5 pA", duration="5 ms", before="5 ms", after="5 ms", rate="10 kHz")  # fmt: skip
    before, prefs.codegen.target = prefs.codegen.target, "numpy"
    try:
        found = cl.experiment("passive", [protocol] * 2, seed=1, backend="brian2", progress=False, **given)[0]  # fmt: skip
    finally:
        prefs.codegen.target = before
    return found.sweeps


def joined(**given):
    parts = [clamped(), clamped()]
    return [sweep.start_time for sweep in cl.join_recordings(parts, **given)]


def in_plane(**given):
    group = NeuronGroup(3, "v : 1")
    cl.coords.assign_coords(group, [[0, 0, 100], [0, 10, 110], [0, 0, 300]] * um)
    fixed = {"scope_direction": (0, 0, 1)}
    return imaging.target_neurons_in_plane(group, **fixed | given)


def model(**given):
    return cl.CellModel(
        name="m", equations="dv/dt = (gL*(EL - v) + I)/C : volt", threshold="v > -50*mV",
        reset="v = EL", parameters={"gL": "10 nS", "EL": "-70 mV", "C": "100 pF"}, **given,
    )  # fmt: skip


# callable -> how it is called with the arguments of which the unit is checked
def of(make):
    """Compare what was made by its fields."""
    return lambda **given: {name: getattr(make(**given), name) for name in given}


def cleo_indicator(**given):
    made = imaging.gcamp6f(**given)
    return {k: getattr(made if k == "K_d" else made.cal_model, k) for k in given}


CALLS = {
    "stimuli.long_square": (stimuli.long_square, LADDER),
    "stimuli.short_square": (stimuli.short_square, LADDER),
    "stimuli.sag_ladder": (stimuli.sag_ladder, LADDER | {"amplitudes": ([-20, -30], "pA")}),
    "stimuli.ramp": (stimuli.ramp, REST | {"slope": (25, "pA/s"), "duration": (50, "ms")}),
    "stimuli.chirp": (
        stimuli.chirp,
        REST | {"amplitude": (50, "pA"), "start": (1, "Hz"), "stop": (20, "Hz"), "duration": (100, "ms")},
    ),
    "stimuli.sine": (
        stimuli.sine, REST | {"amplitude": (50, "pA"), "frequency": (8, "Hz"), "duration": (100, "ms")},
    ),
    "stimuli.noise": (
        lambda **k: stimuli.noise(seed=1, **k),
        REST | {"sd": (5, "pA"), "bandwidth": (500, "Hz"), "mean": (2, "pA"), "duration": (50, "ms")},
    ),
    "stimuli.noise of OU": (
        lambda **k: stimuli.noise(seed=1, duration="50 ms", rate="10 kHz", **k),
        {"sd": (5, "pA"), "tau": (3, "ms")},
    ),
    "stimuli.pulse_train": (
        lambda **k: stimuli.pulse_train(count=3, **k),
        REST | {"amplitudes": ([50, 60], "pA"), "frequency": (50, "Hz"), "width": (3, "ms")},
    ),
    "stimuli.voltage_steps": (
        stimuli.voltage_steps,
        {"levels": ([-60, -40], "mV"), "holding": (-70, "mV"), "duration": (20, "ms"), "before": (10, "ms"),
         "after": (10, "ms"), "rate": (20, "kHz"), "gap": (5, "ms"), "test_pulse": (-5, "mV")},
    ),
    "stimuli.voltage_steps with a prepulse": (
        lambda **k: stimuli.voltage_steps("-60 mV", rate="20 kHz", **{"prepulse": "-90 mV"} | k),
        {"prepulse": (-100, "mV"), "prepulse_duration": (20, "ms")},
    ),
    "stimuli.with_test_pulse": (
        lambda **k: stimuli.with_test_pulse(stimuli.long_square("5 pA", rate="10 kHz"), **k),
        {"amplitude": (-25, "pA"), "duration": (10, "ms"), "before": (40, "ms"), "after": (450, "ms")},
    ),
    "stimuli.from_image": (
        picture,
        {"sweep_duration": (100, "ms"), "sample_rate": (10, "kHz"), "amplitude": ([-10, 10], "pA"),
         "tau": (20, "ms"), "resistance": (200, "MOhm"), "low_pass": (20, "Hz"), "peak": (100, "pA"),
         "holding": (3, "pA"), "before": (200, "ms"), "after": (210, "ms"), "gap": (25, "ms")},
    ),
    "stimuli.relief": (relief_of, {"max_lag": (5, "ms")}),
    "stimuli.Dac": (stimuli.Dac, {"full_scale": (4, "nA")}),
    "shapes.square": (shapes.square, {"amplitude": (5, "pA"), "duration": (10, "ms")}),
    "shapes.ramp": (shapes.ramp, {"start": (5, "pA"), "stop": (9, "pA"), "duration": (10, "ms")}),
    "shapes.sine": (
        shapes.sine,
        {"amplitude": (5, "pA"), "offset": (1, "pA"), "frequency": (8, "Hz"), "duration": (10, "ms")},
    ),
    "shapes.chirp": (
        shapes.chirp,
        {"amplitude": (5, "pA"), "start": (1, "Hz"), "stop": (20, "Hz"), "duration": (10, "ms")},
    ),
    "shapes.pulse_train": (
        shapes.pulse_train,
        {"amplitude": (5, "pA"), "width": (1, "ms"), "frequency": (100, "Hz"), "duration": (40, "ms")},
    ),
    "shapes.white_noise": (
        lambda **k: shapes.white_noise(seed=1, **k),
        {"sd": (5, "pA"), "duration": (10, "ms"), "bandwidth": (500, "Hz"), "mean": (1, "pA")},
    ),
    "shapes.ou_noise": (
        lambda **k: shapes.ou_noise(seed=1, **k),
        {"sd": (5, "pA"), "tau": (3, "ms"), "duration": (10, "ms"), "mean": (1, "pA")},
    ),
    "sessions.ImageChangeTask": (
        of(sessions.ImageChangeTask),
        {"duration": (9, "s"), "grey_before": (2, "s"), "grey_after": (1, "s"), "cadence": (800, "ms"),
         "flash": (200, "ms"), "refresh": (120, "Hz")},
    ),
    "sessions.Screen": (of(sessions.Screen), {"distance": (3e5, "um"), "width": (4e5, "um"), "height": (3e5, "um")}),
    "sessions.FrontEnd": (
        of(sessions.FrontEnd),
        {"latency": (40, "ms"), "tau": (20, "ms"), "use": (1, "Hz"), "recovery": (2, "s"), "gain_tau": (5, "s")},
    ),
    "sessions.RateCells": (of(sessions.RateCells), {"peak": (20, "Hz"), "baseline": (1, "Hz"), "dt": (2, "ms")}),
    "sessions.CurrentCells": (of(sessions.CurrentCells), {"noise_tau": (3, "ms"), "dt": (50, "us")}),
    "sessions.OpticalPlane": (
        of(sessions.OpticalPlane),
        {"depth": (200, "um"), "rate": (30, "Hz"), "field": (500, "um"), "soma_radius": (5, "um"),
         "baseline_window": (60, "s")},
    ),
    "patch.IdealElectrode": (cl.IdealElectrode, {"noise": (0.2, "mV"), "lowpass": (2, "kHz")}),
    "patch.Electrode": (
        cl.Electrode,
        {"access_resistance": (15, "MOhm"), "access_resistance_end": (20, "MOhm"), "capacitance": (4, "pF"),
         "seal": (2000, "MOhm"), "junction_potential": (10, "mV"), "offset": (1, "mV")},
    ),
    "patch.CurrentClamp": (
        cl.CurrentClamp,
        {"bridge": (9, "MOhm"), "holding": (5, "pA"), "lowpass": (5, "kHz"), "command_lowpass": (10, "kHz")},
    ),
    "patch.VoltageClamp": (
        cl.VoltageClamp,
        {"series_resistance": (9, "MOhm"), "whole_cell_capacitance": (80, "pF"), "fast_capacitance": (4, "pF"),
         "bandwidth": (3, "kHz"), "clamp_time": (0.01, "ms"), "output_time": (0.02, "ms"), "holding": (-60, "mV"),
         "feedback_resistance": (50, "MOhm"), "lowpass": (5, "kHz"), "command_lowpass": (10, "kHz")},
    ),
    "patch.Digitiser": (
        cl.Digitiser,
        {"input_range": (10000, "mV"), "pickup": (0.05, "mV"), "mains": (60, "Hz"), "drift": (0.5, "mV"),
         "rate": (20, "kHz")},
    ),
    "patch.record": (recorded, {"dt": (0.05, "ms")}),
    "patch.experiment": (experiment_of, {"pause": (20, "ms"), "dt": (0.05, "ms")}),
    "core.join_recordings": (joined, {"pause": (20, "ms")}),
    "cells.CellModel": (model, {"spike_level": (-20, "mV"), "dt": (0.05, "ms"), "fine_dt": (0.01, "ms"), "refractory": (2, "ms")}),
    "cells.rheobase": (
        lambda **k: cl.rheobase(cl.get_cell("passive"), **k),
        {"duration": (5, "ms"), "maximum": (20, "pA"), "resolution": (5, "pA")},
    ),
    "matching.match_arrays": (
        lambda **k: match_arrays(np.repeat([[0.0, 5e-11, 0.0]], 5000, axis=1), **k), {"rate": (20, "kHz")},
    ),
    "features.membrane_test": (
        lambda **k: clamp.membrane_test(steps(), **k).input_resistance.tolist(),
        {"start": (50, "ms"), "end": (150, "ms")},
    ),
    "features.current_voltage": (
        lambda **k: clamp.current_voltage(clamped(), **k).steady.tolist(), {"skip": (0.5, "ms")},
    ),
    "features.impedance": (
        lambda **k: impedance(steps(), **k),
        {"start": (50, "ms"), "end": (150, "ms"), "low": (1, "Hz"), "high": (40, "Hz"), "resolution": (10, "Hz")},
    ),
    "features.long_square_features": (
        lambda **k: long_square_features(steps(), **k).values, {"start": (50, "ms"), "end": (150, "ms")},
    ),
    "features.spike_features": (
        lambda **k: spike_features(steps(), **k).n_sweeps, {"start": (50, "ms"), "end": (150, "ms")},
    ),
    "ioproc.RecordOnlyProcessor": (
        lambda **k: float(ioproc.RecordOnlyProcessor(**k).sample_period), {"sample_period": (2, "ms")},
    ),
    "imaging.Optics": (
        imaging.Optics,
        {"frame_rate": (30, "Hz"), "pixel_size": (1, "um"), "brightness": (5, "kHz"), "dwell_time": (1, "ms"),
         "axial_fwhm": (6, "um"), "neuropil_time": (0.5, "s"), "exposure": (10, "ms")},
    ),
    "imaging.Scope": (
        lambda **k: attrs_of(imaging.Scope(imaging.gcamp6f(), **k), k),
        {"img_width": (400, "um"), "focus_depth": (180, "um"), "location": ([0, 1, 2], "um"), "soma_radius": (7, "um")},
    ),
    "imaging.target_neurons_in_plane": (
        in_plane,
        {"scope_focus_depth": (100, "um"), "scope_img_width": (500, "um"), "soma_radius": (10, "um"),
         "scope_location": ([0, 0, 0], "um")},
    ),
    "imaging.DynamicCalcium": (
        lambda **k: attrs_of(imaging.DynamicCalcium(kappa_S=110, **k), k),
        {"Ca_rest": (50, "nM"), "gamma": (292, "Hz"), "B_T": (200, "nM"), "dCa_T": (7, "nM")},
    ),
    "imaging.gcamp6f": (
        cleo_indicator,
        {"K_d": (290, "nM"), "Ca_rest": (50, "nM"), "gamma": (292, "Hz"), "B_T": (200, "nM"), "dCa_T": (7, "nM")},
    ),
    "imaging.PreexistingCalcium": (
        lambda **k: attrs_of(imaging.PreexistingCalcium(**k), k), {"Ca_rest": (50, "nM")},
    ),
    "imaging.DoubExpCalBindingActivation": (
        lambda **k: attrs_of(imaging.DoubExpCalBindingActivation(A=7.0, **k), k),
        {"tau_on": (5, "ms"), "tau_off": (20, "ms"), "Ca_rest": (50, "nM")},
    ),
    "imaging.LightExcitation": (
        lambda **k: attrs_of(imaging.LightExcitation(**k), k),
        {"power": (5, "mW"), "reference_power": (4, "mW")},
    ),
    "calibrated.Kernel": (
        lambda **k: Kernel(weights=(1.0,), **k), {"rise": (5, "ms"), "decays": ([50], "ms")},
    ),
    "utilities.wavelength_to_rgb": (wavelength_to_rgb, {"wavelength": (473, "nm")}),
    "utilities.analog_signal": (
        lambda t: analog_signal(t, [1, 2, 3]).times.magnitude, {"t": ([0, 1, 2], "ms")},
    ),
    "io.write_abf1": (written, {"rate": (10, "kHz"), "start_times": ([0, 10], "ms")}),
}  # fmt: skip

CALLS |= {
    "clamp.Leak": (of(dynamic.Leak), {"conductance": (5, "nS"), "reversal": (-70, "mV")}),
    "clamp.HCurrent": (of(dynamic.HCurrent), {"conductance": (5, "nS"), "reversal": (-43, "mV")}),
    "clamp.ACurrent": (of(dynamic.ACurrent), {"conductance": (5, "nS"), "reversal": (-90, "mV")}),
    "clamp.Synapse": (
        of(dynamic.Synapse),
        {"conductance": (5, "nS"), "reversal": (10, "mV"), "tau": (5, "ms"), "times": ([1, 2], "ms")},
    ),
    "clamp.DynamicClamp": (
        of(lambda **k: dynamic.DynamicClamp(max, **k)),
        {"period": (50, "us"), "latency": (25, "us"), "jitter": (5, "us")},
    ),
    "clamp.largest_conductance": (
        lambda **k: dynamic.largest_conductance(**{"resistance": "200 MOhm", "capacitance": "100 pF"} | k),
        {"resistance": (200, "MOhm"), "capacitance": (100, "pF"), "period": (50, "us"), "latency": (25, "us")},
    ),
    **{
        f"movie.{part.__name__}": (of(part), given)
        for part, given in (
            (movie.Scan, {"line_rate": (20, "kHz"), "plane_spacing": (20, "um")}),
            (movie.Neuropil, {"texture_size": (3, "um"), "patches_size": (50, "um"), "reach": (70, "um"),
                              "unseen_time": (2, "s"), "shared_time": (9, "s")}),
            (movie.Illumination, {"vessel_diameter": (9, "um"), "haemodynamic_time": (3, "s")}),
            (movie.TissueMotion, {"slow_axis": (2, "um"), "fast_axis": (1, "um"), "correlation_time": (300, "ms"),
                                  "tremor_time": (15, "ms"), "nonrigid": (1, "um"), "nonrigid_time": (2, "s"),
                                  "axial": (1, "um"), "axial_time": (2, "s")}),
            (movie.Photomultiplier, {"dark_rate": (2, "kHz"), "drift_time": (30, "s"), "mains": (60, "Hz")}),
            (movie.Scene, {"soma_radius": (7, "um"), "depth": (20, "um"), "attenuation": (100, "um")}),
        )
    },
    "movie.Bleaching": (
        lambda **k: attrs_of(movie.Bleaching(soma_shares=0.1, neuropil_shares=0.2, **{"soma_times": "9 s", "neuropil_times": "8 s"} | k), k),
        {"soma_times": ([30], "s"), "neuropil_times": ([40], "s")},
    ),
    "movie.spike_trains": (
        lambda **k: movie.spike_trains(3, seed=1, **k), {"duration": (20, "s"), "rate": (1, "Hz")},
    ),
    "movie.simulate_movie": (
        lambda **k: movie.simulate_movie(
            [[0.5]], indicator="jgcamp8s", scan=movie.Scan(rows=8, columns=8), motion=None, detector=None, backend="numpy",
            **{"duration": "1 s"} | k,
        ).truth.places,
        {"duration": (1, "s")},
    ),
    "calibrated.RecordingNoise": (
        lambda **k: attrs_of(
            RecordingNoise(white=0.01, slow=0.05, drift=0.01, **{"slow_time": "0.5 s", "drift_time": "90 s"} | k), k
        ),
        {"slow_time": (2, "s"), "drift_time": (100, "s")},
    ),
    "planning.Limits": (cl.Limits, {"peak": (20, "pA"), "cutoff": (100, "Hz")}),
}  # fmt: skip

# argument of a docstring -> why it is not in the table
NOT_ASKED = {
    ("CellModel", "parameters"): "each against the equations: tests/cells/test_units.py",
    ("StateVariableSetter", "unit"): "any unit",
    ("LatencyIOProcessor", "sample_period"): "abstract: as RecordOnlyProcessor",
    ("IOProcessor", "sample_period"): "abstract: as RecordOnlyProcessor",
    ("exp_firing_rate_estimate", "dt"): "Cleo's: plain numbers are legal",
    ("exp_firing_rate_estimate", "prev_rate"): "Cleo's: plain numbers are legal",
    ("exp_firing_rate_estimate", "tau"): "Cleo's: plain numbers are legal",
    **{("pi_ctrl", name): "any unit" for name in ("measurement", "reference", "integ_error", "dt", "Kp", "Ki")},
    ("si", "value"): "the converter itself",
    **{(name, "window"): "a pair of times, a Window or a name: tests/core/test_window.py"
       for name in ("impedance", "long_square_features", "spike_features", "membrane_test")},
    ("si_array", "value"): "the converter itself",
    **{("block_onset", name): "si(): tests/cells" for name in ("duration", "maximum", "resolution")},
    **{("sag_at", name): "si(): tests/cells" for name in ("potential", "duration")},
    ("current_voltage_figure", "reversal"): "as CurrentVoltage.conductance",
    **{(function, name): "plain numbers are legal, as in the AllenSDK: tests/responses"
       for function, names in (
           ("ar1_events", ("frame_rate", "tau")), ("l0_events", ("frame_rate", "tau")), ("decay_time", ("frame_rate",)),
           ("filtered_events", ("frame_rate", "scale")), ("half_normal_weights", ("frame_rate", "scale")))
       for name in names},
    ("design", "tau"): "si(), as from_image's: tests/planning/test_design.py",
    ("LiveCell", "rate"): "si(): tests/planning/test_live.py",
    ("LiveCell", "holding"): "si(), in the unit of the clamp mode",
    ("ExternalProcessor", "sample_period"): "as RecordOnlyProcessor",
    ("ExternalProcessor", "latency"): "si(), or 'measured': tests/planning/test_remote.py",
    ("normalize_coords", "coords"): "any unit: directions",
    ("unit_safe_append", "q1"): "any unit",
    ("unit_safe_append", "q2"): "any unit",
    **{("feature_vectors", name): "plain numbers are pA: tests/features/long_square/test_cell.py"
       for name in ("above_rheobase", "step_targets", "tolerance")},
    ("times_are_regular", "times"): "any unit",
    ("GECI", "K_d"): "through the factories of imaging",
    **{(name, argument): "as gcamp6f"
       for name in ("gcamp3", "gcamp6s", "gcamp6rs06", "gcamp6rs09", "jgcamp7b", "jgcamp7c", "jgcamp7f", "jgcamp7s", "ogb1")
       for argument in ("K_d", "Ca_rest", "gamma", "B_T", "dCa_T")},
    ("LightExcitation", "wavelength"): "needs a spectrum",
    ("LightExcitation", "reference_wavelength"): "needs a spectrum",
    ("LightExcitation", "spectrum"): "a function",
    ("DoubExpCalBindingActivation", "A"): "a plain number is in 1/s, as in Song et al.",
    ("from_image", "rotate"): "a plain number is in degrees: test_quantities",
    ("simulate_movie", "places"): "si_array(): tests/imaging/movie/test_refusals.py",
    ("simulate_movie", "centre"): "si_array(): tests/imaging/movie/test_refusals.py",
    ("read_tiff", "frame_rate"): "si(): tests/io/tiff",
    ("read_tiff", "pixel_size"): "a plain array is in m, as for ArrayFrames",
    ("sine", "phase"): "a plain number is in radians: test_quantities",
}  # fmt: skip


def attrs_of(thing, given):
    return {name: getattr(thing, name) for name in given}


def brian2_value(number, unit):
    symbol, scale = A[unit]
    dimension = get_or_create_dimension(tuple(map(float, UNITS[symbol].dimension)))
    return Quantity(np.asarray(number, float) * scale * UNITS[symbol].size, dim=dimension)


def as_list(number, unit):
    if isinstance(number, list):
        return [brian2_value(n, unit) for n in number]
    return [brian2_value(number, unit)]


def as_quantities(number, unit):
    return pq.Quantity(number, unit.replace("Ohm", "ohm").replace("nM", "umol/m**3"))


def as_pint(number, unit):
    pint = pytest.importorskip("pint")
    return pint.application_registry.get().Quantity(number, unit.replace("Ohm", "ohm").replace("nM", "nmol/l"))  # fmt: skip


def as_astropy(number, unit):
    u = pytest.importorskip("astropy.units")
    return number * u.Unit(unit.replace("nM", "nmol/l"))


def as_text(number, unit):
    if isinstance(number, list):
        return [f"{n} {unit}" for n in number]
    return f"{number} {unit}"


KINDS = {"list": as_list, "quantities": as_quantities, "pint": as_pint, "astropy": as_astropy,
         "text": as_text}  # fmt: skip
CASES = [(name, argument) for name, (_, given) in CALLS.items() for argument in given]


def numbers_of(thing):
    """Every number in a result, in a fixed order."""
    if attrs.has(type(thing)):
        thing = {f.name: getattr(thing, f.name) for f in attrs.fields(type(thing))}
    if isinstance(thing, dict) or hasattr(thing, "items"):
        return np.concatenate([np.zeros(0), *(numbers_of(v) for v in dict(thing).values())])
    if isinstance(thing, (list, tuple)):
        return np.concatenate([np.zeros(0), *map(numbers_of, thing)])
    if isinstance(thing, (float, int, np.ndarray, np.generic)):
        array = np.asarray(thing)
        return array.astype(float).ravel() if array.dtype.kind in "fiub" else np.zeros(0)
    return np.zeros(0)


def call(name, tmp_path, **changed):
    function, given = CALLS[name]
    values = {key: brian2_value(*value) for key, value in given.items()} | changed
    if name == "io.write_abf1":
        values["tmp_path"] = tmp_path
    return function(**values)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name == "patch.experiment"))
        for name in CALLS
    ],
)
def test_every_kind_of_quantity_gives_the_same(name, tmp_path):
    wanted = numbers_of(call(name, tmp_path))
    for argument, value in CALLS[name][1].items():
        for kind, make in KINDS.items():
            found = numbers_of(call(name, tmp_path, **{argument: make(*value)}))
            message = f"{name}({argument}=...) as {kind}"
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-21, err_msg=message)


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_a_bare_number_and_another_unit_are_refused(name, argument, tmp_path):
    number = CALLS[name][1][argument][0]
    for wrong in (number, np.asarray(number, float), np.asarray(number) * kelvin):
        with pytest.raises(UnitError) as error:
            call(name, tmp_path, **{argument: wrong})
        text = str(error.value)
        assert "no unit" in text or "kelvin" in text or "K" in text, text


def public():
    """All callables of all `__all__` lists, with the arguments that are said to be quantities."""
    found = {}
    for module in pkgutil.walk_packages(cl.__path__, "cleo_like."):
        if module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        for name in getattr(loaded, "__all__", ()):
            thing = getattr(loaded, name)
            if callable(thing) and str(getattr(thing, "__module__", "")).startswith(
                "cleo_like"
            ):
                found[thing.__module__, thing.__qualname__] = thing
    for name in cl.__all__:
        thing = getattr(cl, name)
        if callable(thing):
            found[thing.__module__, thing.__qualname__] = thing
    return found


def quantities_of(thing):
    text = (inspect.getdoc(thing) or "").split("Returns\n---")[0]
    for names in re.findall(r"^(\w[\w, ]*) : [^\n]*(?:quantity|quantities)[^\n]*", text, re.M):
        yield from names.split(", ")


def test_no_physical_argument_is_forgotten():
    asked = {
        (name.split(".")[-1].split(" ")[0], a) for name, (_, g) in CALLS.items() for a in g
    }
    missing = [
        (thing.__name__, argument)
        for thing in public().values()
        for argument in quantities_of(thing)
        if (thing.__name__, argument) not in asked | set(NOT_ASKED)
    ]
    assert not missing, f"add to CALLS: {missing}"


# the nouns take SI numbers as they are, and quantities


NOUNS = [
    (core.Sweep, {"response": ([1, 2], "mV"), "command": ([1, 2], "pA"), "rate": (2, "kHz"), "start_time": (5, "ms")}, {}),
    (core.Protocol, {"waveforms": ([[1, 2]], "pA"), "rate": (2, "kHz"), "holding": (3, "pA"), "gap": (5, "ms")}, {"family": "arbitrary"}),
    (core.Epoch, {"levels": ([1, 2], "pA")}, {"name": "step", "start": 0, "stop": 1}),
    (core.Traces, {"times": ([0, 100], "ms"), "positions": ([[1, 2, 3]], "um"), "exposure": (5, "ms")}, {"fluorescence": [[1, 2]]}),
    (core.ArrayFrames, {"times": ([0, 100], "ms"), "pixel_size": ([1, 2], "um")}, {"frames": np.zeros((2, 3, 4))}),
    (core.Motion, {"times": ([0, 100], "ms")}, {"shifts": np.zeros((2, 2))}),
    (core.ImagingPlane, {"depth": (175, "um"), "rate": (30, "Hz"), "excitation": (920, "nm"), "emission": (510, "nm"), "pixel_size": ([1, 2], "um"), "origin": ([1, 2, 3], "mm")}, {}),
    (core.ImagingTruth, {"spike_times": ([[1, 2]], "ms"), "calcium": ([[1, 2]], "nM")}, {}),
    (core.GroundTruth, {"spike_times": ([[1, 2]], "ms"), "voltage": ([[1, 2]], "mV")}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("noun", "given", "fixed"), NOUNS, ids=lambda x: getattr(x, "__name__", "")
)
def test_nouns_take_quantities_of_every_kind(noun, given, fixed):
    plain = {key: np.asarray(brian2_value(*value)) for key, value in given.items()}
    wanted = numbers_of(noun(**fixed, **plain))
    for argument, value in given.items():
        for kind, make in KINDS.items():
            if kind == "text" and np.ndim(value[0]) == 2:
                continue
            if kind == "list" and np.ndim(value[0]) == 2:
                value_now = [as_list(row, value[1]) for row in value[0]]
            else:
                value_now = make(*value)
            found = numbers_of(noun(**fixed, **plain | {argument: value_now}))
            np.testing.assert_allclose(
                found, wanted, rtol=1e-9, err_msg=f"{argument} as {kind}"
            )
        with pytest.raises(UnitError):
            noun(**fixed, **plain | {argument: np.asarray(value[0]) * kelvin})


def test_feature_limits_are_in_ipfx_units_or_quantities():
    limits = ExtractionParameters(
        filter=5 * pq.kHz, lowpass="2000 Hz", dv_cutoff="7 V/s", max_interval=5 * ms, min_height=2 * pq.mV,
        subthresh_min_amp="-0.2 nA", thresh_frac="5 %",
    )  # fmt: skip
    wanted = ExtractionParameters(
        filter=5, lowpass=2, dv_cutoff=7, max_interval=0.005, min_height=2, subthresh_min_amp=-200,
        thresh_frac=0.05,
    )  # fmt: skip
    np.testing.assert_allclose(numbers_of(limits), numbers_of(wanted), rtol=1e-12)
    for wrong in ({"dv_cutoff": "20 mV"}, {"min_peak": 5 * b2_second}, {"thresh_frac": 1 * ms}):
        with pytest.raises(UnitError):
            ExtractionParameters(**wrong)
