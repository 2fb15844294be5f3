"""The patch part: a photograph drawn by neurons, a step family, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.report.demo.atlas import atlas_part
from cleo_like.report.page import Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.core import Protocol, Recording
    from cleo_like.report.page import Page
    from cleo_like.stimuli import Relief

DRAWING_CELLS = ("rs", "narrow_fs", "passive")
STEP_CELLS = ("rs", "broad_rs", "narrow_fs", "long_latency", "stuttering", "sag")
_ROWS = 64
_STEPS = "long_square amplitudes=-100:400:50pA duration=1s before=0.2s after=0.2s rate=50kHz"


@attrs.frozen(kw_only=True)
class _Drawing:
    """One cell's picture: what was recorded, and the relief of two repeats."""

    label: str
    recording: Recording
    relief: Relief


def patch_part(
    page: Page,
    folder: Path,
    picture: str | Path | None,
    seed: int,
    say: Callable[[str], Any],
    *,
    overwrite: bool,
) -> None:
    """Draw a picture with three cells, record six with steps, and put both on a page.

    Parameters
    ----------
    page : Page
        Grows by the sections of this part.
    folder : Path
        For the files.
    picture : path, optional
        None is a photograph that matplotlib ships.
    seed : int
        Seed of the recording noise.
    say : callable
        Told, line by line, what is being done.
    overwrite : bool
        Whether files of an earlier run may be replaced.
    """
    from cleo_like.io import write
    from cleo_like.report.demo.rig import rig_part

    stimulus = _picture_protocol(picture)
    stimuli = [folder / "stimulus" / f"{stimulus.name}{end}" for end in (".abf", ".atf")]
    for path in stimuli:
        say(f"stimulus   {write(stimulus, path, overwrite=overwrite)}")
    drawings = _draw(stimulus, seed, say)
    steps = _record_steps(seed, say)
    recordings = [*(d.recording for d in drawings), *steps]
    files = _write_all(recordings, folder, say, overwrite=overwrite)
    page.add_text(
        f"A photograph ({stimulus.source}) became {stimulus.n_sweeps} sweeps of current. "
        "Simulated cells drew it with their membrane potential, row by row, and were then "
        "recorded with current steps. pyabf, neo and myokit read the ABF files, pynwb and the "
        "NWB Inspector the NWB files, in the tests; Clampfit was not at hand."
    )
    _add_drawings(page, stimulus, drawings)
    rig_part(page, stimulus, seed, say)
    _add_steps(page, steps)
    atlas_part(page, folder, steps, say, overwrite=overwrite)
    page.add_heading("Files")
    page.add_links([_link(path, folder) for path in stimuli])
    page.add_table(files)


def _picture_protocol(picture: str | Path | None, **changes: Any) -> Protocol:
    from cleo_like.stimuli import from_image

    arguments: dict[str, Any] = {"amplitude": ("-60 pA", "60 pA"), "rows": _ROWS} | changes
    return from_image(
        picture if picture is not None else _photograph(), "1 s", "10 kHz", **arguments
    )


def _photograph() -> Path:
    """Give the path of the portrait of Grace Hopper (public domain) in matplotlib."""
    from matplotlib.cbook import get_sample_data

    return Path(get_sample_data("grace_hopper.jpg", asfileobj=False))


def _draw(stimulus: Protocol, seed: int, say: Callable[[str], Any]) -> list[_Drawing]:
    """Record the picture twice with each cell (the repeat gives the noise ceiling)."""
    from cleo_like.patch import IdealElectrode, record
    from cleo_like.stimuli import relief

    electrode = IdealElectrode(noise="0.2 mV", lowpass="2 kHz")
    say(f"recording  {stimulus.n_sweeps} rows with {', '.join(DRAWING_CELLS)}, twice ...")
    first, again = (
        record(list(DRAWING_CELLS), stimulus, electrode=electrode, seed=s)
        for s in (seed, seed + 1)
    )
    drawings = [
        _Drawing(label=a.cell.id, recording=a, relief=relief(a, repeats=[b]))
        for a, b in zip(first, again, strict=True)
    ]
    for drawing in drawings:
        say(f"relief     {drawing.label}: {drawing.relief!r}")
    return drawings


def _record_steps(seed: int, say: Callable[[str], Any]) -> list[Recording]:
    from cleo_like.patch import IdealElectrode, record
    from cleo_like.stimuli import parse_protocol

    steps = parse_protocol(_STEPS)
    say(f"recording  {steps.n_sweeps} steps with {', '.join(STEP_CELLS)} ...")
    electrode = IdealElectrode(noise="0.05 mV", lowpass="10 kHz")
    found = record(list(STEP_CELLS), steps, electrode=electrode, seed=seed)
    return [attrs.evolve(r, cell=attrs.evolve(r.cell, id=f"{r.cell.id}-steps")) for r in found]


