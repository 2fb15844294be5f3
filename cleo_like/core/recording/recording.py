"""Sweeps of one cell: what everything on the left makes and everything on the right takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from cleo_like.core.arrays import as_tuple, places, read_only, si_mapping, texts
from cleo_like.core.errors import InputError, PlaceError, unknown_name
from cleo_like.core.recording.stacked import Stacked
from cleo_like.core.sweep import Sweep, clamp_mode, with_common_rates
from cleo_like.core.units.table import show_range

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    import xarray as xr
    from jaxtyping import Float

    from cleo_like.core.cell import Cell
    from cleo_like.core.protocol import Protocol
    from cleo_like.core.provenance import Provenance
    from cleo_like.core.recording.stacked import Scaling
    from cleo_like.core.recording.truth import GroundTruth
    from cleo_like.core.sweep import ClampMode
    from cleo_like.core.window import Window


@attrs.frozen(kw_only=True)
class Recording:
    """All sweeps of one cell through one electrode.

    Parameters
    ----------
    sweeps : sequence of Sweep
        They may differ in length, rate and clamp mode. Rates that differ by rounding only
        (`RATE_TOLERANCE`) become one.
    cell : Cell
        What is known of the cell.
    provenance : Provenance
        Where the data come from.
    truth : GroundTruth, optional
        Only for simulated cells.
    protocol : Protocol, optional
        What was commanded, where it is one protocol and known as a whole.
    protocols : sequence of Protocol
        What was commanded, where several were played one after the other: the sweeps of the
        first come first. `protocol` is None then.
    session_start : str, optional
        ISO 8601 time with time zone of the first sweep.
    findings : tuple of str
        What a reader noticed about the file ("potentials look like mV stored as V").
    device : mapping
        Description of the rig (device, electrode, filtering, settings).
    scaling : Scaling, optional
        How the numbers of the ABF file were scaled; equality does not ask for it.

    Examples
    --------
    >>> from cleo_like import Cell, Provenance, Sweep
    >>> sweep = Sweep(response=np.full(200, -0.07), command=np.zeros(200), rate=2e4)
    >>> Recording(sweeps=[sweep], cell=Cell(id="c1"), provenance=Provenance(source="test"))
    Recording of c1: 1 sweep, 10 ms at 20 kHz, current_clamp, -70..-70 mV, command 0..0 pA
    """

    sweeps: tuple[Sweep, ...] = attrs.field(converter=with_common_rates)
    cell: Cell
    provenance: Provenance
    truth: GroundTruth | None = None
    protocol: Protocol | None = None
    protocols: tuple[Protocol, ...] = attrs.field(default=(), converter=as_tuple)
    session_start: str | None = None
    findings: tuple[str, ...] = attrs.field(default=(), converter=texts)
    device: Mapping[str, Any] = attrs.field(factory=dict, converter=si_mapping)
    scaling: Scaling | None = attrs.field(default=None, eq=False)

    def __attrs_post_init__(self) -> None:
        """Check that truth and protocols speak of the same sweeps."""
        if isinstance(self.cell, str) or not hasattr(self.cell, "id"):
            msg = f"cell must be a Cell, Cell(id='name'), got {self.cell!r:.60}"
            raise InputError(msg)
        if not hasattr(self.provenance, "source"):
            msg = f"provenance must be Provenance(source='...'), got {self.provenance!r:.60}"
            raise InputError(msg)
        if self.protocols and self.protocol is not None:
            msg = "give one protocol, or several protocols, not both"
            raise InputError(msg)
        played = sum(protocol.n_sweeps for protocol in self.protocols)
        if self.protocols and played != len(self.sweeps):
            msg = f"protocols have {played} sweeps but the recording has {len(self.sweeps)}"
            raise InputError(msg)
        if self.truth is not None and len(self.truth.spike_times) != len(self.sweeps):
            msg = (
                f"truth has {len(self.truth.spike_times)} sweeps but the recording has "
                f"{len(self.sweeps)}"
            )
            raise InputError(msg)

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps."""
        return len(self.sweeps)

    def __len__(self) -> int:
        """Count the sweeps."""
        return len(self.sweeps)

    def __iter__(self) -> Iterator[Sweep]:
        """Go over the sweeps."""
        return iter(self.sweeps)

    @overload
    def __getitem__(self, which: int) -> Sweep: ...
    @overload
    def __getitem__(self, which: str | slice | Sequence[int] | np.ndarray) -> Recording: ...
    def __getitem__(self, which: Any) -> Sweep | Recording:
        """Give a sweep by its place, or a recording of some (a slice, places, a mask, a name).

        A name is that of a protocol, see `by_protocol`.

        Examples
        --------
        >>> from cleo_like import Cell, Provenance, Sweep
        >>> sweeps = [Sweep(response=np.zeros(9), rate=2e4, number=k) for k in range(5)]
        >>> recording = Recording(
        ...     sweeps=sweeps, cell=Cell(id="c1"), provenance=Provenance(source="test"))
        >>> recording[-1].number, [sweep.number for sweep in recording[1:3]]
        (4, [1, 2])
        """
        if isinstance(which, str):
            parts = self._rows_by_protocol()
            if which not in parts:
                raise unknown_name("protocol of the recording", which, parts)
            return self[parts[which]]
        if isinstance(which, (int, np.integer)):
            if not -len(self) <= which < len(self):
                msg = f"the recording of {self.cell.id} has {len(self)} sweeps, got [{which}]"
                raise PlaceError(msg)
            return self.sweeps[which]
        rows = places(f"the recording of {self.cell.id}", len(self), which)
        truth = self.truth
        return attrs.evolve(
            self, sweeps=[self.sweeps[k] for k in rows],
            truth=None if truth is None else truth.take(rows), **self._protocols_of(rows),
        )  # fmt: skip

    def _protocols_of(self, rows: np.ndarray) -> dict[str, Any]:
        """Give what was commanded in some of the sweeps, as fields."""
        protocol = self.protocol
        if not self.protocols:
            # commands of sweeps that were not recorded would not belong to any
            whole = protocol is not None and len(protocol) == len(self) and len(rows)
            return {"protocol": protocol[rows] if protocol is not None and whole else None}
        owner = np.repeat(np.arange(len(self.protocols)), [len(p) for p in self.protocols])
        starts = np.cumsum([0, *map(len, self.protocols)])
        if np.any(np.diff(owner[rows]) < 0):  # no longer one after the other
            return {"protocol": None, "protocols": ()}
        some = [
            self.protocols[k][rows[owner[rows] == k] - starts[k]]
            for k in dict.fromkeys(owner[rows].tolist())
        ]
        if len(some) == 1:
            return {"protocol": some[0], "protocols": ()}
        return {"protocol": None, "protocols": some}

    def by_protocol(self) -> dict[str, Recording]:
        """Give a recording of each protocol that was played, by its name.

        Returns
        -------
        dict of str to Recording
            In the order played. Where the file does not tell protocols, the sweeps of each
            stimulus as the file names it ("unnamed" where it does not).

        Examples
        --------
        >>> from cleo_like import Cell, Provenance, Sweep
        >>> sweeps = [Sweep(response=np.zeros(9), rate=2e4, number=k, stimulus=name)
        ...           for k, name in enumerate(("Ramp", "Long Square", "Ramp"))]
        >>> recording = Recording(
        ...     sweeps=sweeps, cell=Cell(id="c1"), provenance=Provenance(source="test"))
        >>> {name: len(part) for name, part in recording.by_protocol().items()}
        {'Ramp': 2, 'Long Square': 1}
        """
        return {name: self[rows] for name, rows in self._rows_by_protocol().items()}

    def _rows_by_protocol(self) -> dict[str, list[int]]:
        told = self.protocols
        if not told and self.protocol is not None and len(self.protocol) == len(self):
            told = (self.protocol,)
        names = [protocol.name for protocol in told for _ in range(len(protocol))]
        if not told:
            names = [s.stimulus if s.stimulus is not None else "unnamed" for s in self.sweeps]
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            rows.setdefault(name, []).append(row)
        return rows

    def sweep(self, number: int) -> Sweep:
        """Give the sweep of a number, as the file counts.

        Raises
        ------
        UnknownNameError
            There is none of that number.
        """
        for sweep in self.sweeps:
            if sweep.number == number:
                return sweep
        raise unknown_name("sweep", str(number), [str(s.number) for s in self.sweeps])

    def window(self, name: str) -> Window:
        """Give the window (s) of an epoch of the protocol that was played, by its name.

        What was played in a recording without a protocol `cleo_like.match` finds.

        Parameters
        ----------
        name : str
            "step", "ramp", "chirp", "picture" ...

        Returns
        -------
        Window
            Start and end (s) from the first sample of a sweep.

        Raises
        ------
        InputError
            No protocol is known, none has the epoch, or several have it at other times.
        """
        told = self.protocols if self.protocol is None else (self.protocol,)
        if not told:
            msg = (
                f"the recording of {self.cell.id} knows no protocol, so no {name!r}; "
                f"cl.match(recording).window looks for it in the command"
            )
            raise InputError(msg)
        having = [p for p in told if any(epoch.name == name for epoch in p.epochs)]
        if not having:
            have = dict.fromkeys(epoch.name for p in told for epoch in p.epochs)
            known = ", ".join(have) if have else "none"
            msg = f"no protocol of {self.cell.id} has an epoch {name!r}; there are: {known}"
            raise InputError(msg)
        found = {p.window(name) for p in having}
        if len(found) > 1:
            msg = (
                f"{name!r} lies elsewhere in each of {', '.join(p.name for p in having)}; take "
                f"one of them, as in recording[{having[0].name!r}].window({name!r})"
            )
            raise InputError(msg)
        return found.pop()

    def plot(self, ax: Any = None, *, spikes: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """Draw the responses, the commands below them, and mark spikes.

        Parameters
        ----------
        ax : axes or two axes, optional
            Where to draw responses, and commands; a new figure where not given.
        spikes : sequence of array, optional
            Times (s) of the spikes of each sweep; those that a simulator knows by default.

        Returns
        -------
        array of Axes
        """
        from cleo_like.core.views.sweeps import plot_recording

        return plot_recording(self, ax, spikes=spikes)

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame with a row for each sample of each sweep, in mV, pA and s."""
        from cleo_like.core.views.exchange import sweeps_frame

        return sweeps_frame(self.sweeps)

    def to_xarray(self) -> xr.Dataset:
        """Give a Dataset over (sweep, time) in SI, units in ``attrs`` (needs xarray)."""
        from cleo_like.core.views.exchange import recording_dataset

        return recording_dataset(self)

    def to_pynapple(self) -> dict[str, Any]:
        """Give pynapple's objects on the clock of the recording (needs pynapple)."""
        from cleo_like.core.views.exchange import recording_tsd

        return recording_tsd(self)

    def to_neo(self) -> Any:
        """Give a `neo.Block` with a segment for each sweep (needs neo)."""
        from cleo_like.core.views.exchange import recording_block

        return recording_block(self)

    @classmethod
    def from_neo(
        cls,
        block: Any,
        *,
        cell: Cell | str | None = None,
        mode: ClampMode | str | None = None,
        response: str | None = None,
        command: str | None = None,
    ) -> Recording:
        """Make a recording of a Neo block or segment, of any file that Neo reads.

        Parameters
        ----------
        block : neo.Block or neo.Segment
            Each segment becomes a sweep.
        cell : Cell or str, optional
            The cell, or its name; the name of the block where not given.
        mode : str, optional
            "current_clamp": potentials are responses and currents commands; "voltage_clamp":
            the other way round. Without it, what the signals say themselves (`to_neo` notes
            it), and current clamp where they say nothing.
        response, command : str, optional
            Names of the signals; found by their units where not given.

        Returns
        -------
        Recording

        Raises
        ------
        InputError
            No signal, or several, that could be the response; the message names them.
        """
        from cleo_like.core.cell import Cell
        from cleo_like.core.provenance import Provenance
        from cleo_like.core.views.exchange import segments_of_block

        def mode_of(noted: str | None) -> ClampMode:
            return clamp_mode(mode if mode is not None else noted or "current_clamp")

        found = segments_of_block(block, mode_of, response, command)
        name = getattr(block, "name", None)
        if not isinstance(cell, Cell):
            cell = Cell(id=str(cell if cell is not None else name or "unnamed"))
        origin = getattr(block, "file_origin", None)
        source = f"neo: {origin if origin is not None else name}"
        sweeps = [Sweep(**fields) for fields in found]
        return cls(sweeps=sweeps, cell=cell, provenance=Provenance(source=source))

    def _repr_html_(self) -> str:
        from cleo_like.core.views.sweeps import recording_card

        return recording_card(self)

    def stacked(self) -> Stacked:
        """Give the sweeps as (n_sweeps, n_samples) arrays.

        Raises
        ------
        InputError
            There is no sweep, or sweeps differ in length, rate or clamp mode.
        """
        if not self.sweeps:
            msg = f"the recording of {self.cell.id} has no sweep to stack"
            raise InputError(msg)
        for name in ("n_samples", "rate", "mode"):
            values = sorted({str(getattr(s, name)) for s in self.sweeps})
            if len(values) > 1:
                msg = (
                    f"sweeps of {self.cell.id} differ in {name} ({', '.join(values)}); "
                    "select equal ones before stacking"
                )
                raise InputError(msg)
        commands = [s.command for s in self.sweeps if s.command is not None]
        complete = len(commands) == len(self.sweeps)
        return Stacked(
            response=read_only(np.stack([s.response for s in self.sweeps])),
            command=read_only(np.stack(commands)) if complete else None,
            rate=self.sweeps[0].rate,
            numbers=tuple(s.number for s in self.sweeps),
        )

    def __repr__(self) -> str:
        """One line in mV, pA and ms."""
        if not self.sweeps:
            return f"Recording of {self.cell.id}: no sweeps"
        n = self.n_sweeps
        lengths = _span([s.duration * 1e3 for s in self.sweeps], "{:.6g}")
        rates = _span([s.rate / 1e3 for s in self.sweeps], "{:g}")
        modes = list(dict.fromkeys(s.mode for s in self.sweeps))
        contents = "; ".join(
            f"{mode}, {_contents([s for s in self.sweeps if s.mode is mode])}" for mode in modes
        )
        return (
            f"Recording of {self.cell.id}: {n} sweep{'s' if n != 1 else ''}, "
            f"{lengths} ms at {rates} kHz, {contents}"
        )


def _span(values: list[float], shown: str) -> str:
    low, high = shown.format(min(values)), shown.format(max(values))
    return low if low == high else f"{low}..{high}"


def _contents(sweeps: list[Sweep]) -> str:
    """Ranges of response and command of sweeps of one clamp mode."""
    mode = sweeps[0].mode
    response = np.array([_extremes(s.response) for s in sweeps if s.n_samples])
    command = np.array(
        [_extremes(s.command) for s in sweeps if s.command is not None and s.n_samples]
    )
    shown = show_range(command, mode.command_unit) if command.size else "unknown"
    return f"{show_range(response, mode.response_unit)}, command {shown}"


def _extremes(samples: Float[np.ndarray, "n"]) -> tuple[float, float]:
    if np.all(np.isnan(samples)):
        return (np.nan, np.nan)
    return float(np.nanmin(samples)), float(np.nanmax(samples))
