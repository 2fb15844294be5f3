"""Sensors for a `Scope` whose kinetics were fitted to paired recordings.

dF/F is (F - F0)/F0. The indicators of the same names in `cleo_like.imaging` keep Cleo's
definition and kinetics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from cleo_like.core.errors import InputError
from cleo_like.imaging.calibrated.sensor import CalibratedSensor
from cleo_like.imaging.calibrated.table import calibrated_indicator

if TYPE_CHECKING:
    from typing import Unpack

    from cleo_like.imaging.calibrated.indicator import CalibratedIndicator


class Options(TypedDict, total=False):
    """Keywords of every factory; what is not given comes from the recordings."""

    cells_differ: bool
    """Draw gain and duration of each cell (default True)."""
    sigma_noise: float
    """Noise of dF/F of a frame (default: median of the recordings, at 30 frames/s)."""
    rand_seed: int | None
    """Seed of the draw of cells."""
    name: str
    """Name of the device."""
    save_history: bool
    """Whether the device keeps its history."""


def calibrated_sensor(
    indicator: str | CalibratedIndicator, **options: Unpack[Options]
) -> CalibratedSensor:
    """Make the sensor of a fitted indicator, or of any other.

    Its `dFF_1AP`, which a scope's SNR cut compares with the noise, is the peak of the median
    cell's response to one spike. Where that peak is below the noise of a frame in the
    recordings themselves (fast-spiking cells, say), those cells were seen by their trains
    of spikes, and a cut on one spike would leave out what was recorded: `dFF_1AP` is None,
    and no cell is left out.

    Parameters
    ----------
    indicator : str or CalibratedIndicator
        One of `calibrated_names`, or an indicator, such as those of `s2f`.
    **options
        See `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.

    Raises
    ------
    UnknownNameError
        No indicator of that name was fitted.
    InputError
        No `sigma_noise`, for an indicator of your own without recorded noise.

    Examples
    --------
    >>> calibrated_sensor("jgcamp8s", cells_differ=False).cells_differ
    False
    >>> from cleo_like.imaging.calibrated import s2f
    >>> round(calibrated_sensor(s2f.jgcamp8f()).dFF_1AP, 2)
    0.48
    >>> calibrated_sensor("gcamp6f_pv").snr is None  # one spike is below the noise
    True
    """
    model = calibrated_indicator(indicator) if isinstance(indicator, str) else indicator
    recorded = model.evidence.get("noise_30hz", {}).get("median")
    noise = options.get("sigma_noise", recorded)
    if noise is None:
        msg = (
            f"indicator {model.name!r} has no recorded noise; say sigma_noise=..., the noise "
            f"of dF/F of a frame"
        )
        raise InputError(msg)
    peak = model.single_spike().peak
    defaults: Options = {"name": model.name, "sigma_noise": float(noise)}
    return CalibratedSensor(
        indicator=model,
        dFF_1AP=peak if recorded is None or peak > recorded else None,
        **(defaults | options),
    )


def gcamp6f(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP6f in pyramidal cells (virus).

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp6f", **options)


def gcamp6f_emx1(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP6f in pyramidal cells of a transgenic line (Emx1).

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp6f_emx1", **options)


def gcamp6s(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP6s in pyramidal cells (virus).

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp6s", **options)


def gcamp6s_teto(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP6s in pyramidal cells of a transgenic line (tetO).

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp6s_teto", **options)


def gcamp5k(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP5k in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp5k", **options)


def jgcamp7f(**options: Unpack[Options]) -> CalibratedSensor:
    """Give jGCaMP7f in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("jgcamp7f", **options)


def jgcamp8f(**options: Unpack[Options]) -> CalibratedSensor:
    """Give jGCaMP8f in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("jgcamp8f", **options)


def jgcamp8m(**options: Unpack[Options]) -> CalibratedSensor:
    """Give jGCaMP8m in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("jgcamp8m", **options)


def jgcamp8s(**options: Unpack[Options]) -> CalibratedSensor:
    """Give jGCaMP8s in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("jgcamp8s", **options)


def xcamp_gf(**options: Unpack[Options]) -> CalibratedSensor:
    """Give XCaMP-Gf in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("xcamp_gf", **options)


def jrgeco1a(**options: Unpack[Options]) -> CalibratedSensor:
    """Give jRGECO1a (red) in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("jrgeco1a", **options)


def jrcamp1a(**options: Unpack[Options]) -> CalibratedSensor:
    """Give jRCaMP1a (red) in pyramidal cells.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("jrcamp1a", **options)


def ogb1(**options: Unpack[Options]) -> CalibratedSensor:
    """Give OGB-1, a synthetic dye.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("ogb1", **options)


def cal520(**options: Unpack[Options]) -> CalibratedSensor:
    """Give Cal-520, a synthetic dye.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("cal520", **options)


def gcamp6f_pv(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP6f in parvalbumin interneurons.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp6f_pv", **options)


def gcamp6f_sst(**options: Unpack[Options]) -> CalibratedSensor:
    """Give GCaMP6f in somatostatin interneurons.

    Parameters
    ----------
    **options
        Changes to what comes from the recordings: keywords of `Options`.

    Returns
    -------
    CalibratedSensor
        Ready to be given to a `Scope`.
    """
    return calibrated_sensor("gcamp6f_sst", **options)
