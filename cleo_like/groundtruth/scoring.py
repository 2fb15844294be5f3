"""Scores of a user's own function in one call: a spike detector, or a function of features."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cleo_like.core.errors import InputError, unknown_name
from cleo_like.core.window import Window
from cleo_like.features.parameters import DEFAULT
from cleo_like.features.registry import Extracted
from cleo_like.features.spikes.table import spikes_of
from cleo_like.features.stack import SweepStack
from cleo_like.groundtruth.extractors.detector import Trace, detector_method
from cleo_like.groundtruth.extractors.guard import Guard
from cleo_like.groundtruth.extractors.method import TIMEOUT, Method, method_of, of_function
from cleo_like.groundtruth.extractors.outcome import FAILED, OK, Outcome
from cleo_like.groundtruth.results import bare_recording
from cleo_like.groundtruth.sample import Sample, samples_of
from cleo_like.groundtruth.scores.features import FEATURES, feature_errors
from cleo_like.groundtruth.scores.spikes import shifted_hits, spike_scores
from cleo_like.groundtruth.shown import FeatureScores, SpikeScores

if TYPE_CHECKING:
    from pathlib import Path

    from cleo_like.core import Recording

Detector: TypeAlias = Callable[..., Any]
_NATIVE = "native"
_HALF = 0.5  # of the true spikes: when so many are met by a shift, the shift is meant


def score_spikes(
    detector: Detector | str | Mapping[str, Detector | str],
    recordings: Recording | Iterable[Recording] | None = None,
    *,
    conditions: Sequence[str] | None = None,
    timeout: float = TIMEOUT,
    folder: str | Path | None = None,
    progress: bool = True,
) -> SpikeScores:
    """Score a spike detector on recordings whose spikes are known.

    Parameters
    ----------
    detector : callable, "native", or mapping of name to these
        Called for every sweep with what its arguments are named: ``voltage`` (mV), ``rate``
        (Hz), ``current`` (pA), ``time`` (s), or ``v``, ``fs``, ``i``, ``t`` (any other names:
        voltage, then rate). Returns the times (s) of the spikes from the start of the sweep.
        "native" is this package's own, to compare with.
    recordings : Recording or list of Recording, optional
        Simulated: of `record` or `experiment` (`keep_voltage=True` gives exact times). Without
        them, 24 recordings of three cells with noise of 0.1 to 10 mV, made once (half a
        minute) and kept.
    conditions : sequence of str, optional
        A label for each recording; by default its rate and protocol.
    timeout : float
        Seconds for one recording.
    folder : str or Path, optional
        Where the default recordings are kept; the user's cache by default.
    progress : bool
        Show a progress bar while the default recordings are made.

    Returns
    -------
    SpikeScores
        Precision, recall, F1 at 1 and 0.2 ms with intervals, timing error, by signal-to-noise
        ratio (height of the spikes over the noise at rest) and by condition. A detector that
        raises, hangs, or returns something else than times is a result with its reason.

    Raises
    ------
    InputError
        A recording without known spikes; no function.

    Examples
    --------
    >>> from cleo_like import long_square, record
    >>> steps = long_square(["0.4 nA"], duration="0.2 s", before="50 ms", after="50 ms",
    ...                     rate="20 kHz")
    >>> made = record("rs", steps, seed=1, keep_voltage=True)
    >>> def crossings(voltage, rate):
    ...     return np.flatnonzero((voltage[1:] > 0) & (voltage[:-1] <= 0)) / rate
    >>> score_spikes(crossings, made).table["f1_1ms"].tolist()[0]
    1.0
    """
    methods = [_detector(name, one, timeout) for name, one in _named(detector)]
    samples = samples_of(recordings, conditions, folder, progress=progress)
    rows: dict[str, list[dict[str, Any]]] = {"spikes": [], "outcomes": []}
    for method in methods:
        with Guard(method) as guard:
            for sample in samples:
                named = sample.named(method.name)
                outcome = guard.ask(sample.sweeps, Window(start=0.0, end=sample.length))
                note = _shift(sample, outcome)
                rows["outcomes"].append(named | _told(outcome) | {"note": note})
                if outcome.status == OK:
                    n = len(sample.sweeps)
                    rows["spikes"].append(named | spike_scores(sample.truth, outcome.spikes, n))
    return SpikeScores.of(samples, rows["spikes"], rows["outcomes"])


def score_features(
    function: Any,
    recordings: Recording | Iterable[Recording] | None = None,
    *,
    conditions: Sequence[str] | None = None,
    timeout: float = TIMEOUT,
    folder: str | Path | None = None,
    progress: bool = True,
) -> FeatureScores:
    """Score a function that measures features, on recordings whose answers are known.

    Parameters
    ----------
    function : callable, str, or mapping of name to these
        Given a `Recording`, or of an extractor's kind ``(stack, window, parameters)``; returns
        a mapping of feature to number in the units of the catalogue (mV, pA, MOhm, pF, s, Hz;
        `feature` tells), or an `Extracted`. A text is an extractor ("native", "efel" ...).
    recordings : Recording or list of Recording, optional
        Simulated long squares with ``keep_voltage=True``; the default ones as in
        `score_spikes`.
    conditions, timeout, folder, progress
        As in `score_spikes`.

    Returns
    -------
    FeatureScores
        Bias with its interval, spread, share missing and wrong of each feature, by
        signal-to-noise ratio and condition; units that are off by powers of ten are told. A
        function that fails is a result with its reason.

    Raises
    ------
    InputError
        A recording without long squares or without its noise-free potential; no function.

    Examples
    --------
    >>> from cleo_like import long_square, record
    >>> steps = long_square(["-40 pA", "-20 pA"], duration="0.2 s", before="0.1 s",
    ...                     after="50 ms", rate="20 kHz")
    >>> made = record("passive", steps, seed=1, keep_voltage=True)
    >>> def resistance(recording):
    ...     v, i = recording[0].response, recording[0].command
    ...     return {"input_resistance": (v.min() - v[0]) / (i.min() - i[0]) * 1e-6}
    >>> found = score_features(resistance, made).table
    >>> found.loc[found["feature"] == "input_resistance", "missing"].tolist()[0]
    0.0
    """
    methods = [_function(name, one, timeout) for name, one in _named(function)]
    samples = samples_of(recordings, conditions, folder, progress=progress, features=True)
    errors: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for method in methods:
        with Guard(method) as guard:
            for sample in samples:
                outcome = _with_some(guard.ask(sample.stack, sample.truth.window))
                outcomes.append(sample.named(method.name) | _told(outcome) | {"note": ""})
                errors += _errors(sample, method, guard, outcome)
    if _NATIVE not in {method.name for method in methods}:
        # what is wrong is told by what the best extractor can do there
        errors += _native_errors(samples, {row["feature"] for row in errors})
    return FeatureScores.of(samples, errors, outcomes)


def _errors(
    sample: Sample, method: Method, guard: Guard, outcome: Outcome
) -> list[dict[str, Any]]:
    """Give a row for each feature that the method gives at all."""
    if outcome.status != OK:
        return []
    clean = None
    if method.definitions and sample.clean is not None:
        clean = guard.ask(sample.clean, sample.truth.window)
    found = feature_errors(sample.truth, outcome, method, clean)
    given = {*outcome.values, *outcome.spikes, *outcome.sweeps}
    named = sample.named(method.name)
    return [named | row for row in found if row["feature"] in given]


def _native_errors(samples: Sequence[Sample], features: set[str]) -> list[dict[str, Any]]:
    method = method_of(_NATIVE)
    with Guard(method) as guard:
        rows = [
            row
            for sample in samples
            for row in _errors(
                sample, method, guard, guard.ask(sample.stack, sample.truth.window)
            )
        ]
    return [row for row in rows if row["feature"] in features]


def _named(given: Any) -> list[tuple[str | None, Any]]:
    """List functions with the names that they are given."""
    if isinstance(given, Mapping):
        return [(str(name), one) for name, one in given.items()]
    if isinstance(given, (list, tuple)):
        return [(None, one) for one in given]
    return [(None, given)]


def _detector(name: str | None, detector: Any, timeout: float) -> Method:
    if isinstance(detector, str):
        if detector != _NATIVE:
            raise unknown_name("spike detector", detector, [_NATIVE])
        return Method(name=name or _NATIVE, run=_native, isolated=False)
    if not callable(detector):
        msg = f"a spike detector is a function of voltage and rate, got {_kind(detector)}"
        raise InputError(msg)
    return detector_method(detector, name=name, timeout=timeout)


def _kind(value: object) -> str:
    return f"{type(value).__name__}: {value!r:.60}"


def _native(traces: Sequence[Trace], step: Window) -> Extracted:  # noqa: ARG001
    """Search every sweep as a whole with this package's detection."""
    sweeps, times = [], []
    for k, trace in enumerate(traces):
        stack = SweepStack(
            voltage_mv=trace.voltage[None], current_pa=trace.current[None], rate=trace.rate
        )
        last = (stack.n_samples - 1) / stack.rate
        found = spikes_of(stack, Window(start=0.0, end=last), DEFAULT)
        times.append(np.asarray(found["peak_t"], dtype=float))
        sweeps.append(np.full(times[-1].size, k))
    return Extracted(
        values={}, spikes={"sweep": np.concatenate(sweeps), "peak_t": np.concatenate(times)}
    )


