"""Methods of spike inference against analytic answers, oasis, and answers that are none."""

import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pytest

from cleo_like.core.errors import InputError, UnknownNameError, UnsupportedError
from cleo_like.groundtruth.calcium.known import Known
from cleo_like.groundtruth.calcium.methods import (
    CALCIUM,
    MEANING,
    calcium_command,
    calcium_function,
    calcium_method,
    outside,
    registry,
)
from cleo_like.groundtruth.calcium.methods.decays import suite2p
from cleo_like.groundtruth.calcium.methods.outside import read_traces
from cleo_like.groundtruth.calcium.methods.signal import onsets, peaks, without_baseline
from cleo_like.groundtruth.extractors import Guard

RATE, N = 30.0, 1800
OWN = [n for n in CALCIUM if n not in {"oasis", "oasis_tau", "cascade"}]
KERNEL = [n for n in OWN if n in {"wiener", "nnls", "richardson_lucy"}]


def ask(method, dff, known=None, rate=RATE):
    found = Guard(method).ask(dff, rate, known if known is not None else Known.of("gcamp6f"))
    assert found.status == "ok", found.why
    return found.arrays


def exponential(known, frames, sizes=(1.0,), noise=0.0):
    """Events of an exact exponential, in single spikes."""
    y = np.zeros((1, N))
    for at, size in zip(frames, sizes, strict=True):
        age = np.arange(N - at)
        y[0, at:] += size * known.peak * np.exp(-age / (known.tau * RATE))
    return y + noise * known.peak * np.random.default_rng(1).standard_normal(y.shape)


def spikes_through(known, frames):
    kernel = known.kernel(RATE)
    y = np.zeros((1, N + kernel.size))
    for at in frames:
        y[0, at : at + kernel.size] += kernel
    return y[:, :N]


def test_every_method_has_a_meaning_and_there_are_enough():
    assert set(MEANING) == set(CALCIUM)
    assert len(OWN) >= 8
    assert {n for n in OWN if n.endswith(("_wrong", "_default"))} >= {
        "l0_wrong",
        "suite2p_default",
    }


@pytest.mark.parametrize("name", ["l0", "ar1", "suite2p"])
def test_one_exponential_event_is_found_where_it_is_and_as_large(name):
    known = Known.of("gcamp6f")
    y = exponential(known, [700, 1200], [3.0, 5.0], noise=0.02)
    found = ask(calcium_method(name), y, known)
    counts = found["rate"][0] / RATE
    assert counts[699:702].sum() == pytest.approx(3.0, rel=0.05)
    assert counts[1199:1202].sum() == pytest.approx(5.0, rel=0.05)
    assert np.argmax(counts[:1000]) == 700
    assert set(np.flatnonzero(found["events"][0] > known.peak)) == {700, 1200}


@pytest.mark.parametrize("name", KERNEL)
def test_spikes_through_the_kernel_come_back(name):
    known = Known.of("jgcamp8m")
    frames = [300, 340, 900, 1500]
    rng = np.random.default_rng(2)
    y = spikes_through(known, frames) + 0.001 * known.peak * rng.standard_normal((1, N))
    counts = ask(calcium_method(name), y, known)["rate"][0] / RATE
    for at in frames:
        assert counts[at - 2 : at + 3].sum() == pytest.approx(1.0, abs=0.12)
        assert abs(np.argmax(counts[at - 5 : at + 6]) - 5) <= 1
    assert counts.sum() == pytest.approx(4.0, abs=0.4)


def test_nnls_solves_its_problem():
    """Karush, Kuhn and Tucker: no gradient where there are spikes, none negative elsewhere."""
    from scipy.optimize import nnls as exact

    known = Known.of("jgcamp8m")
    rng = np.random.default_rng(3)
    n = 200
    y = spikes_through(known, [40, 44, 120])[:, :n] + 0.1 * known.peak * rng.standard_normal(
        (1, n)
    )
    kernel = known.kernel(RATE)[:n]
    matrix = np.array([np.r_[np.zeros(k), kernel[: n - k]] for k in range(n)]).T
    target = without_baseline(y, RATE)
    best, left = exact(matrix, target[0])
    ours = ask(calcium_method("nnls"), y, known)["rate"][0] / RATE
    assert np.linalg.norm(matrix @ ours - target[0]) == pytest.approx(left, rel=0.01)
    assert np.corrcoef(ours, best)[0, 1] > 0.97


def test_template_finds_the_scale():
    known = Known.of("gcamp6f")
    found = ask(calcium_method("template"), 4 * spikes_through(known, [600]), known)
    assert found["trace"][0].argmax() == 600
    kernel = known.kernel(RATE)
    assert found["trace"][0, 600] == pytest.approx(4 * kernel.max(), rel=0.02)


@pytest.mark.parametrize("name", ["threshold", "difference", "dff"])
def test_plain_methods_see_a_large_event(name):
    known = Known.of("gcamp6f")
    y = exponential(known, [700], [20.0], noise=0.3)
    events = ask(calcium_method(name), y, known)["events"][0]
    assert (np.abs(np.flatnonzero(events) - 700) <= 6).any()
    assert (events > 0).sum() < 30


