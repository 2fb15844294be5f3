"""Plan an experiment: will a protocol do what it shall, and which one would."""

from cleo_like.planning.design import Limits, design, design_text
from cleo_like.planning.response import LinearResponse

__all__ = ["Limits", "LinearResponse", "design", "design_text"]
