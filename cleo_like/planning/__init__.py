"""Plan an experiment: will a protocol do what it shall, and which one would."""

from cleo_like.planning.check import check
from cleo_like.planning.design import design
from cleo_like.planning.limits import Limits
from cleo_like.planning.outcome import design_text
from cleo_like.planning.report import ProtocolReport, Row
from cleo_like.planning.response import LinearResponse

__all__ = [
    "Limits", "LinearResponse", "ProtocolReport", "Row", "check", "design", "design_text",
]  # fmt: skip
