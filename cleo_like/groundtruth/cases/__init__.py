"""Cases: which cells, protocols and rigs a study plays, read from one file."""

from cleo_like.groundtruth.cases.factors import FACTORS, Factor
from cleo_like.groundtruth.cases.plan import Block, Case, Plan, load_cases, parse_cases

__all__ = ["FACTORS", "Block", "Case", "Factor", "Plan", "load_cases", "parse_cases"]
