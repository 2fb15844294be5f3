"""Do simulated cells look like recorded ones? 200 of each indicator, beside those of the table.

``python tools/check_populations.py [NAME ...]``; needs no recordings, as the table holds what
each recorded cell showed. Every recorded cell is left out in turn of what makes the simulated
cells that stand for it: spreads, noise and gain are those of the others (kinetics are the
table's own). Simulated cells have the numbers of isolated spikes and the frames of recorded
ones, and are measured in the same way.
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
    from cleo_like.imaging.calibrated import CalibratedIndicator

FIGURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "populations.png"
CELLS = 200
APART = 4.5
"""Time between the isolated spikes of simulated cells (s)."""
SILENT_RATE = 15.0
SILENT_SECONDS = 300.0
COLUMNS = ("peak", "half_decay", "snr", "gain", "noise", "silent_variance")


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
        frames = np.arange(1, int((events + 1) * APART * model.rate)) / model.rate
        spikes = APART * np.arange(1, events + 1)
        traces = indicator.traces(
            spikes, np.zeros(events, int), frames, rng, cells=cells.take([i])
        )
        y = traces.fluorescence[0]
        noise = np.median(np.abs(np.diff(y))) / (0.6745 * np.sqrt(2) * np.sqrt(model.rate))
        one = average_of([Recording(t=frames, y=y, spikes=spikes)], 1)
        peak, half = peak_and_half_decay(smoothed(one.average)) if one else (np.nan,) * 2
        gain = cells.gain[i]
        variance = float(np.var(quiet[i] - quiet[i].mean()))
        rows.append([peak, half, peak / noise, gain, noise, variance])
    return rows


def recorded(cells: list[stats.CellStatistics]) -> np.ndarray:
    """Rows of `COLUMNS` of the recorded cells."""
    return np.array(
        [[c.peak, c.half_decay, c.peak / c.noise, c.gain, c.noise, c.silent_variance]
         for c in cells]
    )  # fmt: skip


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


def log_correlation(rows: np.ndarray, folders: np.ndarray | None = None) -> float:
    """Correlation of log gain and log noise."""
    known = np.isfinite(rows[:, 3:5]).all(axis=1) & (rows[:, 3:5] > 0).all(axis=1)
    logs = np.log(rows[known, 3:5])
    if folders is not None:
        logs = np.stack([stats.centred(x, folders[known]) for x in logs.T], axis=1)
    return stats.correlation(logs)


def compare(name: str, common: dict[str, float]) -> dict[str, Any]:
    """Compare the population of one indicator with its recorded cells."""
    entry = known_entries()[name] | {"name": name}
    entry["evidence"].setdefault("durations", [])
    cells = stats.CellStatistics.of_table(entry)
    if len(entry["evidence"]["durations"]) != len(cells):
        entry["evidence"]["durations"] = [1.0] * len(cells)
    rng = np.random.default_rng(1)
    clear = [c for c in cells if c.events >= 3] or cells
    edges = np.linspace(0, CELLS, len(cells) + 1).round().astype(int)
    rows: list[list[float]] = []
    for held, n in enumerate(np.diff(edges)):
        rows += simulated(without(cells, held, entry, common), clear, int(n), rng)
    mine, theirs = np.array(rows), recorded(cells)
    folders = np.array([c.folder for c in cells])
    found: dict[str, Any] = {"cells": len(cells)}
    for i, key in ((0, "peak"), (1, "half_decay")):
        known = theirs[np.isfinite(theirs[:, i]), i]
        low, high = np.percentile(known, [25, 75]) if len(known) else (np.nan, np.nan)
        found[key] = (float(np.nanmedian(mine[:, i])), float(low), float(high), len(known))
    sets = np.repeat(folders, np.diff(edges))
    found["snr"] = (
        quartile_ratio(mine[:, 2] / medians(mine[:, 2], sets)),
        quartile_ratio(theirs[:, 2] / medians(theirs[:, 2], folders)),
    )
    found["shared"] = (log_correlation(mine), log_correlation(theirs, folders))
    found["silence"] = (float(np.nanmedian(mine[:, 5])), float(np.nanmedian(theirs[:, 5])))
    found["largest"] = {k: v["median"] for k, v in entry["evidence"]["largest_ratio"].items()}
    return found


def line(name: str, one: dict[str, Any]) -> str:
    """Give one indicator as a row of the guide's table."""
    peak, low, high, n = one["peak"]
    half, first, last, _ = one["half_decay"]
    largest = ", ".join(f"{ratio:.2f}" for ratio in one["largest"].values())
    return (
        f"| `{name}` | {one['cells']} / {n} | {peak:.3f} | {low:.3f} to {high:.3f} "
        f"| {half * 1e3:.0f} | {first * 1e3:.0f} to {last * 1e3:.0f} "
        f"| {one['snr'][0]:.2f} / {one['snr'][1]:.2f} "
        f"| {one['shared'][0]:.2f} / {one['shared'][1]:.2f} "
        f"| {one['silence'][0] / one['silence'][1]:.2f} | {largest} |"
    )


def draw(many: dict[str, dict[str, Any]]) -> None:
    """Draw the figure of the guide: simulated beside recorded."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(13, 5.5), sharey=True, layout="constrained")
    for y, one in enumerate(many.values()):
        peak, low, high, n = one["peak"]
        if n:
            axes[0].plot([low, high], [y - 0.12] * 2, "-", color="k", lw=3)
        axes[0].plot(peak, y + 0.15, "o", color="C0")
        for ax, key in zip(axes[1:], ("snr", "shared"), strict=True):
            simulated_one, recorded_one = one[key]
            ax.plot(recorded_one, y - 0.12, "o", color="k")
            ax.plot(simulated_one, y + 0.15, "o", color="C0")
    axes[0].plot([], [], "-", color="k", lw=3, label="recorded (quartiles)")
    axes[1].plot([], [], "o", color="k", label="recorded")
    for ax in axes[:2]:
        ax.plot([], [], "o", color="C0", label="simulated")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    axes[0].set(xscale="log", xlabel="peak of one spike (dF/F)")
    axes[1].set(xlabel="SNR over cells: third quartile / first")
    axes[2].set(xlabel="correlation of log gain and log noise", xlim=(-1, 1))
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