@pytest.mark.parametrize("name", OWN)
def test_missing_frames_and_dead_cells(name):
    known = Known.of("gcamp6f")
    y = np.repeat(exponential(known, [700, 1200], [8.0, 8.0], noise=0.3), 3, axis=0)
    y += 0.1 * known.peak * np.random.default_rng(4).standard_normal(y.shape)
    y[1, 1500:] = np.nan
    y[2] = 0.5  # never changes
    found = ask(calcium_method(name), y, known)
    trace = found.get("rate", found.get("trace"))
    assert np.isfinite(trace[0]).all()
    assert np.isfinite(trace[1, :1500]).all()
    both = np.corrcoef(trace[0, 50:1400], trace[1, 50:1400])[0, 1]
    assert both > 0.3  # the end that is not there does not matter


def test_the_wrong_decay_is_another_answer():
    known = Known.of("gcamp6f")
    y = exponential(known, [500, 510, 520], [3.0, 3.0, 3.0], noise=0.3)
    for name in ("l0", "ar1", "suite2p", "wiener"):
        other = "suite2p_default" if name == "suite2p" else f"{name}_wrong"
        a, b = (ask(calcium_method(n), y, known)["rate"] for n in (name, other))
        assert not np.allclose(a, b)


def test_onsets():
    one = np.array([[3.0, 0, 2, 2.5, 0, np.nan, 4], [0, 0, 0, 0, 0, 0, 5]])
    found = onsets(one, np.array([[1.0], [6.0]]))
    assert found.tolist() == [[3.0, 0, 2.5, 0, 0, 0, 4], [0.0] * 7]
    found = peaks(one, np.array([[1.0], [4.0]]))
    assert found.tolist() == [[3.0, 0, 0, 2.5, 0, 0, 4], [0.0] * 6 + [5]]
    flat = np.array([[2.0, 2, 0, 2, 2], [2, 0, 0, 0, 0]])  # runs end with the row
    assert peaks(flat, np.ones((2, 1))).tolist() == [[2.0, 0, 0, 2, 0], [2, 0, 0, 0, 0]]
    assert peaks(np.zeros((2, 3)), np.ones((2, 1))).tolist() == [[0.0] * 3] * 2


def test_the_baseline_follows_what_is_slow():
    t = np.arange(9000) / RATE
    slow = 0.3 * np.sin(2 * np.pi * t / 600)
    left = without_baseline((slow + 1)[None], RATE)
    assert np.abs(left).max() < 0.1
    assert without_baseline(np.full((1, 50), np.nan), RATE).tolist() == [[0.0] * 50]


BAD = {
    "it gave neither": lambda y, r: {"events": y},
    "has the shape": lambda y, r: y[:, :-1],
    "not numbers": lambda y, r: np.full(y.shape, "x"),
    "there is no 'spikes'": lambda y, r: {"spikes": y},
    "there are": lambda y, r: {"rate": y, "noise": np.zeros(7)},
    "ValueError: no": lambda y, r: (_ for _ in ()).throw(ValueError("no")),
}


@pytest.mark.parametrize("said", BAD)
def test_answers_that_are_none(said):
    method = calcium_function(BAD[said], name="bad")
    with Guard(method) as guard:
        found = guard.ask(np.zeros((2, 20)), RATE, Known.of("gcamp6f"))
    assert found.status == "failed"
    assert said in found.why


def test_functions_of_two_or_three_arguments():
    def two(dff, rate):
        return dff * rate

    def three(dff, rate, known):
        return {"rate": dff / known.peak, "noise": np.ones(len(dff))}

    three.trained_on = ("DS09",)
    y = np.ones((2, 20))
    with Guard(calcium_function(two)) as guard:
        assert (guard.ask(y, RATE, Known.of("gcamp6f")).arrays["trace"] == RATE).all()
    method = calcium_function(three)
    assert (method.name, method.trained_on) == ("three", ("DS09",))
    with pytest.raises(InputError, match="a function of"):
        calcium_function(3)


def test_names(monkeypatch):
    with pytest.raises(UnknownNameError, match="oasys"):
        calcium_method("oasys")
    monkeypatch.setenv("CLEO_LIKE_PEERS", "/nowhere")
    with pytest.raises(UnsupportedError, match="make peers"):
        calcium_method("oasis")


def test_cascade_says_that_it_is_not_there_and_what_it_was_trained_on():
    assert registry._PEERS["cascade"][2] == outside.CASCADE_TRAINED
    assert {"DS03", "DS20"} <= set(outside.CASCADE_TRAINED)
    assert not {"DS01", "DS21", "DS28", "DS32"} & set(outside.CASCADE_TRAINED)
    if find_spec("cascade2p") is None:
        with pytest.raises(UnsupportedError, match="not installed"):
            calcium_method("cascade")


