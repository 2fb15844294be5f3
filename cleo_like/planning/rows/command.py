"""Rows that the command and the rig decide, without a cell."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core import ClampMode
from cleo_like.core.errors import CleoLikeError
from cleo_like.core.units.table import show
from cleo_like.patch.pipette.readout import HEADSTAGE
from cleo_like.planning.report import Row, graded, not_judged
from cleo_like.stimuli.design import Dac
from cleo_like.stimuli.summary import protocol_summary

if TYPE_CHECKING:
    from cleo_like.core import Protocol
    from cleo_like.planning.rig_facts import RigFacts

_LONGEST_SWEEP = 1_032_258
"""Samples of a sweep that pCLAMP 7 can hold (image_stimulus)."""
_MOST_COLUMNS = 8000
"""Columns of an ATF file that Clampex reads (image_stimulus)."""
_LONG, _TOO_LONG = 10.0, 30.0
"""Minutes: a whole-cell recording is stable for about half an hour; two repeats fit in 20."""
_COARSE, _TOO_COARSE = 0.03, 0.3
"""LSB over peak: 0.3 of 10 pA costs a relief nothing, 3 of 10 pA .005 of r, .04 of SSIM."""
_ONE_SIDED, _ALL_ONE_SIDED = 0.85, 0.97
"""Net over absolute charge: 1 is a current of one sign, .78 a dark portrait of +-10 pA."""


def command_rows(protocol: Protocol, rig: RigFacts) -> list[Row]:
    """Judge range, resolution, headstage, rate, format, rests, duration, bandwidth, charge.

    Parameters
    ----------
    protocol : Protocol
        Any.
    rig : RigFacts
        What plays and records it.
    """
    dac = rig.dac if rig.dac is not None else _default_dac(protocol)
    facts = protocol_summary(protocol, dac)
    return [
        _range(facts, dac),
        _resolution(facts, dac),
        _headstage(protocol, rig),
        _rate(protocol, rig),
        _format(protocol),
        _readback(protocol, dac, facts),
        _rests(facts),
        _duration(facts),
        _bandwidth(protocol, rig),
        _charge(protocol),
    ]


def _default_dac(protocol: Protocol) -> Dac:
    return Dac() if protocol.mode is not ClampMode.VOLTAGE else Dac("204.8 mV")


def _range(facts: dict[str, Any], dac: Dac) -> Row:
    unit = dac.unit
    low, high = show(facts["minimum"], unit), show(facts["maximum"], unit)
    used = facts["range_used"]
    row = graded(
        "range", used * 100, 95.0, 100.0, unit="%",
        text=(
            f"{low} to {high}, slew {facts['slew'] * _per_ms(unit)[0]:.4g} "
            f"{_per_ms(unit)[1]}: {used:.1%} of {show(dac.full_scale, unit)}"
        ),
        limit=f"{show(dac.full_scale, unit)} (95 % amber)",
        source="400 pA/V x 10.24 V; 20 mV/V in voltage clamp (image_stimulus)",
        advice="lower the amplitude, or take a higher command gain (2 nA/V)",
    )  # fmt: skip
    return attrs.evolve(row, verdict="red") if facts["clipped"] else row


def _per_ms(unit: str) -> tuple[float, str]:
    return (1e9, "pA/ms") if unit == "A" else (1.0, "mV/ms")


def _resolution(facts: dict[str, Any], dac: Dac) -> Row:
    if facts["peak"] == 0:
        return not_judged("resolution", "the command stays at holding")
    unit = dac.unit
    return graded(
        "resolution", dac.lsb / facts["peak"], _COARSE, _TOO_COARSE, unit="1",
        text=(
            f"a code is {show(dac.lsb, unit)}, the peak {show(facts['peak'], unit)}: "
            f"{facts['codes_used']} codes"
        ),
        limit=f"LSB {_COARSE:.0%} of the peak (red {_TOO_COARSE:.0%})",
        source="relief fidelity against LSB (image_stimulus 2.2)",
        advice="a larger amplitude, or a lower command gain",
    )  # fmt: skip


def _headstage(protocol: Protocol, rig: RigFacts) -> Row:
    if protocol.mode is ClampMode.VOLTAGE:
        return not_judged("headstage", "voltage clamp: the current is the cell's answer")
    most = HEADSTAGE / rig.feedback
    reached = float(np.abs(protocol.waveforms + rig.holding).max())
    return graded(
        "headstage", reached * 1e12, 0.8e12 * most, 1e12 * most, unit="pA",
        text=(
            f"holding and command reach {show(reached, 'A')} of "
            f"{show(most, 'A')} at {show(rig.feedback, 'ohm')}"
        ),
        limit=f"10 V / {show(rig.feedback, 'ohm')}", source="arithmetic (image_stimulus)",
        advice="less current, or a smaller feedback resistor",
    )  # fmt: skip


def _rate(protocol: Protocol, rig: RigFacts) -> Row:
    rate = protocol.rate
    interval = 1e6 / rate
    fields: dict[str, Any] = {
        "value": rate, "unit": "Hz", "limit": "that of the digitiser",
        "source": "the converters share one clock",
    }  # fmt: skip
    if rig.rate is not None and abs(rig.rate - rate) > 1e-6 * rate:
        return Row(
            name="rate", verdict="red",
            text=f"the protocol has {rate:g} Hz, the digitiser {rig.rate:g} Hz",
            advice=f"make the protocol at {rig.rate:g} Hz", **fields,
        )  # fmt: skip
    return Row(
        name="rate", verdict="green", text=f"{rate:g} Hz: {interval:.6g} us a sample", **fields
    )


def _format(protocol: Protocol) -> Row:
    n = protocol.n_samples
    row = graded(
        "format", n, _LONGEST_SWEEP, _LONGEST_SWEEP, unit="samples",
        text=(
            f"{protocol.n_sweeps} sweeps of {n} samples, "
            f"{protocol.n_sweeps * n * 2 / 1e6:.3g} MB as ABF"
        ),
        limit=f"{_LONGEST_SWEEP} samples a sweep", source="pCLAMP 7 (image_stimulus)",
        advice="shorter sweeps, or a lower sampling rate",
    )  # fmt: skip
    if row.verdict == "green" and protocol.n_sweeps >= _MOST_COLUMNS:
        return attrs.evolve(
            row, verdict="amber", limit=f"{_MOST_COLUMNS} columns of an ATF",
            advice="write ABF: an ATF of so many sweeps is not read",
        )  # fmt: skip
    return row


def _readback(protocol: Protocol, dac: Dac, facts: dict[str, Any]) -> Row:
    """Write the stimulus and read it again, with this package and with pyabf."""
    if facts["clipped"] or protocol.n_samples > _LONGEST_SWEEP:
        return not_judged("readback", "what cannot be played is not written")
    from cleo_like.io import read_protocol, write

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stimulus.abf"
        try:
            write(protocol, path)
            again = read_protocol(path)
        except CleoLikeError as error:
            return Row(
                name="readback", verdict="red", text=f"no stimulus file: {error}",
                advice="make the protocol as the message says",
            )  # fmt: skip
        others = _pyabf_sweeps(path)
    error = float(np.abs(again.waveforms - protocol.waveforms).max() / dac.lsb)
    readers = 1 + (others == protocol.n_sweeps)
    return graded(
        "readback", error, 0.51, 1.0, unit="LSB",
        text=(
            f"an ABF file is read back within {error:.2g} LSB, by {readers} readers, at "
            f"{again.rate:.9g} Hz"
        ),
        limit="half a code", source="arithmetic",
        advice="write NWB or ATF beside it: the ABF's scale is too coarse",
    )  # fmt: skip


def _pyabf_sweeps(path: Path) -> int | None:
    """Count the sweeps that pyabf reads; None where it is not installed."""
    if importlib.util.find_spec("pyabf") is None:
        return None
    import pyabf

    return int(pyabf.ABF(str(path), loadData=False).sweepCount)


def _rests(facts: dict[str, Any]) -> Row:
    least = min(facts["rest_before"], facts["rest_after"])
    needed = facts["rest_needed"]
    if facts["peak"] == 0:
        return not_judged("rests", "the command stays at holding")
    lost = least < needed
    return Row(
        name="rests", verdict="red" if lost else "green", value=float(least), unit="samples",
        text=(
            f"holding in the first {facts['rest_before']} and last {facts['rest_after']} "
            f"samples; Clampex plays holding in {needed} (1/64) at both ends"
            + (": a part of the command is lost" if lost else "")
        ),
        limit="1/64 of the sweep at both ends", source="Clampex (image_stimulus)",
        advice=f"put {needed} samples of holding in front and behind (before=, after=)",
    )  # fmt: skip


def _duration(facts: dict[str, Any]) -> Row:
    minutes = facts["total_duration"] / 60
    return graded(
        "duration",
        minutes,
        _LONG,
        _TOO_LONG,
        unit="min",
        text=f"{minutes:.3g} min, gaps of {facts['gap'] * 1e3:.4g} ms included",
        limit=f"{_LONG:g} min (red {_TOO_LONG:g})",
        source="a whole-cell recording lasts about half an hour",
        advice="fewer or shorter sweeps: design() makes rows of 0.25 s as good as 2 s direct",
    )


def _bandwidth(protocol: Protocol, rig: RigFacts) -> Row:
    columns = ""
    if protocol.picture is not None:
        epoch = protocol.epoch("picture")
        seconds = (epoch.stop - epoch.start) / protocol.rate
        columns = f"; {protocol.picture.shape[1] / seconds:.4g} columns/s"
    if rig.lowpass is None:
        return Row(
            name="bandwidth", verdict="green",
            text=f"full bandwidth at {protocol.rate:g} Hz{columns}",
            limit="5 samples per period of the filter", source="image_stimulus",
        )  # fmt: skip
    return graded(
        "bandwidth", protocol.rate / rig.lowpass, 5.0 * (1 - 1e-9), 2.0, unit="fs/fc",
        text=(
            f"{protocol.rate:g} Hz for a filter of {rig.lowpass:g} Hz: "
            f"{protocol.rate / rig.lowpass:.3g} samples per period{columns}"
        ),
        limit="5 (red below 2: aliasing)",
        source="10 kHz Bessel at 20 kHz costs 38 % of a fast upstroke, at 50 kHz 17 %",
        advice=f"sample at {5 * rig.lowpass:g} Hz, or filter at {protocol.rate / 5:g} Hz",
    )  # fmt: skip


def _charge(protocol: Protocol) -> Row:
    if protocol.mode is ClampMode.VOLTAGE or protocol.family not in ("picture", "noise"):
        return not_judged("charge", f"a {protocol.family} may have one sign")
    deviation = protocol.waveforms - protocol.holding
    total = float(np.abs(deviation).sum())
    if total == 0:
        return not_judged("charge", "the command stays at holding")
    net = deviation.sum(axis=1) / protocol.rate
    worst = float(net[np.argmax(np.abs(net))])
    share = float(abs(deviation.sum()) / total)
    return graded(
        "charge", share, _ONE_SIDED, _ALL_ONE_SIDED, unit="1",
        text=(
            f"net {net.sum() * 1e12:.3g} pC, worst row {worst * 1e12:.3g} pC, mean "
            f"{deviation.mean() * 1e12:.3g} pA: {share:.0%} of all charge is one-sided"
        ),
        limit=f"{_ONE_SIDED:.0%} (red {_ALL_ONE_SIDED:.0%})",
        source="carry-over into the next row (image_stimulus 2.2)",
        advice="amplitudes around 0 ('-10 pA', '10 pA'), or charge_balance='mean'",
    )  # fmt: skip
