"""Scores of one call, as tables that show themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.groundtruth.scores import tables
from cleo_like.groundtruth.scores.spikes import ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from cleo_like.groundtruth.sample import Sample

_NUMBERS = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_PLACE = ["block", "condition", "extractor"]
_SPIKES = ("recordings", "true", "precision_1ms", "recall_1ms", "f1_1ms", "f1_0.2ms",
           "time_error", "failed", "why")  # fmt: skip
_FEATURES = ("recordings", "bias", "spread", "missing", "wrong", "unit", "failed", "why")


@attrs.frozen(kw_only=True, eq=False)
class SpikeScores:
    """How well detectors find spikes.

    Parameters
    ----------
    table : DataFrame
        One row a block ("all", "SNR", "condition"), condition and detector: ``precision``,
        ``recall`` and ``f1`` within 1 and 0.2 ms with intervals, ``time_error`` (s),
        ``coincidence``; ``failed`` recordings and ``why``.
    recordings : DataFrame
        One row a recording and detector: SNR, condition, hits, false and missed spikes, what
        came of it, and why.
    notes : tuple of str
        What else was noticed.
    """

    table: pd.DataFrame
    recordings: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, samples: Sequence[Sample], spikes: list[dict[str, Any]],
        outcomes: list[dict[str, Any]],
    ) -> SpikeScores:  # fmt: skip
        """Put rows of single recordings together."""
        import pandas as pd

        groups, found, told = _groups(samples), pd.DataFrame(spikes), pd.DataFrame(outcomes)
        table = _with_failures(tables.spike_table(groups, found), groups, told)
        keys = ["key", "extractor"]
        own = found.drop(columns=["cell", "seed", "condition", "snr"], errors="ignore")
        rows = told if found.empty else told.merge(own, on=keys, how="left")
        return cls(table=table, recordings=rows, notes=_notes(told))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw F1 over the signal-to-noise ratio, a point a recording.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.
        """
        return plot_f1(self.recordings, ax)

    def __repr__(self) -> str:
        """Show the table, and why something failed."""
        return _text(self.table, _SPIKES, self.notes)

    def _repr_html_(self) -> str:
        return _html(self.table, _SPIKES, self.notes)


@attrs.frozen(kw_only=True, eq=False)
class FeatureScores:
    """How right a function's features are.

    Parameters
    ----------
    table : DataFrame
        One row a block, condition, function, feature and reference: ``bias`` (median error)
        with its interval, ``spread``, ``missing`` and ``wrong`` as shares, in the unit of the
        catalogue; ``unit`` says when values are off by a power of ten; ``failed`` and ``why``.
    recordings : DataFrame
        One row a recording and function: SNR, condition, what came of it, and why.
    notes : tuple of str
        What else was noticed.
    """

    table: pd.DataFrame
    recordings: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, samples: Sequence[Sample], errors: list[dict[str, Any]],
        outcomes: list[dict[str, Any]],
    ) -> FeatureScores:  # fmt: skip
        """Put rows of single recordings together."""
        import pandas as pd

        groups, told = _groups(samples), pd.DataFrame(outcomes)
        found = tables.feature_scores(groups, pd.DataFrame(errors))
        if len(found):  # whom nobody asked for was there to compare with
            found = found[found["extractor"].isin(set(told["extractor"]))]
        table = _with_failures(found, groups, told)
        return cls(table=table, recordings=told, notes=_notes(told))

    def __repr__(self) -> str:
        """Show the table, and why something failed."""
        return _text(self.table, ("feature", "reference", *_FEATURES), self.notes)

    def _repr_html_(self) -> str:
        return _html(self.table, ("feature", "reference", *_FEATURES), self.notes)


def _groups(samples: Sequence[Sample]) -> tables.Groups:
    """Put recordings together: all, by signal-to-noise ratio, by condition."""
    out: dict[tuple[str, str], set[str]] = {("all", "all"): {s.key for s in samples}}
    for sample in sorted(samples, key=lambda s: (s.snr != s.snr, s.snr)):
        out.setdefault(("SNR", sample.snr_class), set()).add(sample.key)
    for sample in samples:
        out.setdefault(("condition", sample.condition), set()).add(sample.key)
    return [(*place, keys) for place, keys in out.items()]


