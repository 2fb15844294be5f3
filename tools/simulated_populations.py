"""Measure populations of library cells: the table behind the default map of simulated cells.

python tools/simulated_populations.py simulated.csv --cells 12
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cleo_like.cells import Population, get_cell
from cleo_like.features import FeatureTable, extract
from cleo_like.patch import record
from cleo_like.stimuli import parse_protocol

KINDS = ("rs", "broad_rs", "narrow_fs", "long_latency", "stuttering", "sag")
SPREAD = {"gL": 0.25, "C": 0.15}
LADDER = "long_square amplitudes=-100:460:20pA duration=1s before=0.2s after=0.2s rate=50kHz"


def main() -> None:
    """Record, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--cells", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    protocol = parse_protocol(LADDER)
    tables = []
    for number, kind in enumerate(KINDS):
        cells = Population.draw(get_cell(kind), told.cells, SPREAD, seed=told.seed + number)
        table = extract(record([cells], protocol, seed=told.seed), progress=False)
        tables.append(table)
        print(kind, (table["status"] == "ok").sum(), "cells", flush=True)
    FeatureTable.join(tables).write(told.out, overwrite=True)


if __name__ == "__main__":
    main()
