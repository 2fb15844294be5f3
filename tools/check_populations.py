"""Do simulated cells look like recorded ones? 200 of each indicator, beside those of the table.

``python tools/check_populations.py [NAME ...]``; needs no recordings, as the table holds what
each recorded cell showed. Every recorded cell is left out in turn of what makes the simulated
cells that stand for it: spreads, noise and gain are those of the others (kinetics are the
table's own). Simulated cells have the numbers of isolated spikes and the frames of recorded
ones, and are measured in the same way. As few cells as were recorded scatter: what so many of
the simulated ones give, drawn again and again, is stated as an interval (90 %), with a star
where the recorded value lies outside.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import cell_statistics as stats
import numpy as np
from fit_indicators import known_entries
from isolated_events import Recording, average_of, peak_and_half_decay, smoothed

from cleo_like.core.files import atomic_path
from cleo_like.imaging.calibrated import RecordingNoise, Variability, calibrated_indicator

if TYPE_CHECKING:
    from collections.abc import Callable

    from cleo_like.imaging.calibrated import CalibratedIndicator

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "populations.png"
CELLS = 200
APART = 4.5
"""Time between the isolated spikes of simulated cells (s)."""
SILENT_RATE = 15.0
SILENT_SECONDS = 300.0
COLUMNS = ("peak", "half_decay", "snr", "noise", "silent_variance")
DRAWS = 1000


def without(
    cells: list[stats.CellStatistics],
    held: int,
    entry: dict[str, Any],
    common: dict[str, float],
) -> CalibratedIndicator:
    """Make the indicator whose population numbers are those of the other cells."""
    others = [c for i, c in enumerate(cells) if i != held]
    own = [d for i, d in enumerate(entry["evidence"]["durations"]) if i != held]
    values = stats.describe(others, own, common, intervals=False)
    spread, noise = (
        {name: one["value"] for name, one in values[part].items()}
        for part in ("variability", "noise")
    )
    same_set = [c for c in others if c.folder == cells[held].folder] or others
    indicator = calibrated_indicator(str(entry["name"]))
    return attrs.evolve(
        indicator,
        response=attrs.evolve(
            indicator.response,
            single_spike=stats.set_gain(same_set),
            ceiling=np.inf,
        ),
        variability=Variability(**spread),
        noise=RecordingNoise(
            white=noise["white_30hz"] / np.sqrt(stats.STATED_RATE),
            slow=noise["slow"],
            slow_time=f"{noise['slow_time']} s",
            drift=noise["drift"],
        ),
    )


def simulated(
    indicator: CalibratedIndicator,
    like: list[stats.CellStatistics],
    n: int,
    rng: np.random.Generator,
) -> list[list[float]]:
    """Simulate cells and measure them as the recorded ones were: rows of `COLUMNS`."""
    cells = indicator.draw_cells(n, rng)
    quiet = indicator.noise.draw(
        np.arange(1, int(SILENT_SECONDS * SILENT_RATE) + 1) / SILENT_RATE, cells.noise, rng
    )
    rows = []
    for i in range(n):
        model = like[rng.integers(len(like))]
        events = max(int(model.events), 3)
        frames = np.arange(1, int((events + 1.1) * APART * model.rate)) / model.rate
        # a spike comes anywhere in a frame
        spikes = APART * np.arange(1, events + 1) + rng.uniform(0, 1 / model.rate, events)
        traces = indicator.traces(
            spikes, np.zeros(events, int), frames, rng, cells=cells.take([i])
        )
        y = traces.fluorescence[0]
        noise = np.median(np.abs(np.diff(y))) / (0.6745 * np.sqrt(2) * np.sqrt(model.rate))
        one = average_of([Recording(t=frames, y=y, spikes=spikes)], 1)
        peak, half = peak_and_half_decay(smoothed(one.average)) if one else (np.nan,) * 2
        rows.append([peak, half, peak / noise, noise, float(np.var(quiet[i]))])
    return rows


def recorded(cells: list[stats.CellStatistics]) -> np.ndarray:
    """Rows of `COLUMNS` of the recorded cells."""
    return np.array(
        [[c.peak, c.half_decay, c.peak / c.noise, c.noise, c.silent_variance] for c in cells]
    )


def quartile_ratio(values: np.ndarray) -> float:
    """Third quartile over the first."""
    known = values[np.isfinite(values) & (values > 0)]
    if len(known) < 3:
        return np.nan
    low, high = np.percentile(known, [25, 75])
    return float(high / low)


def medians(values: np.ndarray, folders: np.ndarray) -> np.ndarray:
    """Median of the set of each cell."""
    return np.array([np.nanmedian(values[folders == name]) for name in folders])


def log_correlation(rows: np.ndarray, folders: np.ndarray) -> float:
    """Correlation of the logarithms of the size of one spike and of noise."""
    pairs = rows[:, [0, 3]]
    known = np.isfinite(pairs).all(axis=1) & (pairs > 0).all(axis=1)
    if known.sum() < 3:
        return np.nan
    logs = np.log(pairs[known])
    return stats.correlation(
        np.stack([stats.centred(x, folders[known]) for x in logs.T], axis=1)
    )


def snr_ratio(rows: np.ndarray, folders: np.ndarray) -> float:
    """Third quartile of the SNR over the first, each cell over the median of its set."""
    return quartile_ratio(rows[:, 2] / medians(rows[:, 2], folders))


STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "peak": lambda rows, _: float(np.nanmedian(rows[:, 0])),
    "half_decay": lambda rows, _: float(np.nanmedian(rows[:, 1])),
    "snr": snr_ratio,
    "shared": log_correlation,
    "silence": lambda rows, _: float(np.nanmedian(rows[:, 4])),
}
"""What is compared, of rows of `COLUMNS` and the set of each cell."""
NEEDS = {"peak": 0, "half_decay": 1, "snr": 2, "shared": 2, "silence": 4}
"""Column that a recorded cell must have to count."""


def beside(
    mine: np.ndarray, who: np.ndarray, theirs: np.ndarray, folders: np.ndarray
) -> dict[str, tuple[float, float, float, float]]:
    """Give simulated, recorded, and the interval of as many simulated cells as were recorded.

    `who` says for which recorded cell each simulated one stands; those of cells that lack what
    a statistic needs are left out on both sides.
    """
    rng = np.random.default_rng(2)
    found = {}
    for name, statistic in STATISTICS.items():
        known = np.isfinite(theirs[:, NEEDS[name]])
        rows, sets = mine[known[who]], folders[who[known[who]]]
        if not known.any():
            found[name] = (np.nan,) * 4
            continue
        draws = []
        for _ in range(DRAWS):
            taken = [
                rng.choice(np.flatnonzero(sets == one), (folders[known] == one).sum())
                for one in np.unique(folders[known])
            ]
            some = np.concatenate(taken)
            draws.append(statistic(rows[some], sets[some]))
        enough = np.isfinite(draws).any()
        low, high = np.nanpercentile(draws, [5, 95]) if enough else (np.nan, np.nan)
        recorded_one = statistic(theirs[known], folders[known])
        found[name] = (statistic(rows, sets), recorded_one, float(low), float(high))
    return found


def compare(name: str, common: dict[str, float]) -> dict[str, Any]:
    """Compare the population of one indicator with its recorded cells."""
    entry = known_entries()[name] | {"name": name}
    cells = stats.CellStatistics.of_table(entry)
    rng = np.random.default_rng(1)
    clear = [c for c in cells if c.events >= 3] or cells
    edges = np.linspace(0, CELLS, len(cells) + 1).round().astype(int)
    rows: list[list[float]] = []
    for held, n in enumerate(np.diff(edges)):
        rows += simulated(without(cells, held, entry, common), clear, int(n), rng)
    mine, theirs = np.array(rows), recorded(cells)
    folders = np.array([c.folder for c in cells])
    who = np.repeat(np.arange(len(cells)), np.diff(edges))
    found: dict[str, Any] = {"cells": len(cells)} | beside(mine, who, theirs, folders)
    for i, key in ((0, "peak"), (1, "half_decay")):
        known = theirs[np.isfinite(theirs[:, i]), i]
        found[f"{key}s"] = (
            np.percentile(known, [25, 75]).tolist() if len(known) else [np.nan, np.nan]
        )
    found["seen"] = int(np.isfinite(theirs[:, 0]).sum())
    found["largest"] = {k: v["median"] for k, v in entry["evidence"]["largest_ratio"].items()}
    return found


def line(name: str, one: dict[str, Any]) -> str:
    """Give one indicator as a row of the guide's table."""
    largest = ", ".join(f"{ratio:.2f}" for ratio in one["largest"].values())
    quartiles = {"peak": one["peaks"], "half_decay": one["half_decays"]}
    parts = []
    for key, form, scale in (
        ("peak", ".3f", 1), ("half_decay", ".0f", 1e3), ("snr", ".2f", 1), ("shared", ".2f", 1),
    ):  # fmt: skip
        mine, theirs, low, high = (scale * x for x in one[key])
        outside = "" if low <= theirs <= high or not np.isfinite(theirs) else " *"
        of_cells = ""
        if key in quartiles:
            first, last = (scale * x for x in quartiles[key])
            of_cells = f", {first:{form}} to {last:{form}}"
        parts.append(
            f"{mine:{form}} ({low:{form}} to {high:{form}}) "
            f"| {theirs:{form}}{of_cells}{outside}"
        )
    mine, theirs, low, high = one["silence"]
    outside = "" if low <= theirs <= high else " *"
    parts.append(f"{mine / theirs:.2f} ({low / theirs:.2f} to {high / theirs:.2f}){outside}")
    return f"| `{name}` | {one['cells']} / {one['seen']} | {' | '.join(parts)} | {largest} |"


