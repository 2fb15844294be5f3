"""Wrong input of every kind: an error of this package, and words that say what to write.

The second part of each entry stands in the message; `WRONG_ONLY` lists those whose message says
what is wrong and leaves to the reader what to write instead: at most one in twenty.
"""

from pathlib import Path

import brian2 as b2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import cleo_like as cl
from cleo_like.cli import main
from cleo_like.core.errors import CleoLikeError
from cleo_like.features import ExtractionParameters, impedance, spike_features
from cleo_like.features.clamp import membrane_test

WRONG_ONLY = object()


def rc(levels=(-4e-11, -2e-11, 2e-11)):
    t = np.arange(8000) / 2e4
    on = (t >= 0.1) & (t < 0.3)
    rise = np.where(on, 1 - np.exp(-(t - 0.1) / 0.01), 0)
    sweeps = [
        cl.Sweep(response=-0.07 + 1e8 * a * rise, command=a * on, rate=2e4, number=k)
        for k, a in enumerate(levels)
    ]
    return cl.Recording(
        sweeps=sweeps, cell=cl.Cell(id="rc"), provenance=cl.Provenance(source="x")
    )


REC = rc()
SHORT = cl.Recording(
    sweeps=[REC[0].between("0 s", "0.1 s")], cell=REC.cell, provenance=REC.provenance
)
TRACES = cl.Traces(fluorescence=np.zeros((2, 30)), times=np.arange(30) / 30)
FRAMES = np.zeros((2, 30)), [0.5]
STEPS = cl.long_square(
    ["-20 pA"], duration="50 ms", before="10 ms", after="10 ms", rate="10 kHz"
)
CLAMPED = cl.stimuli.voltage_steps(["-60 mV"], rate="10 kHz", duration="20 ms")
LEAK = "dv/dt = (gL*(EL - v) + I)/C : volt"
PARAMETERS = {"gL": 5 * b2.nS, "EL": -70 * b2.mV, "C": 100 * b2.pF}


def model(equations=LEAK, parameters=PARAMETERS):
    return cl.CellModel(name="m", equations=equations, parameters=parameters, source="x")


def sweep(**changes):
    return cl.Sweep(**{"response": np.zeros(9), "rate": 2e4} | changes)


def traces(**changes):
    return cl.Traces(**{"fluorescence": np.zeros((2, 3)), "times": [0, 0.1, 0.2]} | changes)


def steps(amplitudes=("100 pA",), **changes):
    return cl.long_square(list(amplitudes), **{"rate": "10 kHz"} | changes)


def table(**options):
    return cl.extract([REC], progress=False, **options)


