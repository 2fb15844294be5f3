"""Fluorescence of many cells over time, from a scope or from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from cleo_like.core.arrays import (
    array_eq,
    frozen_mapping,
    places,
    read_only,
    si_number,
    si_samples,
    si_value,
    texts,
)
from cleo_like.core.errors import InputError, PlaceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Sized

    import pandas as pd
    import xarray as xr
    from jaxtyping import Float
    from matplotlib.axes import Axes

    from cleo_like.core.ophys.masks import RoiMasks
    from cleo_like.core.provenance import Provenance


def _columns(values: Any) -> Any:
    return frozen_mapping(
        {k: read_only(np.asarray(si_value(v))) for k, v in dict(values).items()}
    )


def _all_times(many: Iterable[Any]) -> tuple[np.ndarray, ...]:
    found = tuple(map(si_samples("s", name="spike_times"), many))
    if any(times.ndim != 1 for times in found):
        msg = f"spike_times must be a list of one array for each ROI, got {many!r}"
        raise InputError(msg)
    return found


def same_columns(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> bool:
    """Compare tables column by column; NaN equals NaN."""
    return left.keys() == right.keys() and all(
        np.array_equal(v, right[k], equal_nan=v.dtype.kind == "f") for k, v in left.items()
    )


@attrs.frozen(kw_only=True)
class ImagingTruth:
    """What the simulator knows of imaged cells.

    Parameters
    ----------
    spike_times : sequence of arrays
        One array per ROI (s).
    fluorescence : array, shape (n_rois, n_frames), optional
        dF/F without noise.
    calcium : array, shape (n_rois, n_frames), optional
        Free calcium (mol/m^3, which is mM); NaN where the model has none.
    """

    spike_times: tuple[np.ndarray, ...] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(_all_times),
        eq=array_eq,
    )
    fluorescence: Float[np.ndarray, "n_rois n_frames"] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(si_samples("1", name="fluorescence")),
        eq=array_eq,
    )
    calcium: Float[np.ndarray, "n_rois n_frames"] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(si_samples("M", name="calcium")),
        eq=array_eq,
    )

    def take(self, rows: Sequence[int] | np.ndarray) -> ImagingTruth:
        """Give what is known of some of the ROIs (places)."""
        return ImagingTruth(
            spike_times=None
            if self.spike_times is None
            else [self.spike_times[k] for k in rows],
            fluorescence=None if self.fluorescence is None else self.fluorescence[rows],
            calcium=None if self.calcium is None else self.calcium[rows],
        )

    def __repr__(self) -> str:
        """One line: what is known."""
        spikes = "no" if self.spike_times is None else sum(map(len, self.spike_times))
        parts = [f"{spikes} spikes"]
        parts += [k for k in ("fluorescence", "calcium") if getattr(self, k) is not None]
        return f"ImagingTruth: {', '.join(parts)}"


@attrs.frozen(kw_only=True)
class Traces:
    """Fluorescence of regions of interest, frame by frame.

    Parameters
    ----------
    fluorescence : array, shape (n_rois, n_frames)
        dF/F, or raw fluorescence: `quantity` says which.
    times : array, shape (n_frames,)
        Time of each frame (s).
    rois : mapping of str to array, shape (n_rois, ...)
        Table of the ROIs, column by column.
    positions : array, shape (n_rois, 3), optional
        Places of the cells (m).
    masks : RoiMasks, optional
        Pixels of each ROI.
    quantity : str
        What the values are, with the definition of dF/F.
    exposure : float
        Time (s) before the time of a frame over which it is a mean; 0 for an instant.
    truth : ImagingTruth, optional
        What a simulator knows.
    provenance : Provenance, optional
        Where the traces come from.
    notes : tuple of str
        What a reader found or changed.

    Examples
    --------
    >>> Traces(fluorescence=np.zeros((2, 30)), times=np.arange(30) / 30)
    Traces: 2 ROIs, 30 frames at 30 Hz (1 s)
    """

    fluorescence: Float[np.ndarray, "n_rois n_frames"] = attrs.field(
        converter=si_samples("1", name="fluorescence"), eq=array_eq
    )
    times: Float[np.ndarray, "n_frames"] = attrs.field(
        converter=si_samples("s", name="times"), eq=array_eq
    )
    rois: Mapping[str, np.ndarray] = attrs.field(
        factory=dict, converter=_columns, eq=attrs.cmp_using(eq=same_columns)
    )
    positions: Float[np.ndarray, "n_rois 3"] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(si_samples("m", name="positions")),
        eq=array_eq,
    )
    masks: RoiMasks | None = None
    quantity: str = "dF/F"
    exposure: float = attrs.field(default=0.0, converter=si_number("s", "exposure"))
    truth: ImagingTruth | None = None
    provenance: Provenance | None = None
    notes: tuple[str, ...] = attrs.field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        """Check shapes against one another."""
        shape = self.fluorescence.shape
        if self.fluorescence.ndim != 2 or self.times.shape != shape[1:]:
            msg = (
                f"fluorescence must be (n_rois, n_frames) with one time per frame, got "
                f"{shape} and {self.times.shape} times"
            )
            raise InputError(msg)
        if len(self.times) > 1 and not (np.diff(self.times) > 0).all():
            msg = "times of frames must rise"
            raise InputError(msg)
        columns: dict[str, Sized] = dict(self.rois)
        for name in ("positions", "masks"):
            if getattr(self, name) is not None:
                columns[name] = getattr(self, name)
        for name, column in columns.items():
            if len(column) != shape[0]:
                msg = f"{name} must have one row for each of {shape[0]} ROIs, got {len(column)}"
                raise InputError(msg)

    def __len__(self) -> int:
        """Count the ROIs."""
        return self.n_rois

    @overload
    def __getitem__(self, which: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, which: slice | Sequence[int] | np.ndarray) -> Traces: ...
    def __getitem__(self, which: Any) -> np.ndarray | Traces:
        """Give the trace of one ROI, or the traces of some (a slice, places, a mask).

        Examples
        --------
        >>> traces = Traces(fluorescence=np.arange(6.0).reshape(3, 2), times=[0.0, 0.1])
        >>> traces[1].tolist(), len(traces[[0, 2]])
        ([2.0, 3.0], 2)
        """
        if isinstance(which, (int, np.integer)):
            if not -len(self) <= which < len(self):
                raise PlaceError(f"the traces have {len(self)} ROIs, got [{which}]")
            return self.fluorescence[which]
        rows = places("the table of traces", len(self), which, "ROIs")
        return attrs.evolve(
            self, fluorescence=self.fluorescence[rows],
            rois={name: column[rows] for name, column in self.rois.items()},
            positions=None if self.positions is None else self.positions[rows],
            masks=None if self.masks is None else self.masks.select(rows),
            truth=None if self.truth is None else self.truth.take(rows),
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, *, most: int = 20) -> Axes:
        """Draw the traces above each other, with the spikes that are known.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.
        most : int
            Largest number of ROIs that are drawn.

        Returns
        -------
        Axes
        """
        from cleo_like.core.views.traces import plot_traces

        return plot_traces(self, ax, most=most)

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame: a row for each frame (index ``time_s``), a column for each ROI."""
        from cleo_like.core.views.traces import traces_frame

        return traces_frame(self)

    def to_xarray(self) -> xr.DataArray:
        """Give a DataArray over (roi, time) (needs xarray)."""
        from cleo_like.core.views.traces import traces_array

        return traces_array(self)

    def to_pynapple(self) -> Any:
        """Give a `TsdFrame` with a column for each ROI (needs pynapple)."""
        from cleo_like.core.views.traces import traces_tsd

        return traces_tsd(self)

    def _repr_html_(self) -> str:
        from cleo_like.core.views.traces import traces_card

        return traces_card(self)

    @property
    def n_rois(self) -> int:
        """Number of regions of interest."""
        return self.fluorescence.shape[0]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.fluorescence.shape[1]

    @property
    def rate(self) -> float:
        """Mean frame rate (Hz); NaN with fewer than two frames."""
        if self.n_frames < 2:
            return float("nan")
        return float((self.n_frames - 1) / (self.times[-1] - self.times[0]))

    def __repr__(self) -> str:
        """One line: ROIs, frames, rate."""
        length = self.n_frames / self.rate
        return (
            f"Traces: {self.n_rois} ROIs, {self.n_frames} frames at {self.rate:.4g} Hz "
            f"({length:.4g} s)"
        )
