"""The ranking of methods on real recordings, and as simulations of populations predict it."""

from cleo_like.groundtruth.calcium.ranking.agreement import POOLED, REAL
from cleo_like.groundtruth.calcium.ranking.blame import verdict
from cleo_like.groundtruth.calcium.ranking.simulate import (
    CLEO,
    MAIN,
    POPULATION,
    STAGES,
    TRAINS,
)
from cleo_like.groundtruth.calcium.ranking.study import (
    RANKED,
    Ranking,
    calcium_ranking,
    read_ranking,
)

__all__ = [
    "CLEO", "MAIN", "POOLED", "POPULATION", "RANKED", "REAL", "STAGES", "TRAINS", "Ranking",
    "calcium_ranking", "read_ranking", "verdict",
]  # fmt: skip
