"""Extractors: what they give, which there are, and one recording through one of them."""

from cleo_like.features.registry.extracted import Extracted, check_rows
from cleo_like.features.registry.matched import cell_features, matched_stack, window_of
from cleo_like.features.registry.named import (
    Extractor,
    ExtractorLike,
    efel,
    extractor_name,
    extractor_named,
    installed,
    ipfx,
    native,
    of_cell,
)
from cleo_like.features.registry.run import run_extractor

__all__ = [
    "Extracted",
    "Extractor",
    "ExtractorLike",
    "cell_features",
    "check_rows",
    "efel",
    "extractor_name",
    "extractor_named",
    "installed",
    "ipfx",
    "matched_stack",
    "native",
    "of_cell",
    "run_extractor",
    "window_of",
]