@pytest.mark.parametrize("rate", [30.0, 15.0, 60.0])
def test_cascade_is_asked_at_its_own_rate(monkeypatch, rate):
    """A stand-in for the package, with its signature: spikes a frame, NaN at both ends."""
    asked = []

    def predict(model_name, traces, model_folder="Pretrained_models", threshold=0):
        asked.append((model_name, traces))
        found = np.full(traces.shape, 0.1)
        found[:, :32] = found[:, -32:] = np.nan
        return found

    package, module = ModuleType("cascade2p"), ModuleType("cascade2p.cascade")
    package.__spec__ = ModuleSpec("cascade2p", None)
    package.cascade, module.predict = module, predict
    monkeypatch.setitem(sys.modules, "cascade2p", package)
    monkeypatch.setitem(sys.modules, "cascade2p.cascade", module)
    method = calcium_method("cascade")
    assert method.trained_on == outside.CASCADE_TRAINED
    n = round(20 * rate)
    dff = np.linspace(0, 1, n) + np.zeros((2, 1))
    found = ask(method, dff, rate=rate)["rate"]
    ((name, traces),) = asked
    assert name == outside.CASCADE_MODEL
    assert (traces.dtype, traces.shape) == (np.float32, (2, 600))  # 20 s at 30 Hz
    assert traces[0, 5:-5] == pytest.approx(np.linspace(0, 1, 600)[5:-5], abs=2e-3)
    inside = np.isfinite(found)
    assert found[inside] == pytest.approx(3.0)  # 0.1 in a frame of 1/30 s
    assert inside[:, 2 * 20 : -2 * 20].all() or rate > 30
    assert 0 < (~inside[0]).sum() <= 66 * max(1, rate / 30)


PROGRAM = """
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
cells = len(rows[0]) - 1
with open(sys.argv[2], "w") as out:
    out.write(",".join(f"rate_{k}" for k in range(cells)) + "\\n")
    for row in rows:
        out.write(",".join(str(float(row[f"dff_{k}"]) * 2) for k in range(cells)) + "\\n")
"""


def test_any_program(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(PROGRAM)
    method = calcium_command("mine", f"{sys.executable} {script} {{input}} {{output}} {{rate}}")
    y = np.random.default_rng(1).random((3, 50))
    np.testing.assert_allclose(ask(method, y)["rate"], 2 * y, rtol=1e-6)
    wrong = calcium_command(
        "wrong", f"{sys.executable} {script} {{input}} {{output}} {{ratio}}"
    )
    why = Guard(wrong).ask(y, RATE, Known.of("gcamp6f")).why
    assert "{ratio}" in why
    assert "{tau}" in why
    with pytest.raises(InputError, match="needs"):
        calcium_command("x", "infer {input}")
    with pytest.raises(UnknownNameError, match="xlsx"):
        calcium_command("x", "infer {input} {output}", file_format="xlsx")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 rows"),
        ("rate_0\n1\n", "1 rows below its names, expected 2"),
        ("rate_0\n1\n2\n", "no column 'rate_1'"),
        ("a,b\n1,2\n3,4\n", "needs columns rate_0"),
        ("rate_0,rate_1\n1,x\n2,3\n", "no number"),
    ],
)
def test_tables_that_cannot_be_read(text, said):
    from cleo_like.core.errors import FileFormatError

    with pytest.raises(FileFormatError, match=said):
        read_traces(text, 2, 2)


@pytest.mark.peer
def test_suite2p_formula_is_oasis_without_penalty(tmp_path):
    """oasis-deconv's plain AR(1) (suite2p's is the same algorithm) on the same input."""
    python = _peers()
    known = Known.of("gcamp6f")
    rng = np.random.default_rng(5)
    y = exponential(known, sorted(rng.integers(50, N - 50, 25)), rng.uniform(1, 4, 25), 0.4)
    decay = float(np.exp(-1 / (known.tau * RATE)))
    np.savez(tmp_path / "in.npz", y=without_baseline(y, RATE)[0], g=decay)
    code = (
        "import numpy as np; from oasis.oasis_methods import oasisAR1; "
        f"z = np.load(r'{tmp_path / 'in.npz'}'); "
        f"c, s = oasisAR1(z['y'], float(z['g']), lam=0.0); np.savez(r'{tmp_path / 'out.npz'}', s=s)"
    )
    subprocess.run([str(python), "-c", code], check=True, capture_output=True)
    theirs = np.load(tmp_path / "out.npz")["s"]
    ours = suite2p(y, RATE, known)["rate"][0] * known.peak / RATE
    np.testing.assert_allclose(ours[1:], theirs[1:], atol=1e-9)


@pytest.mark.peer
def test_oasis_answers(tmp_path):
    _peers()
    known = Known.of("gcamp6f")
    y = exponential(known, [700, 1200], [3.0, 5.0], noise=0.05)
    for name in ("oasis", "oasis_tau"):
        found = ask(calcium_method(name), np.vstack([y, np.full((1, N), 0.2)]), known)
        counts = found["rate"][0] / RATE
        assert counts.argmax() == 1200
        assert 1.5 < counts[699:702].sum() < 3.2  # its penalty makes events smaller
        assert np.isnan(found["rate"][1]).all()  # it cannot deconvolve what never changes


def _peers():
    from cleo_like.features.adapters.ipfx import peers_python

    try:
        outside.need_oasis()
    except UnsupportedError as error:
        pytest.skip(str(error))
    return peers_python()
