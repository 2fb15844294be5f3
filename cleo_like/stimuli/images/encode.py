"""Picture to current: one sweep per row, one stretch of each sweep per column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import whole_number
from cleo_like.core.errors import InputError
from cleo_like.core.protocol import Protocol
from cleo_like.core.units import degrees, number
from cleo_like.stimuli.images import raster
from cleo_like.stimuli.images.layout import Drive, Layout, Timing, lay_out, tail_of
from cleo_like.stimuli.images.read import read_grey
from cleo_like.stimuli.summary import protocol_summary

if TYPE_CHECKING:
    from cleo_like.core.units import Quantity
    from cleo_like.stimuli.design import Dac

_BALANCE = ("none", "mean", "tail")


def from_image(  # noqa: PLR0913  (the one door of the picture; all but three by keyword)
    picture: Any,
    sweep_duration: Quantity,
    sample_rate: Quantity,
    *,
    amplitude: Quantity = ("-10 pA", "10 pA"),
    rows: int | None = None,
    columns: int | None = None,
    rotate: Any = 0.0,
    background: float = 1.0,
    subsample: bool = False,
    polarity: str = "normal",
    gamma: float = 1.0,
    percentiles: tuple[float, float] = (0.5, 99.5),
    interpolation: str = "linear",
    tau: Quantity | None = None,
    resistance: Quantity | None = None,
    low_pass: Quantity = "auto",
    peak: Quantity | None = None,
    charge_balance: str = "none",
    holding: Quantity = "0 pA",
    before: Quantity | None = None,
    after: Quantity | None = None,
    gap: Quantity = "250 ms",
    dac: Dac | None = None,
    name: str | None = None,
) -> Protocol:
    """Turn a picture into current, one sweep per row, so that the membrane draws it.

    Parameters
    ----------
    picture : path, Pillow image or array
        Anything `read_grey` opens: any mode, EXIF orientation and alpha are respected.
    sweep_duration : quantity or str
        Time in which one row is drawn (rests come on top).
    sample_rate : quantity or str
        Sampling rate; must divide all durations.
    amplitude : pair of quantities or texts
        Current of black and of white relative to holding; potentials where `resistance`
        is given.
    rows : int, optional
        Number of sweeps; None is the height of the picture, at most 48.
    columns : int, optional
        Number of stretches of each sweep; None keeps the proportions of the picture.
    rotate : float, quantity or str
        Turn counterclockwise by this angle (a plain number is in degrees), making room for
        the corners.
    background : float
        Grey (0 black, 1 white) behind transparent pixels and in new corners.
    subsample : bool
        Take every n-th row instead of averaging over rows.
    polarity : str
        "normal" (white is the upper amplitude) or "inverted".
    gamma : float
        Power applied to the scaled grey values.
    percentiles : pair of float
        Grey values at these percentiles become black and white, those beyond are clipped;
        (0, 100) uses the extremes.
    interpolation : str
        "linear" between the middles of columns, or "hold" within each.
    tau : quantity or str, optional
        Membrane time constant: the command is pre-emphasised so that an RC membrane
        follows the picture instead of lagging. None draws the picture directly.
    resistance : quantity or str, optional
        Input resistance; allows `amplitude` to be given in mV.
    low_pass : quantity or str, or None
        Frequency (-3 dB) of a Gaussian zero-phase filter. "auto": none without `tau`; with
        it, 0.6 / tau (30 Hz for 20 ms) or the highest that keeps `peak` for any picture.
    peak : quantity or str, optional
        Largest current allowed, relative to holding; more is an error.
    charge_balance : str
        "none"; "mean" subtracts the mean of each row; "tail" appends a pulse of the
        opposite charge to each sweep.
    holding : quantity or str
        Current outside the picture.
    before, after : quantity or str, optional
        Rest on both sides; None is 1/64 of the sweep (which Clampex does not play), plus
        5 tau (100 ms without tau), plus the spread of the filter.
    gap : quantity or str
        Pause between sweeps.
    dac : Dac, optional
        Round the command to the codes of this converter; leaving its range is an error.
    name : str, optional
        Name of the protocol; None is the name of the file.

    Returns
    -------
    Protocol
        Epoch "picture" is where the columns are drawn ("lead_in" and "lead_out" beside it
        where a filter spreads them, "tail" for charge balance). `Protocol.picture` has the
        grey values that are drawn, 0..1, row k is sweep k. `Protocol.parameters` has every
        argument, the hash of the picture and the numbers of `protocol_summary`.

    Raises
    ------
    InputError
        A constant picture, a rate that does not divide a duration, an amplitude in the
        wrong order, too many rows or columns, a limit that is exceeded.
    FileFormatError
        Not a picture, or a damaged one.
    UnitError
        A number without unit.

    Notes
    -----
    Source of the idea: the notebook "Building Relief maps with Real Neurons" (S. Mestern).

    Examples
    --------
    >>> gradient = np.linspace(0, 1, 12).reshape(3, 4)
    >>> protocol = from_image(gradient, "100 ms", "10 kHz", tau="20 ms", peak="30 pA")
    >>> protocol
    Protocol array: 3 sweeps of 368 ms at 10 kHz, -19.96..10.71 pA, gap 250 ms
    >>> protocol.epoch("picture"), protocol.picture.shape
    (Epoch picture [1340, 2340), (3, 4))
    """
    angle, background = degrees(rotate, "rotate"), number(background, "background")
    gamma, percentiles = number(gamma, "gamma"), _pair(percentiles)
    rows, columns = _count(rows, "rows"), _count(columns, "columns")
    grey = read_grey(picture, background=background)
    timing = Timing.of(sweep_duration, sample_rate, holding, gap)
    drive = Drive.of(amplitude, resistance, tau, low_pass, peak)
    upright = raster.rotated(grey.values, angle, background)
    small = raster.reduced(
        upright, rows, columns, most_columns=timing.drawn, subsample=subsample
    )
    target = raster.toned(small, percentiles, gamma, polarity)
    rows_drawn = _balanced(
        drive.current(raster.across(target, timing.drawn, interpolation)), charge_balance
    )
    tail, levels = (0, None)
    if charge_balance == "tail":
        tail, levels = tail_of(rows_drawn, drive, timing.rate)
    layout = lay_out(timing, drive, tail, before, after)
    current = _laid_out(rows_drawn, layout, drive, timing.rate, levels)
    waveforms, rest = timing.holding + current, timing.holding
    if dac is not None:
        waveforms, rest = dac.quantise(waveforms), float(dac.quantise(np.array(rest)))
    made = Protocol(
        waveforms=waveforms,
        rate=timing.rate,
        family="picture",
        epochs=layout.epochs(None if levels is None else waveforms[:, layout.tail_start]),
        holding=rest,
        gap=timing.gap,
        name=name if name is not None else Path(grey.name).stem,
        source=f"picture {grey.name}",
        picture=target,
    )
    parameters = {
        "picture": {
            "name": grey.name, "mode": grey.mode, "hash": grey.hash,
            "shape": list(grey.values.shape),
        },
        "rows": target.shape[0], "columns": target.shape[1], "rotate": angle,
        "background": background, "subsample": subsample, "polarity": polarity,
        "gamma": gamma, "percentiles": list(percentiles), "interpolation": interpolation,
        "charge_balance": charge_balance, "drive": attrs.asdict(drive),
        "samples": attrs.asdict(layout), "dac": None if dac is None else attrs.asdict(dac),
        "summary": protocol_summary(made, dac),
    }  # fmt: skip
    return attrs.evolve(made, parameters=parameters)


def _count(value: int | None, name: str) -> int | None:
    return None if value is None else whole_number(name)(value)


def _pair(percentiles: Quantity) -> tuple[float, float]:
    if not isinstance(percentiles, (list, tuple, np.ndarray)) or len(percentiles) != 2:
        msg = f"percentiles must be two numbers from 0 to 100, got {percentiles!r}"
        raise InputError(msg)
    first, last = (number(value, "percentiles") for value in percentiles)
    return first, last


def _laid_out(
    rows: np.ndarray, layout: Layout, drive: Drive, rate: float, levels: np.ndarray | None
) -> np.ndarray:
    """Put rows between their rests, filter and pre-emphasise, add the tail (A)."""
    current = np.zeros((rows.shape[0], layout.total))
    current[:, layout.before : layout.stop] = rows
    current = drive.shaped(current, rate)
    # the filter works with a fast Fourier transform: put back the exact rest around it
    current[:, : layout.before - layout.spread] = 0.0
    current[:, layout.tail_start :] = 0.0
    if levels is not None:
        end = layout.tail_start + layout.tail
        current[:, layout.tail_start : end] = levels[:, np.newaxis]
    _check_peak(current, drive)
    return current


def _balanced(current: np.ndarray, charge_balance: str) -> np.ndarray:
    if charge_balance not in _BALANCE:
        known = ", ".join(map(repr, _BALANCE))
        msg = f"charge_balance must be one of {known}, got {charge_balance!r}"
        raise InputError(msg)
    if charge_balance == "mean":
        return np.asarray(current - current.mean(axis=1, keepdims=True))
    return current


def _check_peak(current: np.ndarray, drive: Drive) -> None:
    reached = float(np.abs(current).max())
    if drive.peak is not None and reached > drive.peak * (1 + 1e-9):
        msg = (
            f"the command reaches {reached * 1e12:.4g} pA, above the peak of "
            f"{drive.peak * 1e12:.4g} pA; lower the amplitude or the low-pass frequency"
        )
        raise InputError(msg)
