"""For people: figures and the self-contained page."""

from cleo_like.core.views.protocols import protocol_figure
from cleo_like.core.views.sweeps import family_figure, sweep_figure
from cleo_like.report.page import Page
from cleo_like.report.plots.cells import cells_figure
from cleo_like.report.plots.imaging import imaging_figure
from cleo_like.report.plots.loop import loop_figure
from cleo_like.report.plots.relief import comparison_figure, relief_figure
from cleo_like.report.plots.rig import artefact_figure, current_voltage_figure
from cleo_like.report.protocol_page import protocol_page
from cleo_like.report.relief_page import relief_page
from cleo_like.report.versions import show_versions

__all__ = [
    "Page",
    "artefact_figure",
    "cells_figure",
    "comparison_figure",
    "current_voltage_figure",
    "family_figure",
    "imaging_figure",
    "loop_figure",
    "protocol_figure",
    "protocol_page",
    "relief_figure",
    "relief_page",
    "show_versions",
    "sweep_figure",
]
