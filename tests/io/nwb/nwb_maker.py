"""NWB files as other makers write them, small, with known contents."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pynwb
from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries, SweepTable

RATE = 20_000.0
PAIRINGS = ("recordings table", "sweep table", "sweep numbers", "start times")


class Maker:
    """Twelve sweeps per electrode; sweep k commands 10*(k+1) pA and answers -70+k mV.

    Names run __1 ... __12, so that sorting them by text would pair the wrong ones, and the
    stimuli are added in another order than the responses.
    """

    def __init__(self, electrodes=("e1",), **options):
        self.options = {"volts": {}, "amperes": {}, "n_samples": 100} | options
        self.file = pynwb.NWBFile(
            session_description="made for a test",
            identifier="x",
            session_start_time=datetime(2020, 1, 2, tzinfo=UTC),
        )
        device = self.file.create_device(name="rig")
        self.electrodes = [
            self.file.create_icephys_electrode(name=n, device=device, description="d")
            for n in electrodes
        ]

    def response(self, electrode, k, **fields):
        n = self.options["n_samples"]
        values = np.full(n, -70.0 + k + 100 * self.electrodes.index(electrode) / 10)
        made = {"data": values, "conversion": 1e-3} | self.options["volts"] | fields
        return CurrentClampSeries(
            name=f"{electrode.name}__{k + 1}",
            electrode=electrode,
            gain=7.0,
            **self.time(k),
            **made,
        )

    def stimulus(self, electrode, k, **fields):
        sign = 1 - 2 * self.electrodes.index(electrode)
        values = np.full(self.options["n_samples"], sign * 10.0 * (k + 1))
        made = {"data": values, "conversion": 1e-12} | self.options["amperes"] | fields
        return CurrentClampStimulusSeries(
            name=f"{electrode.name}_stim__{k + 1}",
            electrode=electrode,
            gain=3.0,
            **self.time(k),
            **made,
        )

    def time(self, k):
        return {"rate": RATE, "starting_time": 0.5 * k}

    def save(self, path):
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(self.file, cache_spec=False)
        return path


def build(path, pairing, electrodes=("e1",), n_sweeps=12, **options):
    maker = Maker(electrodes, **options)
    numbered = pairing in ("sweep table", "sweep numbers")
    table = None
    if pairing == "sweep table":
        table = SweepTable.__new__(SweepTable, parent=maker.file, in_construct_mode=True)
        table.__init__(name="sweep_table")
    order = np.random.default_rng(3).permutation(n_sweeps)
    for electrode in maker.electrodes:
        extra = [{"sweep_number": np.uint32(k)} if numbered else {} for k in range(n_sweeps)]
        responses = [maker.response(electrode, k, **extra[k]) for k in range(n_sweeps)]
        stimuli = {int(k): maker.stimulus(electrode, int(k), **extra[k]) for k in order}
        if pairing == "recordings table":
            for k in range(n_sweeps):
                maker.file.add_intracellular_recording(
                    electrode=electrode, response=responses[k], stimulus=stimuli[k]
                )
            continue
        for series in responses:
            maker.file.add_acquisition(series)
        for series in stimuli.values():
            maker.file.add_stimulus(series)
        for series in [*stimuli.values(), *responses] if table is not None else []:
            table.add_entry(series)
    if table is not None:
        table._in_construct_mode = False
        maker.file.sweep_table = table
    return maker.save(path)
