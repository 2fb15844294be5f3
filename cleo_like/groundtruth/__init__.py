"""Which extractor is right, and by how much, where the answer is known.

`run_study` plays cases (cells x protocols x rigs x seeds) whose truth is known, asks
extractors, and scores them; `advise` says which features of a real file to trust. The cases
are patch-clamp recordings or calcium imaging, which has its chain, methods and scores in
`calcium` and shares cases files, folder, guard, bootstrap and page; `calcium_ranking` asks
whether simulations rank methods as real recordings do.
"""

from cleo_like.groundtruth.added import add_command, added_methods
from cleo_like.groundtruth.advise import Advice, Conditions, advise, recording_conditions
from cleo_like.groundtruth.calcium.methods import (
    CALCIUM,
    calcium_command,
    calcium_function,
    calcium_method,
)
from cleo_like.groundtruth.calcium.ranking import Ranking, calcium_ranking
from cleo_like.groundtruth.calcium.results import CalciumStudy
from cleo_like.groundtruth.cases import FACTORS, Case, Plan, load_cases, parse_cases
from cleo_like.groundtruth.extractors import (
    OWN,
    Method,
    Outcome,
    command_method,
    method_named,
    of_function,
)
from cleo_like.groundtruth.results import Study, score_study
from cleo_like.groundtruth.scores.paired import summary
from cleo_like.groundtruth.scoring import score_features, score_spikes
from cleo_like.groundtruth.study import plan_of, results_of, run_study

__all__ = [
    "CALCIUM", "FACTORS", "OWN", "Advice", "CalciumStudy", "Case", "Conditions", "Method",
    "Outcome", "Plan", "Ranking", "Study", "add_command", "added_methods", "advise",
    "calcium_command", "calcium_function", "calcium_method", "calcium_ranking",
    "command_method", "load_cases", "method_named", "of_function", "parse_cases", "plan_of",
    "recording_conditions", "results_of", "run_study", "score_features", "score_spikes",
    "score_study", "summary",
]  # fmt: skip
