"""Published spike-to-fluorescence parameter sets, as an alternative to the fits.

The curves are those that the authors fitted to their own recordings. Numbers were read from
public code that carries them; the papers' tables were not seen. The set of XCaMP-Gf gives
0.12 for one spike where recordings show 0.7, so its amplitude is doubtful.

`calibrated_sensor(s2f.jgcamp8f())` makes a sensor of a set. Its noise is that of the recordings
of the same indicator, as no noise was published with the curves.
"""

from __future__ import annotations

from cleo_like.imaging.calibrated.indicator import CalibratedIndicator
from cleo_like.imaging.calibrated.kernel import Kernel
from cleo_like.imaging.calibrated.response import SigmoidResponse
from cleo_like.imaging.calibrated.table import calibrated_indicator

ZHANG = "S2F model of Zhang et al. 2023, Nature 615:884"
WEI = "S2F model of Wei et al. 2020, PLoS Comput. Biol. 16:e1008198"

# name: source, rise, decays (ms), weights, maximum, midpoint, slope
_SETS: dict[
    str,
    tuple[str, float, tuple[float, ...], tuple[float, ...], tuple[float, float, float]],
] = {
    "gcamp6f": (WEI, 9.98, (682.58,), (1,), (1.905, 3.197, 1.41)),
    "gcamp6f_transgenic": (WEI, 20.82, (629.74,), (1,), (2.818, 5.821, 1.046)),
    "gcamp6s": (WEI, 50.81, (1702.21,), (1,), (3.334, 3.142, 1.332)),
    "gcamp6s_transgenic": (WEI, 133.01, (1262.78,), (1,), (3.596, 3.303, 2.897)),
    "jgcamp7f": (ZHANG, 16.21, (95.27, 398.22), (1, 0.24), (6.841247, 5.562159, 0.423212)),
    "jgcamp8f": (ZHANG, 1.85, (34.07, 263.70), (1, 0.48), (6.104380, 4.170575, 0.390533)),
    "jgcamp8m": (ZHANG, 2.46, (41.64, 245.80), (1, 0.28), (7.454645, 2.691117, 0.360008)),
    "jgcamp8s": (ZHANG, 5.65, (86.26, 465.45), (1, 0.19), (7.455792, 1.282417, 0.343721)),
    "xcamp_gf": (ZHANG, 13.93, (99.38, 312.85), (1, 0.20), (2.363793, 3.936075, 0.471668)),
}

_RECORDED = {"gcamp6f_transgenic": "gcamp6f_emx1", "gcamp6s_transgenic": "gcamp6s_teto"}
"""Indicators whose recordings go by another name than the set."""


def _published(name: str) -> CalibratedIndicator:
    recorded = calibrated_indicator(_RECORDED.get(name, name))
    source, rise, decays, weights, (maximum, midpoint, slope) = _SETS[name]
    return CalibratedIndicator(
        name=f"{name}_s2f",
        kernel=Kernel(
            rise=f"{rise} ms",
            decays=[f"{decay} ms" for decay in decays],
            weights=weights,
            unit_peak=False,
        ),
        response=SigmoidResponse(maximum=maximum, midpoint=midpoint, slope=slope),
        source=f"{source}, read from public code; not fitted here",
        evidence={"noise_30hz": recorded.evidence["noise_30hz"]},
    )


def gcamp6f() -> CalibratedIndicator:
    """GCaMP6f expressed by virus (Wei et al. 2020)."""
    return _published("gcamp6f")


def gcamp6f_transgenic() -> CalibratedIndicator:
    """GCaMP6f of transgenic mice (Wei et al. 2020)."""
    return _published("gcamp6f_transgenic")


def gcamp6s() -> CalibratedIndicator:
    """GCaMP6s expressed by virus (Wei et al. 2020)."""
    return _published("gcamp6s")


def gcamp6s_transgenic() -> CalibratedIndicator:
    """GCaMP6s of transgenic mice (Wei et al. 2020); nearly silent for one spike."""
    return _published("gcamp6s_transgenic")


def jgcamp7f() -> CalibratedIndicator:
    """Give jGCaMP7f (Zhang et al. 2023)."""
    return _published("jgcamp7f")


def jgcamp8f() -> CalibratedIndicator:
    """Give jGCaMP8f (Zhang et al. 2023).

    Examples
    --------
    >>> spike = jgcamp8f().single_spike()
    >>> round(spike.peak, 2), round(spike.half_decay * 1e3)
    (0.48, 39)
    """
    return _published("jgcamp8f")


def jgcamp8m() -> CalibratedIndicator:
    """Give jGCaMP8m (Zhang et al. 2023)."""
    return _published("jgcamp8m")


def jgcamp8s() -> CalibratedIndicator:
    """Give jGCaMP8s (Zhang et al. 2023)."""
    return _published("jgcamp8s")


def xcamp_gf() -> CalibratedIndicator:
    """Give XCaMP-Gf (Zhang et al. 2023); its amplitude is below that of recordings."""
    return _published("xcamp_gf")