UNITS = {
    "a bare amplitude": (lambda: steps([100]), "did you mean 100*pA?"),
    "a bare rate": (lambda: steps(rate=10000), "did you mean 10000*Hz?"),
    "a bare duration": (lambda: cl.ramp("25 pA/s", duration=4), "did you mean 4*ms?"),
    "a bare noise": (lambda: cl.IdealElectrode(noise=0.1), "did you mean 0.1*mV?"),
    "a bare resistance": (
        lambda: cl.rig_preset("multiclamp_700b", access_resistance=15),
        "did you mean 15*Mohm?",
    ),
    "a bare parameter": (
        lambda: model(parameters=PARAMETERS | {"EL": -70}),
        "did you mean -70*mV?",
    ),
    "a bare period": (lambda: cl.RecordOnlyProcessor(sample_period=1), "did you mean 1*ms?"),
    "a bare width": (
        lambda: cl.imaging.Scope(cl.imaging.gcamp6f(), img_width=300),
        "did you mean 300*um?",
    ),
    "bare times": (lambda: spike_features(REC, window=(0.1, 0.3)), "did you mean"),
    "volts for amperes": (lambda: steps(["100 mV"]), "a unit of A such as pA, got 'mV'"),
    "a mixed list": (
        lambda: steps(["10 pA", "5 mV"]),
        "amplitudes[1]='5 mV': expected a unit of A",
    ),
    "a current for a slope": (lambda: cl.ramp("25 pA"), "such as pA/ms"),
    "a frequency for a time": (
        lambda: cl.chirp("20 pA", duration="5 Hz"),
        "such as ms, got 'Hz'",
    ),
    "a time for a potential": (
        lambda: ExtractionParameters(min_peak="1 s"),
        "such as mV, got 's'",
    ),
    "no such unit": (lambda: steps(["100 pX"]), "such as pA, got 'pX'"),
    "a unit in small letters": (lambda: steps(["100 pa"]), "such as pA, got 'pa'"),
    "a word": (lambda: steps(["big"]), "write for example '100 pA'"),
    "a decimal comma": (lambda: steps(["1,5 pA"]), "such as pA, got ',5 pA'"),
    "a warm cell": (lambda: cl.Cell(id="c", temperature="warm"), "write for example '100 K'"),
    "a response in words": (lambda: sweep(response=["x"]), "write for example '100 mV'"),
    "nan": (lambda: steps([np.nan * b2.pA]), "a command must be finite"),
    "a list in a list": (lambda: steps([["1 pA"]]), "must be one list of currents"),
    "a truth for a current": (lambda: steps([True]), "must be a value in pA, got True"),
    "an infinite current": (lambda: steps(["inf pA"]), "write for example '100 pA'"),
    "an empty text": (lambda: steps([""]), "write for example '100 pA'"),
    "no duration": (lambda: steps(duration=None), "must be a value in ms, got None"),
    "a time for a rate": (lambda: steps(rate="10 ms"), "a unit of Hz such as Hz, got 'ms'"),
    "a time for a test pulse": (
        lambda: cl.with_test_pulse(STEPS, "5 s"),
        "a unit of A such as pA, got 's'",
    ),
    "a current for a potential": (
        lambda: cl.stimuli.voltage_steps(["10 pA"]),
        "a unit of V such as mV, got 'pA'",
    ),
    "a current for a temperature": (
        lambda: cl.Cell(id="c", temperature="20 pA"),
        "a unit of K such as K, got 'pA'",
    ),
    "a potential for a time step": (
        lambda: cl.CellModel(
            name="m", equations=LEAK, parameters=PARAMETERS, source="x", dt="1 mV"
        ),
        "a unit of s such as ms, got 'mV'",
    ),
    "a potential for a window": (
        lambda: cl.Window(start="2 mV", end=1),
        "such as ms, got 'mV'",
    ),
    "a complex response": (
        lambda: sweep(response=np.zeros(9, complex)),
        "real numbers are needed",
    ),
}
NAMES = {
    "a cell": (lambda: cl.record("rss", STEPS), "did you mean 'rs'?"),
    "a known answer": (lambda: cl.known_answers("passife"), "did you mean 'passive'?"),
    "a rig": (lambda: cl.rig_preset("multiclamp"), "did you mean 'multiclamp_700b'?"),
    "a rig of record": (
        lambda: cl.record("rs", STEPS, electrode="multiclamp700b"),
        "did you mean 'multiclamp_700b'?",
    ),
    "a family": (
        lambda: cl.parse_protocol("long_sqare amplitudes=1pA"),
        "did you mean 'long_square'",
    ),
    "an argument": (
        lambda: cl.parse_protocol("long_square amplitude=1pA"),
        "did you mean 'amplitudes'?",
    ),
    "an argument without a value": (
        lambda: cl.parse_protocol("long_square amplitudes"),
        "expected argument=value",
    ),
    "a clamp mode": (lambda: sweep(mode="cc"), "Known: 'current_clamp'"),
    "a family of a protocol": (
        lambda: cl.Protocol(waveforms=np.zeros((1, 9)), rate=1e4, family="squares"),
        "one of long_square",
    ),
    "an epoch": (lambda: STEPS.epoch("steps"), "it has: step"),
    "an epoch as a window": (
        lambda: spike_features(REC, window="step"),
        "cl.match(recording).window",
    ),
    "a backend": (lambda: cl.record("rs", STEPS, backend="gpu"), "one of auto, compiled"),
    "an extractor": (lambda: table(extractor="nativ"), "did you mean 'native'?"),
    "a column": (lambda: table()["rheobase"], "did you mean 'rheobase_i'"),
    "a feature": (lambda: table().why(0, "rheobas"), "did you mean 'rheobase_i'"),
    "a sweep": (lambda: REC.sweep(99), "Known: '0', '1', '2'"),
    "a protocol": (lambda: REC["ramp"], "Known: 'unnamed'"),
    "an indicator": (
        lambda: cl.imaging.calibrated.calibrated_indicator("gcamp9"),
        "did you mean 'gcamp6s'",
    ),
    "criteria": (lambda: cl.quality(REC, criteria="strict"), "Known: 'allen', 'own'"),
    "a view": (lambda: cl.responses.embed(np.zeros((5, 5)), "tsn"), "did you mean 'tsne'?"),
    "a detector": (lambda: cl.score_spikes("nativ"), "did you mean 'native'?"),
    "a sampling": (
        lambda: cl.RecordOnlyProcessor(sample_period="10 ms", sampling="idle"),
        "'fixed' or 'when idle'",
    ),
    "a sex": (lambda: cl.Cell(id="c", sex="male"), "one of M, F, U, O"),
    "a setting of a rig": (
        lambda: cl.rig_preset("multiclamp_700b", acces_resistance="1 MOhm"),
        "did you mean 'access_resistance'",
    ),
    "a mode of a rig": (
        lambda: cl.rig_preset("multiclamp_700b", mode="vclamp"),
        "did you mean 'voltage_clamp'",
    ),
    "a sweep of a chirp": (
        lambda: cl.chirp("20 pA", sweep="log"),
        "must be 'linear' or 'exponential'",
    ),
    "an argument given twice": (
        lambda: cl.parse_protocol("ramp slope=1pA/s slope=2pA/s"),
        "given twice",
    ),
    "a protocol of nothing": (lambda: cl.parse_protocol(""), "write for example 'long_square"),
    "a list of nothing": (
        lambda: cl.parse_protocol("long_square amplitudes="),
        "write for example amplitudes=100pA",
    ),
    "a range that leads away": (
        lambda: cl.parse_protocol("long_square amplitudes=0:10:-5pA"),
        "does not lead from 0 to 10",
    ),
    "a range of a slip": (
        lambda: cl.parse_protocol("long_square amplitudes=0:1e9:1pA"),
        "give a larger step",
    ),
    "a number as a protocol": (lambda: cl.parse_protocol(5), "read from text"),
    "a method": (
        lambda: cl.record(
            cl.CellModel(
                name="m", equations=LEAK, parameters=PARAMETERS, source="x", method="rk99"
            ),
            STEPS,
            progress=False,
        ),
        "one of auto, rk4",
    ),
    "a feature to draw": (lambda: table().plot("nothing"), "Known: 'adapt"),
    "a trace of imaging": (lambda: cl.read("imaging.nwb", trace="zz"), "Known: 'dff'"),
    "a plane of imaging": (lambda: cl.read("imaging.nwb", plane="zz"), "Known: 'ImagingPlane'"),
    "an option of read": (lambda: cl.read("imaging.nwb", roi=[1]), "did you mean 'rois'?"),
    "a channel": (lambda: cl.read("cell.abf", electrode="nope"), "Known: 'Cmd', 'Vm', 'rc'"),
}
VALUES = {
    "no amplitude": (lambda: steps([]), "must be a value in pA"),
    "a negative duration": (lambda: steps(duration="-1 s"), "at least 1 sample"),
    "a rate of nothing": (lambda: steps(rate="0 Hz"), "above 0 Hz"),
    "a chirp of no time": (lambda: cl.chirp("20 pA", duration="0 s"), "above 0 s"),
    "a chirp beyond the rate": (
        lambda: cl.chirp("20 pA", stop="9 kHz", rate="10 kHz"),
        "at most half the rate (5000 Hz)",
    ),
    "a filter beyond the rate": (
        lambda: cl.record("rs", STEPS, electrode=cl.IdealElectrode(lowpass="9 kHz")),
        "lower the filter, raise the rate",
    ),
    "a word as a place": (lambda: STEPS["a"], "give a whole number, a slice"),
    "half a number as a place": (lambda: REC[1.0], "give a whole number, a slice"),
    "words as a slice": (lambda: REC["a":"b"], "give a whole number, a slice"),
    "an ROI beyond the last": (lambda: TRACES[99], "have 2 ROIs"),
    "a row beyond the last": (lambda: table().why(9, "tau"), "has 1 rows"),
    "arrays as sweeps": (
        lambda: cl.Recording(sweeps=[np.zeros(5)], cell=REC.cell, provenance=REC.provenance),
        "sweeps must be Sweeps, Sweep(response=..., rate=...)",
    ),
    "a name as a cell": (
        lambda: cl.Recording(sweeps=[], cell="c", provenance=REC.provenance),
        "cell must be a Cell, Cell(id='name')",
    ),
    "a name as provenance": (
        lambda: cl.Recording(sweeps=[], cell=REC.cell, provenance="me"),
        "Provenance(source='...')",
    ),
    "a recording for a protocol": (
        lambda: cl.with_test_pulse(REC, "-10 pA"),
        "goes before a Protocol, got Recording",
    ),
    "a class as a rig": (
        lambda: cl.record("rs", STEPS, electrode=cl.IdealElectrode),
        "an IdealElectrode, a PatchPipette or the name of a rig",
    ),
    "half a seed": (lambda: cl.record("rs", STEPS, seed=1.5), "must be a whole number"),
    "no repeats": (lambda: cl.ramp("1 pA/s", repeats=0), "must be 1 or more"),
    "pulses into each other": (
        lambda: cl.pulse_train("100 pA", frequency="2000 Hz", width="5 ms"),
        "at most 200 Hz",
    ),
    "noise below nothing": (lambda: cl.IdealElectrode(noise="-1 mV"), "must be 0 mV or more"),
    "a resistance below nothing": (
        lambda: cl.rig_preset("multiclamp_700b", access_resistance="-1 MOhm"),
        "the preset 'ideal' is an electrode without resistance",
    ),
    "a window of no length": (lambda: cl.Window(start=2, end=1), "needs 0 <= start < end"),
    "a dictionary of limits": (
        lambda: table(parameters={"min_peak": 1}),
        "must be ExtractionParameters(...)",
    ),
    "a number as an extractor": (lambda: table(extractor=3), "a name or a function"),
    "a number as a channel": (lambda: table(electrode=5), "a mapping of patterns"),
    "processes in words": (lambda: table(n_jobs="two"), "must be a whole number"),
    "spikes of other sweeps": (lambda: REC.plot(spikes=[[0.1]]), "one array for each of 3"),
    "no axes": (lambda: REC.plot(ax=3), "plt.subplots()"),
    "no Neo": (lambda: cl.Recording.from_neo(5), "expected a neo.Block or neo.Segment"),
    "a number as a session": (lambda: cl.simulate_session(3), "a SessionPlan or the name"),
    "a picture of one amplitude": (
        lambda: cl.from_image(np.eye(4), "1 s", "10 kHz", amplitude="60 pA"),
        "the pair (black, white)",
    ),
    "a picture with holes": (
        lambda: cl.from_image(np.full((4, 4), np.nan), "1 s", "10 kHz"),
        "fill them before drawing",
    ),
    "no recordings to score": (
        lambda: cl.score_spikes("native", []),
        "leave recordings out for the default ones",
    ),
    "no protocol": (lambda: cl.experiment("rs", []), "give a list of them"),
    "no cell": (lambda: cl.record([], STEPS), "give a name, a CellModel or a Population"),
    "a protocol as text": (
        lambda: cl.record("rs", "steps"),
        "parse_protocol makes one of text",
    ),
    "arguments in the wrong order": (
        lambda: cl.record(STEPS, "rs"),
        "parse_protocol makes one of text",
    ),
    "a seed in words": (lambda: cl.record("rs", STEPS, seed="one"), "must be a whole number"),
    "the other clamp": (
        lambda: cl.record("rs", CLAMPED, electrode=cl.rig_preset("multiclamp_700b")),
        "give PatchPipette(amplifier=VoltageClamp(...))",
    ),
    "too much correction": (
        lambda: cl.VoltageClamp(correction=1.5),
        "correction=0.95 would be stable",
    ),
    "neutralisation in percent": (
        lambda: cl.CurrentClamp(neutralisation=90),
        "neutralisation=0.95 would be stable",
    ),
    "a family as a response": (
        lambda: sweep(response=np.zeros((2, 9))),
        "must be 1-D (n_samples,)",
    ),
    "a command of another length": (
        lambda: sweep(command=np.zeros(8)),
        "must have the shape of the response (9,)",
    ),
    "a cell without a name": (lambda: cl.Cell(id=""), "text that is not empty"),
    "a place beyond the last": (lambda: REC[7], "has 3 sweeps"),
    "a stretch beyond the end": (
        lambda: REC[0].between("5 s", "6 s"),
        "nothing of sweep 0 (0.4 s)",
    ),
    "half a stretch": (lambda: REC[0].between("5 s"), "give both start= and end="),
    "nothing to measure": (lambda: cl.extract([]), "give recordings, paths of files, a folder"),
    "a number to measure": (lambda: cl.extract([3]), "must be recordings or paths of files"),
    "no process": (lambda: table(n_jobs=0), "must be 1 or more"),
    "a path to match": (lambda: cl.match("cell.abf"), "read it first, cl.read('cell.abf')"),
    "a path to measure": (
        lambda: cl.cell_features("cell.abf"),
        "read it first, cl.read('cell.abf')",
    ),
    "a path to judge": (
        lambda: cl.quality(Path("cell.abf")),
        "read it first, cl.read('cell.abf')",
    ),
    "a path of spikes": (lambda: spike_features("cell.abf", "1 s", "2 s"), "read it first"),
    "a list of recordings": (lambda: cl.match([REC]), "take [0]"),
    "traces to judge": (lambda: cl.quality(TRACES), "expected a Recording, got Traces"),
    "traces to test": (lambda: membrane_test(TRACES), "expected a Recording, got Traces"),
    "no trace to draw": (lambda: TRACES.plot(most=0), "1 or more"),
    "times of other frames": (lambda: traces(times=np.zeros(4)), "one time per frame"),
    "falling times": (lambda: traces(times=[0, 0.2, 0.1]), "must rise"),
    "a short table of ROIs": (lambda: traces(rois={"id": [1]}), "one row for each of 2 ROIs"),
    "a number to write": (lambda: cl.write(3, "x.nwb"), "a Recording, a Protocol, Traces"),
    "nothing to join": (lambda: cl.join_recordings([]), WRONG_ONLY),
    "a number as a detector": (lambda: cl.score_spikes(3), "a function of voltage and rate"),
    "a number as a cell": (lambda: cl.rheobase(7), "the name of a library cell"),
    "a model without v": (lambda: model("dw/dt = -w/(10*ms) : volt"), "say voltage=..."),
    "a broken equation": (lambda: model("dv/dt = ("), WRONG_ONLY),
    "a forgotten parameter": (
        lambda: cl.known_answers(model(parameters={"gL": 5 * b2.nS, "EL": -70 * b2.mV})),
        "Give numbers in parameters=",
    ),
    "a picture without pixels": (
        lambda: cl.from_image(np.zeros((0, 3)), "1 s", "10 kHz"),
        WRONG_ONLY,
    ),
    "a picture of no rows": (
        lambda: cl.from_image(np.zeros((6, 8)), "1 s", "10 kHz", rows=0),
        "rows must be 1 to 6",
    ),
    "a relief of steps": (lambda: cl.relief(REC), "give protocol="),
    "impedance of steps": (lambda: impedance(REC), "give start and end"),
    "a task that is none": (
        lambda: cl.SessionPlan(task=3),
        "task must be of ImageChangeTask(...)",
    ),
    "no network": (lambda: cl.CLSimulator(3), "needs a brian2.Network"),
    "a class to inject": (
        lambda: cl.CLSimulator(b2.Network()).inject(cl.recorders.VoltageRecorder),
        "write VoltageRecorder(...)",
    ),
    "nowhere to inject": (
        lambda: cl.CLSimulator(b2.Network()).inject(cl.recorders.VoltageRecorder()),
        "at least one neuron group",
    ),
    "the name of a sensor": (
        lambda: cl.imaging.Scope("gcamp6f", img_width="300 um"),
        "such as gcamp6f()",
    ),
    "no frames": (
        lambda: cl.imaging.Scope(cl.imaging.gcamp6f(), img_width="300 um").traces(),
        "set an IO processor that samples it",
    ),
    "a window the wrong way": (
        lambda: cl.responses.event_triggered(*FRAMES, np.arange(30) / 30, window=(0.5, -0.5)),
        "t_start <= t_end",
    ),
    "events without times": (
        lambda: cl.responses.event_triggered(*FRAMES),
        "one finite time for each frame",
    ),
    "another number of times": (
        lambda: cl.responses.event_triggered(*FRAMES, np.arange(29) / 30),
        "one time per frame",
    ),
}
FILES = {
    "a number": (lambda: cl.read(5), "expected the path of one file, got int"),
    "several": (lambda: cl.read(["cell.abf"]), "read_all takes several"),
    "a number as an electrode": (lambda: cl.read("cell.nwb", electrode=3), "must be the name of one"),
    "half of it": (lambda: cl.read("half.nwb"), "expected a complete NWB 2 file"),
    "a DAT of something else": (lambda: cl.read("fake.dat"), "save it as a bundle"),
    "HDF5 of something else": (lambda: cl.read("fake.h5"), "no WaveSurfer file"),
    "a wave of nothing": (lambda: cl.read("fake.ibw"), WRONG_ONLY),
    "words among the numbers": (lambda: cl.read("fake.atf"), "could not convert string 'abc'"),
    "a link to nowhere": (lambda: cl.read("link.abf"), "it is missing"),
    "the wrong way round": (lambda: cl.write("x.abf", REC), "path must be the name of a file"),
    "a picture that is none": (lambda: cl.from_image("text.abf", "1 s", "10 kHz"), "not a picture that can be read"),
    "gone": (lambda: cl.read("gone.abf"), "expected a recording at gone.abf, but it is missing"),
    "of no known kind": (lambda: cl.read("data.xyz"), "Known: '.abf'"),
    "truncated": (lambda: cl.read("broken.abf"), "copy it again from its origin"),
    "text": (lambda: cl.read("text.abf"), "expected b'ABF ' or b'ABF2'"),
    "empty": (lambda: cl.read("empty.nwb"), "expected a recording"),
    "a folder": (lambda: cl.read("empty"), "expected a recording at empty, but it is a folder"),
    "an empty folder": (lambda: cl.read_all("empty"), "no file ending in .abf"),
    "a pattern of nothing": (lambda: cl.read_all("*.abc"), WRONG_ONLY),
    "there already": (lambda: cl.write(REC, "cell.abf"), "give overwrite=True to replace it"),
    "a rig's": (lambda: cl.write(REC, "rig.abf", overwrite=True), "give another name"),
    "another suffix": (lambda: cl.write(REC, "cell.mat"), "Known: '.abf'"),
    "no suffix": (lambda: cl.write(REC, "cell"), "Known: '.abf'"),
    "sweeps that ABF cannot hold": (lambda: cl.write(cl.join_recordings([REC, SHORT]), "x.abf"), "write NWB"),
    "a table as text": (lambda: table().write("t.txt"), "written as .csv or .parquet"),
    "imaging as a protocol": (lambda: cl.read_protocol("imaging.nwb"), "read it with read, read_experiments"),
    "masks of ABF": (lambda: cl.read_masks("cell.abf"), "NWB does"),
    "traces as ABF": (lambda: cl.write(TRACES, "x.abf"), "name the file x.nwb"),
    "a picture that is gone": (lambda: cl.from_image("gone.png", "1 s", "10 kHz"), "cannot read the picture gone.png"),
}  # fmt: skip
PYTHON = {f"{kind}: {name}": entry for kind, part in
          {"unit": UNITS, "name": NAMES, "value": VALUES, "file": FILES}.items()
          for name, entry in part.items()}  # fmt: skip

