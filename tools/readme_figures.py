"""Draw the pictures of the README and of the landing page: ``python tools/readme_figures.py``.

Each is written small (a palette of 256 colours, at most 200 kB) into docs/images.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.cbook import get_sample_data
from PIL import Image

import cleo_like as cl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUT = Path(__file__).parents[1] / "docs" / "images"
LARGEST = 200_000
"""Bytes of one picture."""


def save(figure: Figure, name: str, dpi: int = 100) -> None:
    """Write a figure with a palette."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    drawn = Image.open(buffer).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    path = OUT / f"{name}.png"
    drawn.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1e3:.0f} kB")
    if size > LARGEST:
        raise SystemExit(f"{path.name} is too heavy")


def relief_picture() -> Figure:
    """Draw a photograph with a regular-spiking cell, designed for its membrane."""
    from cleo_like.report import relief_figure

    photo = get_sample_data("grace_hopper.jpg", asfileobj=False)
    stimulus = cl.from_image(photo, "1 s", "10 kHz", amplitude=("-60 pA", "60 pA"), rows=64)
    electrode = cl.IdealElectrode(noise="0.2 mV", lowpass="2 kHz")
    (recording,) = cl.record("rs", stimulus, electrode=electrode, seed=1)
    return relief_figure(cl.relief(recording), recording)


def loop_picture() -> Figure:
    """Draw the population that is held in closed loop."""
    from cleo_like.report.demo.closed_loop import run_loop
    from cleo_like.report.plots.loop import loop_figure

    run = run_loop(1)
    return loop_figure(
        run.held, run.alone, target=run.target, signal=(run.signal_times, run.signal)
    )


def atlas_picture() -> Figure:
    """Draw the map of simulated populations."""
    import cleo_like.atlas as at
    from cleo_like.report.plots.atlas import atlas_figure

    return atlas_figure(at.simulated_atlas())


def groundtruth_picture() -> Figure:
    """Draw bias against noise, from the quick study that comes with the package."""
    from cleo_like.report.plots.groundtruth import packaged_figure

    return packaged_figure()


FIGURES = {
    "relief": relief_picture,
    "closed_loop": loop_picture,
    "atlas": atlas_picture,
    "groundtruth": groundtruth_picture,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        save(FIGURES[name](), name)
