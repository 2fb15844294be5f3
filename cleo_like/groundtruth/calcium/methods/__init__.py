"""Methods that infer spikes from calcium traces, behind one protocol (see `answer`)."""

from cleo_like.groundtruth.calcium.methods.answer import read_answer
from cleo_like.groundtruth.calcium.methods.outside import calcium_command
from cleo_like.groundtruth.calcium.methods.registry import (
    CALCIUM,
    MEANING,
    calcium_function,
    calcium_method,
    calcium_method_of,
)

__all__ = [
    "CALCIUM", "MEANING", "calcium_command", "calcium_function", "calcium_method",
    "calcium_method_of", "read_answer",
]  # fmt: skip
