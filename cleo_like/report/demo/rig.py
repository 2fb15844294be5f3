"""The rig part: a designed picture beside the direct one, and a spike through rigs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core import Protocol
    from cleo_like.report.page import Page

_CELL = "passive"
_PEAK = 2.2
"""Largest current of the design over the picture's: 20 ms then follow to about 30 Hz."""
_STEP = "long_square amplitudes=600pA duration=50ms before=20ms after=20ms rate=50kHz"
_RIGS: dict[str, dict[str, Any]] = {
    "10 MOhm, balanced, 90 % neutralised": {},
    "not neutralised": {"neutralisation": 0.0},
    "20 MOhm, not neutralised": {"access_resistance": "20 Mohm", "neutralisation": 0.0},
    "bridge 5 MOhm short": {"bridge": "5 Mohm"},
}


def rig_part(page: Page, stimulus: Protocol, seed: int, say: Callable[[str], Any]) -> None:
    """Add the designed relief and the artefacts of a rig to a page.

    Parameters
    ----------
    page : Page
        Grows.
    stimulus : Protocol
        The picture, as it was drawn directly.
    seed : int
        Of the recording noise.
    say : callable
        Told, line by line, what is being done.
    """
    _add_design(page, stimulus, seed, say)
    _add_artefacts(page, seed, say)


def _add_design(page: Page, stimulus: Protocol, seed: int, say: Callable[[str], Any]) -> None:
    from cleo_like.patch import record, rig_preset
    from cleo_like.planning import Limits, design, design_text
    from cleo_like.report.plots.relief import relief_figure
    from cleo_like.stimuli import relief

    rig = rig_preset("multiclamp_700b", lowpass="2 kHz")
    peak = abs(stimulus.waveforms - stimulus.holding).max() * _PEAK
    say(f"design     {_CELL}, through the rig, at most {peak * 1e12:.0f} pA ...")
    made = design(stimulus, _CELL, Limits(peak=f"{peak} A"), electrode=rig, seed=seed)
    for line in design_text(made).splitlines():
        say(f"           {line}")
    page.add_heading("Designed for the membrane")
    page.add_text(
        f"The same picture for the cell {_CELL}, through a simulated MultiClamp 700B: as it "
        "is, and as the current within a limit whose response is closest to it. The "
        "impedance was measured through the rig."
    )
    for name, played in (("direct", stimulus), ("designed", made)):
        (recording,) = record(_CELL, played, electrode=rig, seed=seed, progress=False)
        found = relief(recording)
        page.add_heading(f"Through the rig, {name}", level=3)
        page.add_figure(
            relief_figure(found, recording),
            caption=f"{found!r}",
            alt=f"The picture drawn {name} through a rig: {found!r}",
            dpi=100,
        )


def _add_artefacts(page: Page, seed: int, say: Callable[[str], Any]) -> None:
    from cleo_like.patch import IdealElectrode, record, rig_preset
    from cleo_like.report.plots.rig import artefact_figure
    from cleo_like.stimuli import parse_protocol

    say("rig        one spike through five rigs ...")
    step = parse_protocol(_STEP)
    rigs: dict[str, Any] = {"ideal": IdealElectrode()} | {
        name: rig_preset("multiclamp_700b", **changes) for name, changes in _RIGS.items()
    }
    recordings = {
        name: record("rs", step, electrode=rig, seed=seed, progress=False)[0]
        for name, rig in rigs.items()
    }
    page.add_heading("What a rig does to a spike")
    page.add_figure(
        artefact_figure(recordings),
        caption=(
            "The same cell and step of 600 pA. The pipette's capacitance loads the cell and "
            "slows its spike; a bridge that is 5 MOhm short adds 3 mV to everything."
        ),
        alt="A step of current and the first spike as five rigs record them.",
        dpi=110,
    )