def _write_all(
    recordings: list[Recording],
    folder: Path,
    say: Callable[[str], Any],
    *,
    overwrite: bool,
) -> list[dict[str, Any]]:
    """Write each recording as ABF and NWB; give the rows of the table of files."""
    from cleo_like.io import write_simulated

    rows = []
    folders = {kind: folder / kind for kind in ("abf", "nwb")}
    written = write_simulated(recordings, folders, overwrite=overwrite)
    for recording, (abf, nwb) in zip(recordings, written, strict=True):
        say(f"file       {abf}  {nwb}")
        rows.append(
            {
                "cell": recording.cell.id,
                "ABF": _link(abf, folder),
                "NWB": _link(nwb, folder),
            }
        )
    return rows


def _link(path: Path, folder: Path) -> Link:
    name = path.relative_to(folder).as_posix()
    return Link(text=name, href=name)


def _add_drawings(page: Page, stimulus: Protocol, drawings: list[_Drawing]) -> None:
    from cleo_like.report import protocol_figure, relief_figure

    page.add_heading("A picture, drawn")
    for drawing in drawings:
        page.add_heading(f"Drawn by {drawing.label}", level=3)
        page.add_text(drawing.recording.cell.source or "")
        page.add_figure(
            relief_figure(drawing.relief, drawing.recording),
            caption="Picture, current, relief, the relief as a surface, and the traces.",
            alt=f"The picture drawn by the cell {drawing.label}: {drawing.relief!r}",
            dpi=110,
        )
        page.add_list(drawing.relief.notes)
    page.add_heading("Fidelity")
    page.add_table(
        [_fidelity(d) for d in drawings],
        caption=(
            "Correlation and SSIM (Wang et al. 2004) of the drawn picture with the commanded "
            "one, at no delay and at the best single delay; mean of two recordings."
        ),
        digits=3,
    )
    page.add_heading("Stimulus")
    page.add_figure(
        protocol_figure(stimulus), caption="The picture as current, one sweep per row.", dpi=110
    )


def _add_steps(page: Page, steps: list[Recording]) -> None:
    from cleo_like.report import cells_figure

    page.add_heading("Current steps")
    page.add_table(
        [row for r in steps for row in _answers(r)],
        caption=(
            "What the equations give, and what the analysis measured from the noisy files' "
            "steps (rheobase is measured on a ladder of 50 pA), and the difference."
        ),
        digits=1,
    )
    page.add_figure(
        cells_figure(steps),
        caption="Strongest step, first step with a spike, and all steps without, of each cell.",
        dpi=110,
    )
    page.add_list(f"{r.cell.id.removesuffix('-steps')}: {r.cell.source}" for r in steps)


def _fidelity(drawing: _Drawing) -> dict[str, Any]:
    found, truth = drawing.relief, drawing.recording.truth
    return {
        "cell": drawing.label,
        "correlation": found.correlation,
        "SSIM": found.ssim,
        "best delay (ms)": f"{found.lag * 1e3:.1f}",
        "correlation there": found.best.correlation,
        "SSIM there": found.best.ssim,
        "error (mV)": found.best.rmse * 1e3,
        "noise ceiling": found.noise_ceiling,
        "spikes": 0 if truth is None else int(truth.spike_counts.sum()),
    }


def _answers(recording: Recording) -> list[dict[str, Any]]:
    """Known answers of one cell beside what the analysis measured, in lab units."""
    from cleo_like.cells import get_cell, rheobase
    from cleo_like.features.registry import cell_features

    truth, measured = recording.truth, cell_features(recording).values
    if truth is None:  # every simulated recording has one
        return []
    name = recording.cell.id.removesuffix("-steps")
    known = truth.answers
    rows = [
        ("resting potential (mV)", known["resting_potential"] * 1e3, "v_baseline"),
        ("input resistance (MOhm)", known["input_resistance"] / 1e6, _STEADY),
        ("capacitance (pF)", known["capacitance"] * 1e12, "capacitance"),
        ("rheobase (pA)", rheobase(get_cell(name)) * 1e12, "rheobase_i"),
        ("spikes per s at 400 pA", float(truth.spike_counts[-1]), "max_rate"),
    ]
    return [
        {
            "cell": name,
            "quantity": what,
            "known": value,
            "measured": found,
            "error": found - value,
        }
        for what, value, key in rows
        for found in (float(measured.get(key, float("nan"))),)
    ]


_STEADY = "steady_state_input_resistance"
