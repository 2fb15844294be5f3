"""Voltage-clamp protocols: step families, and the small pulses of P/N leak subtraction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.protocol import Epoch, Protocol, levels_from_epochs
from cleo_like.core.sweep import ClampMode
from cleo_like.core.units import si, si_array
from cleo_like.stimuli.build import with_test_pulse
from cleo_like.stimuli.waveforms.grid import sample_rate, whole_samples

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity


def voltage_steps(
    levels: Any,
    *,
    holding: Quantity = "-70 mV",
    duration: Quantity = "100 ms",
    before: Quantity = "50 ms",
    after: Quantity = "50 ms",
    prepulse: Any = None,
    prepulse_duration: Any = "50 ms",
    rate: Quantity = "50 kHz",
    gap: Quantity = "0 s",
    test_pulse: Quantity | None = None,
) -> Protocol:
    """Make a family of voltage steps, one sweep per level.

    Parameters
    ----------
    levels : quantity, list of quantities or texts, shape (n_sweeps,)
        Potential of the step in each sweep (absolute, not relative to holding).
    holding : quantity or str
        Potential outside the steps.
    duration, before, after : quantity or str
        Length of the step and of the rest on both sides.
    prepulse : quantity or str, optional
        Potential right before the step, to take inactivation away or to bring it.
    prepulse_duration : quantity or str
        Its length.
    rate : quantity or str
        Sampling rate.
    gap : quantity or str
        Pause between sweeps.
    test_pulse : quantity or str, optional
        Height of a test pulse in front of every sweep (see `with_test_pulse`).

    Returns
    -------
    Protocol
        Voltage clamp, with the epoch "step" (and "pre_pulse").

    Examples
    --------
    >>> voltage_steps(["-80 mV", "-40 mV", "0 mV"], test_pulse="-5 mV").epochs
    (Epoch test_pulse [2000, 2500), Epoch step [5500, 10500))
    """
    values = np.atleast_1d(si_array(levels, "V", "levels"))
    if values.ndim != 1 or values.size == 0:
        msg = f"levels must be one list of potentials, got shape {values.shape}"
        raise InputError(msg)
    hertz = sample_rate(rate)
    held = si(holding, "V", "holding")
    start = whole_samples(si(before, "s", "before"), hertz, "before", least=0)
    epochs = []
    if prepulse is not None:
        stop = start + whole_samples(si(prepulse_duration, "s", "prepulse_duration"), hertz)
        level = np.full(values.size, si(prepulse, "V", "prepulse"))
        epochs.append(Epoch(name="pre_pulse", start=start, stop=stop, levels=level, unit="V"))
        start = stop
    stop = start + whole_samples(si(duration, "s", "duration"), hertz)
    epochs.append(Epoch(name="step", start=start, stop=stop, levels=values, unit="V"))
    n = stop + whole_samples(si(after, "s", "after"), hertz, "after", least=0)
    made = Protocol(
        waveforms=levels_from_epochs(epochs, values.size, n, held),
        rate=hertz,
        family="long_square",
        mode=ClampMode.VOLTAGE,
        epochs=tuple(epochs),
        holding=held,
        gap=si(gap, "s", "gap"),
        name="voltage_steps",
        parameters={"levels": values.tolist(), "holding": held},
    )
    if test_pulse is None:
        return made
    return with_test_pulse(made, test_pulse, before="40 ms", duration="10 ms", after="10 ms")


def p_over_n(protocol: Protocol, n: int = 4, *, same_polarity: bool = False) -> Protocol:
    """Add the sub-sweeps of P/N leak subtraction after every sweep.

    Parameters
    ----------
    protocol : Protocol
        Voltage clamp.
    n : int
        Sub-sweeps per sweep; each has an n-th of its command (default 4).
    same_polarity : bool
        Step the same way as the sweep; by default the other way, where fewer channels open.

    Returns
    -------
    Protocol
        With (n + 1) times the sweeps; `cleo_like.features.clamp.subtract_leak` takes the
        recording apart.

    Examples
    --------
    >>> p_over_n(voltage_steps(["-30 mV"], rate="20 kHz"))
    Protocol voltage_steps P/4: 5 sweeps of 200 ms at 20 kHz, -80..-30 mV, gap 0 ms
    """
    n = whole_number("n", 1)(n)
    if protocol.mode is not ClampMode.VOLTAGE:
        msg = f"leak subtraction is for voltage clamp; {protocol.name!r} is {protocol.mode}"
        raise InputError(msg)
    if "p_over_n" in protocol.parameters:
        msg = f"protocol {protocol.name!r} has its sub-sweeps already"
        raise InputError(msg)
    sign = 1 if same_polarity else -1
    scales = np.array([1.0] + [sign / n] * n)
    held = protocol.holding

    def spread(values: np.ndarray) -> np.ndarray:
        by = scales.reshape(1, -1, *[1] * (values.ndim - 1))
        scaled = (values - held)[:, np.newaxis] * by
        return held + scaled.reshape(-1, *values.shape[1:])

    epochs = tuple(
        e if e.levels is None else attrs.evolve(e, levels=spread(e.levels))
        for e in protocol.epochs
    )
    return attrs.evolve(
        protocol,
        waveforms=spread(protocol.waveforms),
        epochs=epochs,
        name=f"{protocol.name} P/{n}",
        parameters={**protocol.parameters, "p_over_n": {"n": n, "sign": sign}},
    )
