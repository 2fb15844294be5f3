"""The report of one relief: figures and numbers on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.report.page import Page
from cleo_like.report.plots.relief import comparison_figure, relief_figure

if TYPE_CHECKING:
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.recording import Recording
    from cleo_like.stimuli.images.relief import Agreement, Relief


def relief_page(
    relief: Relief, recording: Recording, *, protocol: Protocol | None = None
) -> Page:
    """Put a relief, its numbers and how it was made on a page.

    Parameters
    ----------
    relief : Relief
        What `stimuli.relief` found.
    recording : Recording
        The recording it was found in.
    protocol : Protocol, optional
        The picture protocol; None is `recording.protocol`.

    Returns
    -------
    Page
        To be saved, or added to.
    """
    from cleo_like.stimuli import protocol_summary

    figure = relief_figure(relief, recording, protocol=protocol)
    used = protocol if protocol is not None else recording.protocol
    rows, columns = relief.picture.shape
    page = Page(f"Relief of {used.name if used is not None else 'a picture'}")
    page.add_text(
        f"{rows} rows of {columns} columns, drawn by the membrane potential of "
        f"{recording.cell.id}, one sweep per row."
    )
    page.add_figure(
        figure,
        caption="Picture, current, relief (mean potential of each column), and all rows.",
        alt=(
            f"The picture, the current, and the potential as image, surface and traces. "
            f"Correlation {relief.correlation:.3f}."
        ),
    )
    page.add_heading("Fidelity")
    page.add_table(
        [_row("as recorded", relief.direct), _row("at the best delay", relief.best)],
        caption="SSIM after Wang et al. 2004; RMSE is what a linear picture leaves.",
    )
    page.add_figure(
        comparison_figure(relief),
        caption="The relief in grey values of the picture, without and with the best delay.",
    )
    page.add_table(
        {
            "recordings averaged": relief.repeats,
            "correlation between recordings": relief.repeat_correlation,
            "noise ceiling of the correlation": relief.noise_ceiling,
        }
    )
    page.add_list(relief.notes)
    if used is not None:
        numbers = protocol_summary(used)
        page.add_heading("Stimulus")
        page.add_table(
            {
                "sweeps": numbers["n_sweeps"],
                "length of a sweep (ms)": numbers["sweep_duration"] * 1e3,
                "total time (s)": numbers["total_duration"],
                "lowest current (pA)": numbers["minimum"] * 1e12,
                "highest current (pA)": numbers["maximum"] * 1e12,
                "steepest change (pA/ms)": numbers["slew"] * 1e9,
                "largest charge of a sweep (pC)": numbers["charge"] * 1e12,
                "source": used.source,
            }
        )
    return page


def _row(name: str, agreement: Agreement) -> dict[str, object]:
    return {
        "relief": name,
        "delay (ms)": agreement.lag * 1e3,
        "correlation": agreement.correlation,
        "SSIM": agreement.ssim,
        "RMSE (mV)": agreement.rmse * 1e3,
    }
