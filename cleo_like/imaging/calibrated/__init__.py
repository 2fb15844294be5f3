"""Indicators calibrated on paired recordings: spikes in, (F - F0)/F0 out.

Every number is in one table with its range over folds, and every indicator says how well it
predicts cells that its fit did not see. `s2f` holds published parameter sets instead.
"""

from cleo_like.imaging.calibrated import s2f
from cleo_like.imaging.calibrated.factories import (
    Options,
    cal520,
    calibrated_sensor,
    gcamp5k,
    gcamp6f,
    gcamp6f_emx1,
    gcamp6f_pv,
    gcamp6f_sst,
    gcamp6s,
    gcamp6s_teto,
    jgcamp7f,
    jgcamp8f,
    jgcamp8m,
    jgcamp8s,
    jrcamp1a,
    jrgeco1a,
    ogb1,
    xcamp_gf,
)
from cleo_like.imaging.calibrated.indicator import (
    CalibratedIndicator,
    ExtrapolationWarning,
)
from cleo_like.imaging.calibrated.kernel import Kernel
from cleo_like.imaging.calibrated.online import OnlineCells
from cleo_like.imaging.calibrated.population import CellFactors, RecordingNoise, Variability
from cleo_like.imaging.calibrated.response import HillResponse, SigmoidResponse
from cleo_like.imaging.calibrated.sensor import CalibratedSensor
from cleo_like.imaging.calibrated.table import calibrated_indicator, calibrated_names
from cleo_like.imaging.events.single_spike import SingleSpike

__all__ = [
    "CalibratedIndicator",
    "CalibratedSensor",
    "CellFactors",
    "ExtrapolationWarning",
    "HillResponse",
    "Kernel",
    "OnlineCells",
    "Options",
    "RecordingNoise",
    "SigmoidResponse",
    "SingleSpike",
    "Variability",
    "cal520",
    "calibrated_indicator",
    "calibrated_names",
    "calibrated_sensor",
    "gcamp5k",
    "gcamp6f",
    "gcamp6f_emx1",
    "gcamp6f_pv",
    "gcamp6f_sst",
    "gcamp6s",
    "gcamp6s_teto",
    "jgcamp7f",
    "jgcamp8f",
    "jgcamp8m",
    "jgcamp8s",
    "jrcamp1a",
    "jrgeco1a",
    "ogb1",
    "s2f",
    "xcamp_gf",
]