SHELL = {
    "simulate --cell rs --protocol long_square,amplitudes= -o r": WRONG_ONLY,
    "simulate --cell rs --protocol ramp -o cell.abf": "cannot be a folder",
    "simulate --cell rs --protocol ramp -o r --rate 5": "'--rs'",
    "simulate --cell rs --protocol ramp -o r --lowpass 90kHz": "lower the filter, raise the rate",
    "simulate --cell rs --protocol ramp -o r --noise 1pA": "a unit of V such as mV, got 'pA'",
    "simulate --cell rs --protocol notes.txt -o r": "Known: '.abf'",
    "stimulus long-square --amplitudes 1:2:0pA -o x.abf": "does not lead from 1 to 2",
    "stimulus long-square --amplitudes 0:9e9:1pA -o x.abf": "give a larger step",
    "stimulus long-square --amplitudes 1pA --duration -3ms -o x.abf": "at least 1 sample",
    "stimulus long-square --amplitudes 1pA -o empty": "Known: '.abf'",
    "stimulus image empty --sweep-duration 1s --sample-rate 10kHz -o x.abf": "it is a folder",
    "info half.nwb": "expected a complete NWB 2 file",
    "info fake.dat": "save it as a bundle",
    "info link.abf": "it is missing",
    "features cell.abf -o v.csv --lowpass abc": "write for example '100 Hz'",
    "features cell.abf -o empty": "written as .csv or .parquet",
    "qc imaging.nwb": "read it with read, read_experiments",
    "report cell.abf -o cell.abf": "name a new folder",
    "relief cell.nwb --protocol ramp": "one made by from_image",
    "convert empty x.nwb": "it is a folder",
    "convert cell.abf x.nwb --electrode zz": "Known: 'Cmd', 'Vm', 'rc'",
    "check ramp --cell rs --rs 5": "give --rig multiclamp_700b too",
    "check ramp --cell rs --rig multiclamp_700b --bridge 5mV": "such as MOhm, got 'mV'",
    "design ramp --cell rs -o d.abf --peak 5": "did you mean '5 pA'?",
    "session --config broken.toml -o s": "is not TOML",
    "session --config short -o s --seed x": "not a valid integer",
    "groundtruth run --quick -j 0": "must be 1 or more",
    "groundtruth advise imaging.nwb": "expected a Recording, got Traces",
    "atlas explore gone.npz -o m.html": WRONG_ONLY,
    "atlas place gone.csv t.csv -o p.csv": WRONG_ONLY,
    "atlas fetch abc --cache c": "six digits",
    "serve --cell rs --rig nothing": "Known: 'ideal'",
    "demo --picture gone.png -o dd": "it does not exist",
    "infos cell.abf": "Did you mean 'info'?",
    "--config broken.toml info cell.abf": "is no TOML",
    "--config quotes.toml info cell.abf": "must be a text in quotes",
    "--config section.toml info cell.abf": "did you mean 'protocols'?",
    "simulate --cell rss --protocol ramp -o r": "did you mean 'rs'?",
    "simulate --cell rs --protocol rmap -o r": "did you mean 'ramp'?",
    "simulate --cell rs --protocol gone.abf -o r": "expected a recording at gone.abf",
    "simulate --cell rs --protocol ramp -o r --noise 1": "did you mean '1 mV'?",
    "simulate --cell rs --protocol ramp -o r --rig multiclamp": "did you mean 'multiclamp_700b'?",
    "simulate --cell rs --protocol ramp -o r --rs 15": "give --rig multiclamp_700b too",
    "simulate --cell rs --protocol ramp -o r --format mat": "not one of 'abf', 'nwb', 'atf'",
    "simulate --cell rs --protocol ramp -o r --backend gpu": "not one of 'auto'",
    "simulate --cell rs --protocol ramp -o r --seed one": "not a valid integer",
    "simulate --cell rs -o r": "Missing option '--protocol'",
    "simulate --protocol ramp -o r": "Missing option '--cell'",
    "simulat": "'simulate'",
    "simulate --cel rs": "'--cell'",
    "stimulus long-square --amplitudes 100 -o x.abf": "did you mean '100 pA'?",
    "stimulus long-square --amplitudes 1pA -o x.abc": "did you mean '.abf'",
    "stimulus long-squar -o x.abf": "'long-square'",
    "stimulus chirp --amplitude 20mV -o x.abf": "such as pA, got 'mV'",
    "stimulus ramp --rate 10 -o x.abf": "did you mean '10 Hz'?",
    "stimulus ramp": "Missing option '-o' / '--output'",
    "stimulus image gone.png --sweep-duration 1s --sample-rate 10kHz -o x.abf": "cannot read the picture gone.png",
    "stimulus image photo.png --sweep-duration 1 --sample-rate 10kHz -o x.abf": "did you mean '1 ms'?",
    "stimulus image photo.png -o x.abf": "Missing option '--sweep-duration'",
    "stimulus ramp -o cell.abf": "give --overwrite to replace it",
    "info gone.abf": "expected a recording at gone.abf",
    "info photo.png": "Known: '.abf'",
    "info broken.abf": "copy it again from its origin",
    "info": "Missing argument 'FILES...'",
    "info empty": "no file ending in .abf",
    "match *.abc": WRONG_ONLY,
    "match imaging.nwb": "read it with read, read_experiments",
    "features cell.abf": "Missing option '-o' / '--output'",
    "features cell.abf -o t.txt": "written as .csv or .parquet",
    "features cell.abf -o t.csv --extractor nativ": "did you mean 'native'?",
    "features cell.abf -o t.csv --jobs 0": "must be 1 or more",
    "features cell.abf -o t.csv --jobs two": "not a valid integer",
    "features cell.abf -o t.csv --lowpass 10mV": "expected a unit of Hz",
    "features broken.abf -o t.csv": "the table says why",
    "qc cell.abf --criteria strict": "not one of 'own', 'allen'",
    "qc cell.abf -o v.parquet": "written as .csv",
    "qc gone.csv": "cleo-like features FILES -o TABLE.csv writes one",
    "report empty -o report": "no file ending in .abf",
    "report cell.abf": "Missing option '-o' / '--output'",
    "relief cell.abf": "--protocol on the command line",
    "relief gone.abf": "expected a recording at gone.abf",
    "convert cell.abf cell.nwb": "give --overwrite to replace it",
    "convert cell.abf x.mat": "Known: '.abf'",
    "convert cell.abf": "Missing argument 'OUT'",
    "convert gone.abf x.nwb": "expected a recording at gone.abf",
    "convert cell.abf rig.abf --overwrite": "give another name",
    "check ramp --cell rss": "did you mean 'rs'?",
    "check ramp --cell rs --rig nothing": "Known: 'ideal', 'multiclamp_700b'",
    "check gone.abf --cell rs": "expected a recording at gone.abf",
    "design photo.png --cell rs -o d.abf": "Known: '.abf'",
    "session --config shrt -o s": "did you mean 'short'?",
    "session --config gone.toml -o s": WRONG_ONLY,
    "session --config short -o s --movie nothing": "Known: 'raw_resonant'",
    "session show gone": "'gone' does not exist",
    "groundtruth run --cases gone.toml": "give a TOML file, or one of quick",
    "groundtruth run --quick --extractor nativ": "did you mean 'native'?",
    "groundtruth advise gone.abf": "expected a recording at gone.abf",
    "groundtruth add mine": "Missing option '--command'",
    "atlas place gone.csv": "Missing argument 'TABLES...'",
    "atlas fetch 900": "Missing option '--cache'",
    "atlas build empty": "Missing option '-o' / '--output'",
    "serve --cell rss": "did you mean 'rs'?",
    "serve --cell rs --rate 20": "did you mean '20 Hz'?",
    "serve --cell rs --mode voltage_clamp": "take multiclamp_700b(mode='voltage_clamp')",
    "demo -o .": "give another folder, or --overwrite",
    "--config gone.toml info cell.abf": WRONG_ONLY,
    "--config bad.toml info cell.abf": "did you mean 'min_peak'",
    "--log empty info cell.abf": "Is a directory",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files sound, damaged and foreign, which no wrong command may change."""
    here = tmp_path_factory.mktemp("wrong")
    Image.linear_gradient("L").resize((8, 6)).save(here / "photo.png")
    cl.write(REC, here / "cell.abf")
    cl.write(REC, here / "cell.nwb")
    cl.write(TRACES, here / "imaging.nwb")
    (here / "broken.abf").write_bytes(b"ABF2" + bytes(3000))
    (here / "rig.abf").write_bytes(b"ABF2" + bytes(6140))
    (here / "text.abf").write_text("hello")
    (here / "empty.nwb").write_bytes(b"")
    (here / "data.xyz").write_text("1")
    (here / "bad.toml").write_text("[limits.spikes]\nmin_peek = '1 mV'\n")
    (here / "empty").mkdir()
    (here / "half.nwb").write_bytes((here / "cell.nwb").read_bytes()[:3000])
    (here / "fake.dat").write_text("hello")
    (here / "fake.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    (here / "fake.ibw").write_bytes(bytes(500))
    (here / "fake.atf").write_text('ATF\t1.0\n0\t2\n"Time (s)"\t"I (pA)"\n0\tabc\n')
    (here / "link.abf").symlink_to("nowhere.abf")
    (here / "notes.txt").write_text("x")
    (here / "broken.toml").write_text("[protocols\n")
    (here / "quotes.toml").write_text("[channels]\n'*.abf' = 3\n")
    (here / "section.toml").write_text("protocol = 'x'\n")
    return here


@pytest.mark.parametrize(("call", "words"), PYTHON.values(), ids=PYTHON)
def test_python_says_what_to_write(call, words, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(CleoLikeError) as caught:
        call()
    said = str(caught.value)
    assert len(said) > 15
    if words is not WRONG_ONLY:
        assert words in said


@pytest.mark.parametrize(("line", "words"), SHELL.items(), ids=SHELL)
def test_the_command_line_says_what_to_write(line, words, folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(main, line.split())
    # of `features broken.abf`: a row with the reason
    (folder / "t.csv").unlink(missing_ok=True)
    (folder / "t.reasons.csv").unlink(missing_ok=True)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert "Error: " in result.output
    if words is not WRONG_ONLY:
        assert words in result.output


def test_at_most_one_in_twenty_leaves_it_to_the_reader():
    words = [w for _, w in PYTHON.values()] + list(SHELL.values())
    assert len(words) >= 270
    assert sum(w is WRONG_ONLY for w in words) <= 0.05 * len(words)


def test_names_that_cleo_or_a_typo_ask_for():
    with pytest.raises(AttributeError, match="did you mean 'long_square'"):
        _ = cl.long_squar
    # an ImportError once `cleo_like.opto` was imported, so that `from ... import` keeps it too
    with pytest.raises(
        (AttributeError, ImportError), match="Cleo's opsins are not part of cleo_like yet"
    ):
        _ = cl.opto.chr2_4s
