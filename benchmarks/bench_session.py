"""A session of 30 minutes and 100 cells, end to end: CPU seconds of each part.

The movie is left out. `--files` writes the session too (NWB and parquet) into a temporary folder.
"""

import argparse
import tempfile
import time

import attrs

from cleo_like.sessions import SessionPlan, simulate_session, write_session
from cleo_like.sessions.storage.project import project_tables

LIMIT = 60.0  # s of CPU


class Parts:
    """CPU time between the messages of a simulation."""

    def __init__(self):
        self.seconds, self.name, self.since = {}, "start", time.process_time()

    def __call__(self, what, _share):
        what = what.split(": ")[-1]
        if what != self.name:
            now = time.process_time()
            self.seconds[self.name] = self.seconds.get(self.name, 0.0) + now - self.since
            self.name, self.since = what, now


def all_tables(session):
    """Every table that a notebook asks for."""
    from cleo_like.responses import build_tidy_cell_df

    project_tables(session)
    for experiment in session.experiments.values():
        build_tidy_cell_df(experiment)
        for name in ("cell_specimen_table", "dff_traces", "events", "demixed_traces", "neuropil_traces",
                     "corrected_fluorescence_traces", "motion_correction", "stimulus_presentations",
                     "stimulus_templates", "roi_masks", "tuning", "segmentation_mask_image"):  # fmt: skip
            getattr(experiment, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="half_hour")
    parser.add_argument("--cells", default=None, help="a library cell driven by currents")
    parser.add_argument("--files", action="store_true")
    given = parser.parse_args()
    plan = SessionPlan.preset(given.preset, seed=1)
    if given.cells:
        from cleo_like.sessions import CurrentCells

        cells = CurrentCells(model=given.cells, dt="0.1 ms")
        plan = attrs.evolve(plan, planes=[attrs.evolve(p, cells=cells) for p in plan.planes])
    print(plan)
    began = time.process_time()
    parts = Parts()
    session = simulate_session(plan, progress=parts)
    parts("tables", 1.0)
    all_tables(session)
    parts("end", 1.0)
    total = time.process_time() - began
    for name, seconds in parts.seconds.items():
        print(f"  {name:<14} {seconds:7.2f} s")
    print(f"  {'all':<14} {total:7.2f} s of CPU (limit {LIMIT:g})")
    if given.files:
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            write_session(session, folder)
            print(f"  {'files':<14} {time.process_time() - began:7.2f} s")


if __name__ == "__main__":
    main()
