"""The explorer: a map of cells as one HTML file that needs no server and no network."""

from cleo_like.report.explorer.page import explore

__all__ = ["explore"]