def _with_failures(
    table: pd.DataFrame, groups: tables.Groups, told: pd.DataFrame
) -> pd.DataFrame:
    """Add what failed; a group in which all did has a row too."""
    came = tables.outcome_table(groups, told)
    came = came.assign(failed=came["recordings"] - came["ok"])
    came = came[[*_PLACE, "failed", "why"]]
    if table.empty:
        return came
    place = {tuple(row): k for k, row in enumerate(came[_PLACE].itertuples(index=False))}
    out = table.merge(came, on=_PLACE, how="outer")
    order = [place[tuple(row)] for row in out[_PLACE].itertuples(index=False)]
    out = out.assign(_order=order).sort_values("_order", kind="stable")
    return out.drop(columns="_order").reset_index(drop=True)


def _notes(told: pd.DataFrame) -> tuple[str, ...]:
    """Say what went wrong, texts that differ in numbers only once (the first as example)."""
    out = []
    for name, part in told.groupby("extractor", sort=False):
        for column, what in (("why", "failed on"), ("note", "noticed in")):
            some = part[part[column] != ""]
            alike = some[column].str.replace(_NUMBERS, "#", regex=True)
            for _, texts in some.groupby(alike, sort=False):
                text = texts[column].iloc[0]
                out.append(f"{name}: {what} {len(texts)} of {len(part)} recordings: {text}")
    return tuple(out)


def _shown(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    shown = table[[name for name in (*_PLACE, *columns) if name in table.columns]]
    if not shown["failed"].any():
        shown = shown.drop(columns=["failed", "why"])
    return shown


def _text(table: pd.DataFrame, columns: Sequence[str], notes: Sequence[str]) -> str:
    shown = _shown(table, columns).drop(columns="why", errors="ignore")
    text = shown.to_string(index=False, float_format=lambda x: f"{x:.3g}")
    return "\n".join([text, *notes])


def _html(table: pd.DataFrame, columns: Sequence[str], notes: Sequence[str]) -> str:
    import html

    text = _shown(table, columns).to_html(index=False, float_format=lambda x: f"{x:.3g}")
    return text + "".join(f"<p>{html.escape(note)}</p>" for note in notes)


def plot_f1(recordings: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a point for each recording with spikes, a colour for each detector.

    Parameters
    ----------
    recordings : DataFrame
        Of `SpikeScores`.
    ax : matplotlib axes, optional
        Where to draw; a new figure where not given.

    Raises
    ------
    InputError
        No detector gave spikes of a recording that has some.
    """
    known = recordings[np.isfinite(recordings["snr"])]
    if "hits_1ms" not in known or known["hits_1ms"].isna().all():
        msg = "there is no score to draw: every recording failed or has no spikes"
        raise InputError(msg)
    from cleo_like.core.views.panels import given_axes, new_axes
    from cleo_like.core.views.style import house_style

    with house_style():
        ax = new_axes(5.0, 3.2) if ax is None else given_axes(ax)
        for name, part in known.dropna(subset="hits_1ms").groupby("extractor", sort=False):
            columns = zip(*(part[f"{k}_1ms"] for k in ("hits", "false", "missed")), strict=True)
            f1 = [ratios(*row)[2] for row in columns]
            order = np.argsort(part["snr"].to_numpy(), kind="stable")
            ax.plot(
                part["snr"].to_numpy()[order], np.array(f1)[order], "o", ms=5, alpha=0.8,
                label=str(name),
            )  # fmt: skip
        ax.set(
            xscale="log", ylim=(-0.03, 1.05), xlabel="height of spikes / noise",
            ylabel="F1 within 1 ms",
        )  # fmt: skip
        ax.legend(frameon=False)
    return ax
