"""P/N leak subtraction: small pulses scaled up and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.recording import check_recording

if TYPE_CHECKING:
    from cleo_like.core.recording import Recording


def subtract_leak(recording: Recording) -> Recording:
    """Subtract leak and capacity currents that sub-sweeps show.

    Parameters
    ----------
    recording : Recording
        Of a protocol from `cleo_like.stimuli.p_over_n`: after each sweep come n sub-sweeps
        with an n-th of its command (of either sign).

    Returns
    -------
    Recording
        The main sweeps, less the scaled sum of their sub-sweeps; the baseline is 0.

    Raises
    ------
    InputError
        The protocol has no sub-sweeps, or sweeps are missing.

    Examples
    --------
    >>> from cleo_like import record
    >>> from cleo_like.stimuli import p_over_n, voltage_steps
    >>> steps = voltage_steps(["-60 mV", "-50 mV"], duration="20 ms", rate="20 kHz")
    >>> found = subtract_leak(
    ...     record("passive", p_over_n(steps), electrode="multiclamp_700b", seed=1)[0]
    ... )
    >>> found.n_sweeps, bool(abs(found.sweeps[1].response[-2000:].mean()) < 2e-12)
    (2, True)
    """
    check_recording(recording)
    protocol = recording.protocol
    made = None if protocol is None else protocol.parameters.get("p_over_n")
    if protocol is None or made is None:
        msg = (
            "this recording's protocol has no sub-sweeps; make it with stimuli.p_over_n("
            "protocol, n=4) before the experiment"
        )
        raise InputError(msg)
    n, sign = int(made["n"]), int(made["sign"])
    if recording.n_sweeps != protocol.n_sweeps:
        msg = (
            f"P/{n} needs all {protocol.n_sweeps} sweeps of the protocol, got "
            f"{recording.n_sweeps}"
        )
        raise InputError(msg)
    stacked = recording.stacked()
    response = stacked.response.astype(float).reshape(-1, n + 1, stacked.response.shape[1])
    first = min((e.start for e in protocol.epochs), default=response.shape[2])
    rest = response[:, :, :first].mean(axis=2, keepdims=True)
    response = response - rest
    # n sub-sweeps of an n-th each: their sum is the leak of the main sweep
    pure = response[:, 0] - sign * response[:, 1:].sum(axis=1)
    note = f"P/{n} leak subtraction ({'same' if sign > 0 else 'opposite'} polarity)"
    sweeps = [
        attrs.evolve(
            sweep, response=np.asarray(trace, dtype=np.float32), notes=(*sweep.notes, note)
        )
        for sweep, trace in zip(recording.sweeps[:: n + 1], pure, strict=True)
    ]
    kept = slice(None, None, n + 1)
    epochs = tuple(
        e if e.levels is None else attrs.evolve(e, levels=e.levels[kept])
        for e in protocol.epochs
    )
    parameters = {k: v for k, v in protocol.parameters.items() if k != "p_over_n"}
    shorter = attrs.evolve(
        protocol, waveforms=protocol.waveforms[kept], epochs=epochs, parameters=parameters
    )
    truth = recording.truth
    if truth is not None:
        truth = attrs.evolve(
            truth,
            spike_times=truth.spike_times[kept],
            voltage=None if truth.voltage is None else truth.voltage[kept],
        )
    return attrs.evolve(recording, sweeps=tuple(sweeps), protocol=shorter, truth=truth)
