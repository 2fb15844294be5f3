"""The page of a protocol report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cleo_like.core.views.protocols import protocol_figure
from cleo_like.report.page import Page

if TYPE_CHECKING:
    from cleo_like.core import Protocol
    from cleo_like.planning import ProtocolReport

_COLUMNS = ("verdict", "question", "finding", "limit", "source", "what to change")


def protocol_page(report: ProtocolReport, protocol: Protocol | None = None) -> Page:
    """Make one page of a report.

    Parameters
    ----------
    report : ProtocolReport
        What `cleo_like.planning.check` gave.
    protocol : Protocol, optional
        Adds a figure of the command.
    """
    page = Page(f"Protocol check: {report.verdict}")
    page.add_text(f"{report.protocol}\n\nRig: {report.rig}\n\nCells: {', '.join(report.cells)}")
    rows = [
        dict(
            zip(
                _COLUMNS,
                (
                    row.verdict, row.name, row.text, row.limit, row.source,
                    "" if row.verdict in ("green", "not judged") else row.advice,
                ),
                strict=True,
            )
        )
        for row in report.rows
    ]  # fmt: skip
    page.add_table(rows, columns=_COLUMNS)
    if protocol is not None:
        page.add_heading("Command")
        page.add_figure(protocol_figure(protocol), caption="Every sweep.", dpi=110)
    return page
