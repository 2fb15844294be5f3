"""Which sweeps are which protocol: epochs, families, verdicts with reasons."""

from cleo_like.matching.match import match, match_arrays
from cleo_like.matching.seed import get_stim_characteristics, match_long_square_protocol
from cleo_like.matching.verdict import Match, SweepVerdict

__all__ = [
    "Match",
    "SweepVerdict",
    "get_stim_characteristics",
    "match",
    "match_arrays",
    "match_long_square_protocol",
]
