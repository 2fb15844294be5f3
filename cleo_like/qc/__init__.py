"""Quality control: a verdict with a reason for every criterion of every sweep and cell.

Nothing is dropped: a criterion that cannot be judged is "unknown" and says why, one that
fails stays in the table with its value and its limits.
"""

from cleo_like.qc.quality import quality
from cleo_like.qc.ranges import quick_qc, range_checks, range_table
from cleo_like.qc.verdicts import ALLEN, PRESETS, CellQC, Check, Criteria, SweepQC

__all__ = [
    "ALLEN",
    "PRESETS",
    "CellQC",
    "Check",
    "Criteria",
    "SweepQC",
    "quality",
    "quick_qc",
    "range_checks",
    "range_table",
]
