"""One plane of an imaging session at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.core.views.style import (
    COMMAND_COLOUR,
    RESPONSE_COLOUR,
    SPIKE_COLOUR,
    VOLTAGE_MAP,
    house_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cleo_like.sessions import InSilicoExperiment

_WINDOW = (-0.5, 1.5)
_SHOWN = 20.0
_REACTION = (0.0, 0.75)
_KINDS = {
    "change": ("is_change", COMMAND_COLOUR), "repeat": (None, RESPONSE_COLOUR),
    "omitted": ("omitted", "#777777"),
}  # fmt: skip


def session_figure(experiment: InSilicoExperiment) -> Figure:
    """Draw the plane, its cells while pictures are flashed, and what they answer to.

    Parameters
    ----------
    experiment : InSilicoExperiment
        With cells and flashes; without the truth, true spikes and tuning are left out.

    Returns
    -------
    Figure
        Picture with ROIs, dF/F of 20 s, mean responses, and tuning measured and true.

    Raises
    ------
    InputError
        No cells, or no flash.
    """
    from matplotlib.figure import Figure

    stimuli = experiment.stimulus_presentations
    if "image_set" not in stimuli:
        stimuli = stimuli[stimuli["image_name"].notna()]
    if experiment.data.n_rois == 0 or len(stimuli) == 0:
        msg = f"session_figure needs cells and flashes, got {experiment!r}"
        raise InputError(msg)
    with house_style():
        figure = Figure(figsize=(13, 9), layout="constrained")
        axes = figure.subplots(2, 2, width_ratios=[1, 1.5])
        _picture(axes[0, 0], experiment)
        _traces(axes[0, 1], experiment, stimuli)
        _responses(axes[1, 0], experiment, stimuli)
        _tuning(axes[1, 1], experiment, stimuli)
        about = experiment.metadata
        figure.suptitle(
            f"experiment {about['ophys_experiment_id']}: {about['targeted_structure']}, "
            f"{about['imaging_depth']} µm, {about['indicator']}"
        )
    return figure


def _picture(axes: Axes, experiment: InSilicoExperiment) -> None:
    picture = experiment.average_projection
    low, high = np.percentile(picture, [1, 99.7])
    axes.imshow(picture, cmap="gray", vmin=low, vmax=high)
    edges = experiment.segmentation_mask_image
    axes.contour(edges, levels=[0.5], colors=[COMMAND_COLOUR], linewidths=0.6)
    axes.set(xticks=[], yticks=[], title=f"mean picture, {experiment.data.n_rois} ROIs")


def _traces(axes: Axes, experiment: InSilicoExperiment, stimuli: Any) -> None:
    """Draw the liveliest cells around a change, with flashes behind and true spikes below."""
    dff = np.stack(list(experiment.dff_traces["dff"]))
    times = experiment.ophys_timestamps
    changes = stimuli.loc[stimuli["is_change"].astype(bool), "start_time"]
    anchor = float(
        changes.iloc[len(changes) // 2] if len(changes) else stimuli["start_time"].iloc[0]
    )
    start = max(min(anchor - _SHOWN / 2, times[-1] - _SHOWN), times[0])
    part = (times >= start) & (times <= start + _SHOWN)
    lively = np.argsort(-np.nanstd(dff[:, part], axis=1), kind="stable")[:8]
    gap = max(float(np.nanpercentile(np.abs(dff[lively][:, part]), 99)), 1e-9)
    shown = stimuli[
        (stimuli["start_time"] >= start) & (stimuli["start_time"] <= start + _SHOWN)
    ]
    for row in shown.itertuples():
        if not row.omitted:
            colour = COMMAND_COLOUR if row.is_change else "#999999"
            axes.axvspan(row.start_time, row.start_time + 0.25, color=colour, alpha=0.2, lw=0)
    spikes = None if experiment.data.truth is None else experiment.data.truth.spike_times
    for line, cell in enumerate(lively):
        axes.plot(times[part], dff[cell, part] - gap * line, color=RESPONSE_COLOUR, lw=0.9)
        if spikes is not None:
            when = spikes[cell][(spikes[cell] >= start) & (spikes[cell] <= start + _SHOWN)]
            below = np.full(len(when), -gap * (line + 0.25))
            axes.plot(when, below, "|", color=SPIKE_COLOUR, ms=5, mew=0.8)
    axes.set(xlabel="time (s)", yticks=[], xlim=(start, start + _SHOWN))
    axes.set_title(f"dF/F of the liveliest cells (spacing {gap:.2g}); changes in brown")


def _responses(axes: Axes, experiment: InSilicoExperiment, stimuli: Any) -> None:
    from cleo_like.responses import event_triggered

    dff = np.stack(list(experiment.dff_traces["dff"]))
    kinds = _kinds(stimuli)
    for name, (_, colour) in _KINDS.items():
        when = stimuli.loc[kinds[name], "start_time"].to_numpy()
        if len(when) == 0:
            continue
        cut = event_triggered(dff, when, experiment.ophys_timestamps, window=_WINDOW)
        mean = np.nanmean(cut.values, axis=(0, 1))
        axes.plot(cut.time, mean, color=colour, label=f"{name} (n = {len(when)})", lw=1.5)
    axes.axvspan(0, 0.25, color="#999999", alpha=0.2, lw=0)
    axes.set(xlabel="time from the flash (s)", ylabel="dF/F", title="mean over all cells")
    axes.legend(frameon=False, fontsize=9)


def _kinds(stimuli: Any) -> dict[str, np.ndarray]:
    """Say which flashes are changes, the last repeats before them, and omitted ones."""
    change = stimuli["is_change"].to_numpy(dtype=bool)
    repeat = np.zeros(len(change), bool)
    repeat[:-1] = change[1:] & ~change[:-1]
    return {
        "change": change,
        "repeat": repeat,
        "omitted": stimuli["omitted"].to_numpy(dtype=bool),
    }


def _tuning(axes: Axes, experiment: InSilicoExperiment, stimuli: Any) -> None:
    """Draw the mean response of each cell to each picture beside its true drive."""
    from cleo_like.responses import event_triggered

    dff = np.stack(list(experiment.dff_traces["dff"]))
    names = list(experiment.stimulus_templates.index)
    seen = stimuli[~stimuli["omitted"].to_numpy(dtype=bool)]
    cut = event_triggered(
        dff, seen["start_time"].to_numpy(), experiment.ophys_timestamps, window=_WINDOW
    )
    answer = cut.mean(*_REACTION)
    answer = answer - cut.mean(_WINDOW[0], 0.0)
    shown = seen["image_name"].to_numpy()
    measured = np.stack([_mean(answer[:, shown == name]) for name in names], axis=1)
    parts = [measured / max(float(np.nanmax(np.abs(measured), initial=0.0)), 1e-12)]
    if "drive" in experiment.data.truth_arrays:
        drive = np.asarray(experiment.data.truth_arrays["drive"], float)
        parts.append(drive / max(float(drive.max(initial=0.0)), 1e-12))
    best, most = parts[-1].argmax(axis=1), parts[-1].max(axis=1)
    order = np.lexsort((-most, np.where(most > 0, best, len(names))))  # untuned cells last
    gap = np.full((len(measured), 1), np.nan)
    both = np.concatenate([p for part in parts for p in (part[order], gap)][:-1], axis=1)
    axes.imshow(both, aspect="auto", cmap=VOLTAGE_MAP, vmin=0, vmax=1, interpolation="nearest")
    at = [np.arange(len(names)) + k * (len(names) + 1) for k in range(len(parts))]
    axes.set_xticks(np.concatenate(at), names * len(parts), rotation=90, fontsize=8)
    title = "response to each picture" + ("; true drive (right)" if len(parts) > 1 else "")
    axes.set(ylabel="cell", title=f"{title}, each of its maximum")


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over flashes; NaN where a picture was never shown."""
    if values.shape[1] == 0:
        return np.full(len(values), np.nan)
    return np.asarray(np.nanmean(values, axis=1))
