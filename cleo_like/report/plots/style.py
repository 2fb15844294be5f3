"""The look of all figures, for those of this room."""

from cleo_like.core.views.style import (
    COMMAND_COLOUR,
    CURRENT_MAP,
    RESPONSE_COLOUR,
    VOLTAGE_MAP,
    house_style,
    sweep_image,
    thinned,
    trace,
)

__all__ = [
    "COMMAND_COLOUR",
    "CURRENT_MAP",
    "RESPONSE_COLOUR",
    "VOLTAGE_MAP",
    "house_style",
    "sweep_image",
    "thinned",
    "trace",
]