def draw(many: dict[str, dict[str, Any]]) -> None:
    """Draw the figure of the guide: simulated beside recorded."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(13, 5.5), sharey=True, layout="constrained")
    for y, one in enumerate(many.values()):
        for ax, key in zip(axes, ("peak", "snr", "shared"), strict=True):
            simulated_one, recorded_one, low, high = one[key]
            ax.plot([low, high], [y + 0.15] * 2, "-", color="C0", lw=2)
            ax.plot(recorded_one, y - 0.15, "o", color="k")
            ax.plot(simulated_one, y + 0.15, "o", color="C0")
    axes[0].plot([], [], "o", color="k", label="recorded")
    axes[0].plot([], [], "o-", color="C0", label="simulated: 200 cells, as few as recorded")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    axes[0].set(xscale="log", xlabel="peak of one spike (dF/F)")
    axes[1].set(xlabel="SNR over cells: third quartile / first")
    axes[2].set(xlabel="correlation of log peak and log noise", xlim=(-1, 1))
    axes[0].set_yticks(
        range(len(many)), [f"{name} ({one['cells']})" for name, one in many.items()]
    )
    axes[0].invert_yaxis()
    with atomic_path(FIGURE) as path:
        fig.savefig(path, dpi=110, format="png")
    plt.close(fig)


def main(names: list[str]) -> None:
    """Print the comparison of the named indicators, or of all and draw them."""
    entries = known_entries()
    many = {name: stats.CellStatistics.of_table(entry) for name, entry in entries.items()}
    common = stats.common_spreads(many)
    found = {}
    for name in names or list(entries):
        found[name] = compare(name, common)
        sys.stdout.write(line(name, found[name]) + "\n")
        sys.stdout.flush()
    if not names:
        draw(found)


if __name__ == "__main__":
    main(sys.argv[1:])