def _function(name: str | None, function: Any, timeout: float) -> Method:
    if isinstance(function, (str, Method)):
        return method_of(function)
    if not callable(function):
        msg = f"expected a function of a Recording, or an extractor, got {_kind(function)}"
        raise InputError(msg)
    if _takes_recording(function):
        named = getattr(function, "__name__", type(function).__name__)
        run = functools.partial(_of_recording, function)
        return Method(name=name or named, run=run, timeout=timeout)
    return of_function(function, name=name)


def _takes_recording(function: Any) -> bool:
    """Whether one argument is all that it needs."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in parameters) == 1


def _of_recording(function: Any, stack: SweepStack, step: Window) -> Any:  # noqa: ARG001
    return function(bare_recording(stack))


def _with_some(outcome: Outcome) -> Outcome:
    """Take an answer of which no name is known for a failure."""
    given = sorted({*outcome.values, *outcome.spikes, *outcome.sweeps})
    if outcome.status != OK or set(given) & set(FEATURES):
        return outcome
    why = str(unknown_name("feature", given[0], FEATURES)) if given else "it gave no feature"
    return Outcome(status=FAILED, why=why, seconds=outcome.seconds)


def _told(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in ("status", "why", "printed", "seconds")}


def _shift(sample: Sample, outcome: Outcome) -> str:
    """Say when times are right but for where they count from."""
    if outcome.status != OK or sample.start <= 0:
        return ""
    hits, shifted = shifted_hits(sample.truth, outcome.spikes, sample.start)
    if shifted < max(_HALF * sample.truth.times["t"].size, 2 * hits + 1):
        return ""
    return (
        f"times count from the start of the step at {sample.start:g} s; give them from the "
        "start of the sweep"
    )
