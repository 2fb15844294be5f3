"""What can differ between two imaging cases: every factor with its unit, range and default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.groundtruth.cases.factors import Factor
from cleo_like.imaging.calibrated.table import calibrated_names

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIMES = ("sparse", "poisson", "bursty", "high_rate")
"""How cells fire: see `calcium.trains`."""
NONE, RECORDED, STRONG = "none", "recorded", "strong"
_SIZES = (NONE, RECORDED, STRONG)

FACTORS: Mapping[str, Factor] = {
    "indicator": Factor(
        meaning="calibrated indicator", default="gcamp6f", choices=calibrated_names()
    ),
    "regime": Factor(meaning="how the cells fire", default="poisson", choices=REGIMES),
    "cells": Factor(meaning="cells of a recording", default=8.0, low=1.0, high=1e4, whole=True),
    "duration": Factor(meaning="length", default=120.0, unit="s", low=10.0, high=1e5),
    "frame_rate": Factor(meaning="frames", default=30.0, unit="Hz", low=1.0, high=1e3),
    "noise": Factor(
        meaning="noise in silence, in that of the recordings of the indicator", default=1.0,
        high=100.0,
    ),
    "photons": Factor(
        meaning="photons of a cell at rest in 1/30 s, which then make the white noise; "
        "0: white noise as recorded", default=0.0, high=1e9,
    ),
    "noise_colour": Factor(
        meaning="white and slow, as recorded, or white of the same size in a frame",
        default=RECORDED, choices=("white", RECORDED),
    ),
    "drift": Factor(
        meaning="changes slower than a minute: none, as recorded, or of a single spike's size",
        default=RECORDED, choices=_SIZES,
    ),
    "bursts": Factor(
        meaning="spread of the gain of bursts: none, as recorded, or the largest recorded (.5)",
        default=RECORDED, choices=_SIZES,
    ),
    "gain_and_noise": Factor(
        meaning="gain and noise of a cell: one factor as recorded, or independent",
        default="joint", choices=("joint", "independent"),
    ),
    "neuropil": Factor(
        meaning="neuropil that is left, in SDs of the cell's own signal", default=0.0, high=10.0
    ),
    "motion": Factor(
        meaning="SD of the brightness while the brain moves (a fifth of the time)",
        default=0.0, high=1.0,
    ),
}  # fmt: skip
"""Every factor of an imaging case."""

RIG = (
    "frame_rate", "noise", "photons", "noise_colour", "drift", "neuropil", "motion",
)  # fmt: skip
"""Factors that change the recording and leave spikes and indicator as they are."""
