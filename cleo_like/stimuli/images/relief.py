"""Potential to picture: what the membrane drew, and how close it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only
from cleo_like.core.errors import InputError
from cleo_like.core.recording import check_recording
from cleo_like.core.units import si
from cleo_like.stimuli.images.readout import RecordedRows
from cleo_like.stimuli.images.similarity import correlation, linear_fit, reliability, ssim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float

    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording
    from cleo_like.core.units import Quantity

_LAG_STEP = 1e-4
"""Resolution of the delay (s), or one sample where that is more."""
_SPIKE = -0.02
"""Potential (V) above which a row is said to hold spikes."""


@attrs.frozen(kw_only=True)
class Agreement:
    """How a recorded relief and the picture agree at one delay.

    Parameters
    ----------
    lag : float
        Delay by which the recording was shifted back (s).
    voltage : array, shape (rows, columns)
        Mean potential in each column (V).
    fitted : array, shape (rows, columns)
        `voltage` scaled and shifted to be closest to the picture (grey values).
    correlation : float
        Pearson correlation over all pixels; NaN for a constant response.
    ssim : float
        Structural similarity of picture and `fitted`.
    rmse : float
        Root mean square of what is left of `voltage` after the picture, scaled and shifted
        to be closest to it (V).
    """

    lag: float
    voltage: Float[np.ndarray, "rows columns"] = attrs.field(eq=array_eq)
    fitted: Float[np.ndarray, "rows columns"] = attrs.field(eq=array_eq)
    correlation: float
    ssim: float
    rmse: float

    def __repr__(self) -> str:
        """One line in ms and mV."""
        return (
            f"Agreement at {self.lag * 1e3:.4g} ms: correlation {self.correlation:.3f}, "
            f"SSIM {self.ssim:.3f}, RMSE {self.rmse * 1e3:.3g} mV"
        )


@attrs.frozen(kw_only=True)
class Relief:
    """A picture drawn by a membrane potential.

    Parameters
    ----------
    picture : array, shape (rows, columns)
        Grey values that were to be drawn, 0..1.
    direct : Agreement
        Without shifting the recording.
    best : Agreement
        At the single delay of highest correlation.
    row_correlation : array, shape (rows,)
        Correlation of each row at lag 0; NaN where row or response is constant.
    repeats : int
        Recordings that were averaged.
    repeat_correlation : float or None
        Mean correlation between single recordings at lag 0.
    noise_ceiling : float or None
        Highest correlation with the averaged relief that a response without noise could
        have; None where it is unknown (`notes` say why).
    notes : tuple of str
        What limits these numbers.
    """

    picture: Float[np.ndarray, "rows columns"] = attrs.field(eq=array_eq)
    direct: Agreement
    best: Agreement
    row_correlation: Float[np.ndarray, "rows"] = attrs.field(eq=array_eq)
    repeats: int = 1
    repeat_correlation: float | None = None
    noise_ceiling: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def voltage(self) -> Float[np.ndarray, "rows columns"]:
        """Mean potential in each column, not shifted (V)."""
        return self.direct.voltage

    @property
    def fitted(self) -> Float[np.ndarray, "rows columns"]:
        """`voltage` scaled and shifted to the picture (grey values)."""
        return self.direct.fitted

    @property
    def correlation(self) -> float:
        """Correlation at lag 0."""
        return self.direct.correlation

    @property
    def ssim(self) -> float:
        """Structural similarity at lag 0."""
        return self.direct.ssim

    @property
    def rmse(self) -> float:
        """Root mean square error at lag 0 (V)."""
        return self.direct.rmse

    @property
    def lag(self) -> float:
        """Best single delay (s)."""
        return self.best.lag

    def __repr__(self) -> str:
        """One line: size, both agreements, ceiling."""
        rows, columns = self.picture.shape
        ceiling = "unknown" if self.noise_ceiling is None else f"{self.noise_ceiling:.3f}"
        return (
            f"Relief {rows} x {columns}: r {self.correlation:.3f}, SSIM {self.ssim:.3f}; "
            f"at {self.lag * 1e3:.4g} ms r {self.best.correlation:.3f}, "
            f"SSIM {self.best.ssim:.3f}; noise ceiling {ceiling}"
        )


def relief(
    recording: Recording,
    protocol: Protocol | None = None,
    *,
    repeats: Sequence[Recording] = (),
    max_lag: Quantity = "50 ms",
) -> Relief:
    """Read a recorded picture protocol back as a picture.

    The rests are cut off, every column is averaged over its share of the sweep, and the
    result is compared with the picture, as it is and at the single delay that fits best.

    Parameters
    ----------
    recording : Recording
        Current-clamp sweeps, one per row, in order.
    protocol : Protocol, optional
        The picture protocol; None is `recording.protocol`.
    repeats : sequence of Recording
        More recordings of the same protocol: all are averaged, and their agreement with
        each other gives the noise ceiling.
    max_lag : quantity or str
        Longest delay that is tried.

    Returns
    -------
    Relief
        The picture, the potentials, and how they agree.

    Raises
    ------
    InputError
        No picture protocol, sweeps that do not fit to it, or samples that are not numbers.

    Examples
    --------
    >>> from cleo_like import Cell, Provenance, Recording, Sweep
    >>> from cleo_like.stimuli import from_image
    >>> protocol = from_image(np.array([[0.0, 0.5, 1.0]]), "30 ms", "1 kHz")
    >>> sweep = Sweep(response=-0.07 + 2e8 * protocol.waveforms[0], rate=1e3)
    >>> ohmic = Recording(
    ...     sweeps=[sweep], cell=Cell(id="r"), provenance=Provenance(source="Ohm's law"),
    ...     protocol=protocol,
    ... )
    >>> (relief(ohmic).voltage * 1e3).round(2)
    array([[-71.75, -70.  , -68.25]])
    """
    used = _picture_protocol(recording, protocol)
    readers = [RecordedRows.of(one, used) for one in (recording, *repeats)]
    most = min(si(max_lag, "s", "max_lag"), *(reader.room for reader in readers))
    if most < 0:
        msg = f"max_lag must be 0 s or more, got {most} s"
        raise InputError(msg)
    picture = np.asarray(used.picture)
    lag = _best_lag(readers, picture, most)
    direct = _agreement(readers, picture, 0.0)
    single, ceiling, notes = _ceiling(readers, picture.shape[1])
    return Relief(
        picture=read_only(picture),
        direct=direct,
        best=_agreement(readers, picture, lag),
        row_correlation=read_only(
            np.array([correlation(*pair) for pair in zip(picture, direct.voltage, strict=True)])
        ),
        repeats=len(readers),
        repeat_correlation=single,
        noise_ceiling=ceiling,
        notes=(*notes, *_remarks(readers, direct, lag, most)),
    )


def _picture_protocol(recording: Recording, protocol: Protocol | None) -> Protocol:
    check_recording(recording)
    used = protocol if protocol is not None else recording.protocol
    if used is None:
        msg = (
            f"the recording of {recording.cell.id} knows no protocol; give protocol= "
            "(--protocol on the command line)"
        )
        raise InputError(msg)
    if used.picture is None:
        msg = f"protocol {used.name!r} has no picture; a relief needs one made by from_image"
        raise InputError(msg)
    return used


def _mean_columns(readers: Sequence[RecordedRows], count: int, lag: float) -> np.ndarray:
    return np.mean([reader.columns(count, lag) for reader in readers], axis=0)


def _best_lag(readers: Sequence[RecordedRows], picture: np.ndarray, most: float) -> float:
    """Find the delay of highest correlation; 0 where the response is constant."""
    step = max(_LAG_STEP, 1 / readers[0].rate)
    lags = np.arange(int(most / step + 1e-9) + 1) * step
    found = [
        correlation(picture, _mean_columns(readers, picture.shape[1], lag)) for lag in lags
    ]
    return float(lags[np.nanargmax(found)]) if np.isfinite(found).any() else 0.0


def _agreement(readers: Sequence[RecordedRows], picture: np.ndarray, lag: float) -> Agreement:
    voltage = _mean_columns(readers, picture.shape[1], lag)
    fitted = linear_fit(voltage, picture)
    residual = voltage - linear_fit(picture, voltage)
    return Agreement(
        lag=lag,
        voltage=read_only(voltage),
        fitted=read_only(fitted),
        correlation=correlation(picture, voltage),
        ssim=ssim(picture, fitted),
        rmse=float(np.sqrt((residual**2).mean())),
    )


def _ceiling(
    readers: Sequence[RecordedRows], columns: int
) -> tuple[float | None, float | None, tuple[str, ...]]:
    if len(readers) < 2:
        return None, None, ("noise ceiling unknown: one recording, no repeats",)
    single, mean = reliability(np.stack([r.columns(columns, 0.0) for r in readers]))
    if not np.isfinite(mean):
        reason = f"noise ceiling unknown: repeats correlate by {single:.3g}, not above 0"
        return single, None, (reason,)
    return single, float(np.sqrt(mean)), ()


def _remarks(
    readers: Sequence[RecordedRows], direct: Agreement, lag: float, most: float
) -> tuple[str, ...]:
    found = []
    spiking = int(np.any([reader.above(_SPIKE) for reader in readers], axis=0).sum())
    if spiking:
        found.append(
            f"spikes distort the relief: {spiking} of {len(direct.voltage)} rows rise above "
            f"{_SPIKE * 1e3:g} mV"
        )
    if np.isnan(direct.correlation):
        found.append("the response is constant: no correlation")
    if lag > 0 and lag >= most - _LAG_STEP:
        found.append(f"the best delay is the longest that was tried ({most * 1e3:.4g} ms)")
    return tuple(found)
