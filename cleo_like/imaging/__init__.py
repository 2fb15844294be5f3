"""Two-photon imaging: a scope, sensors, and the indicators of Cleo."""

from cleo_like.imaging import calibrated
from cleo_like.imaging.events import EventDriven, Kinetics, dff_of_spikes
from cleo_like.imaging.optics import Optics
from cleo_like.imaging.plane import target_neurons_in_plane
from cleo_like.imaging.scope import Scope
from cleo_like.imaging.sensors.cleo import (
    gcamp3,
    gcamp6_rs06,
    gcamp6_rs09,
    gcamp6f,
    gcamp6rs06,
    gcamp6rs09,
    gcamp6s,
    geci,
    jgcamp7b,
    jgcamp7c,
    jgcamp7f,
    jgcamp7s,
    ogb1,
    ogb_1,
)
from cleo_like.imaging.sensors.cleo_table import INDICATORS, Indicator
from cleo_like.imaging.sensors.parts import (
    CalBindingActivationModel,
    CalciumModel,
    DoubExpCalBindingActivation,
    DynamicCalcium,
    ExcitationModel,
    LightExcitation,
    NullBindingActivation,
    NullExcitation,
    PreexistingCalcium,
)
from cleo_like.imaging.sensors.sensor import GECI, Sensor

__all__ = [
    "GECI",
    "INDICATORS",
    "CalBindingActivationModel",
    "CalciumModel",
    "DoubExpCalBindingActivation",
    "DynamicCalcium",
    "EventDriven",
    "ExcitationModel",
    "Indicator",
    "Kinetics",
    "LightExcitation",
    "NullBindingActivation",
    "NullExcitation",
    "Optics",
    "PreexistingCalcium",
    "Scope",
    "Sensor",
    "calibrated",
    "dff_of_spikes",
    "gcamp3",
    "gcamp6_rs06",
    "gcamp6_rs09",
    "gcamp6f",
    "gcamp6rs06",
    "gcamp6rs09",
    "gcamp6s",
    "geci",
    "jgcamp7b",
    "jgcamp7c",
    "jgcamp7f",
    "jgcamp7s",
    "ogb1",
    "ogb_1",
    "target_neurons_in_plane",
]
