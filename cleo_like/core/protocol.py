"""What is commanded: sweeps of current (or potential), with their epochs.

A `Protocol` is made by `cleo_like.stimuli`, played by `cleo_like.patch`, written and read
by `cleo_like.io` and found again by `cleo_like.matching`; so it lives below all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from cleo_like.core.arrays import (
    array_eq,
    number_by_mode,
    places,
    read_only,
    samples_by_mode,
    si_mapping,
    si_number,
    si_samples,
    whole_number,
)
from cleo_like.core.errors import InputError, PlaceError, UnitError
from cleo_like.core.sweep import ClampMode, clamp_mode
from cleo_like.core.units import si, si_choice
from cleo_like.core.units.table import show_range
from cleo_like.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from jaxtyping import Float
    from matplotlib.axes import Axes

    from cleo_like.core.units import Quantity

FAMILIES = (
    "long_square", "short_square", "pulse_train", "ramp", "chirp", "sine", "noise",
    "picture", "arbitrary",
)  # fmt: skip
"""Names that `Protocol.family` may have."""


def _later(value: Any) -> np.ndarray | None:
    """Leave it as it is: where the levels are converted their unit is kept too."""
    return value


@attrs.frozen(kw_only=True)
class Epoch:
    """A stretch of every sweep, half-open: samples start, start + 1, ... stop - 1.

    Parameters
    ----------
    name : str
        "holding", "test_pulse", "step", "ramp", "chirp", "picture", "noise" ...
    start, stop : int
        Samples from the start of the sweep.
    levels : array, shape (n_sweeps,), optional
        The constant command (A or V) of each sweep in this epoch; None where the command
        varies within the epoch.
    unit : str, optional
        "A" or "V": the unit that `levels` came in, where they were quantities.

    Examples
    --------
    >>> Epoch(name="step", start=100, stop=300, levels=[1e-11, 2e-11])
    Epoch step [100, 300)
    """

    name: str
    start: int = attrs.field(converter=whole_number("start"))
    stop: int = attrs.field(converter=whole_number("stop"))
    levels: Float[np.ndarray, "n_sweeps"] | None = attrs.field(
        default=None, converter=_later, eq=array_eq
    )
    unit: str | None = attrs.field(default=None, eq=False)

    def __attrs_post_init__(self) -> None:
        """Convert the levels and check the order of the two samples."""
        if self.levels is not None:
            unit, levels = si_choice(self.levels, ("A", "V"), f"levels of {self.name!r}")
            object.__setattr__(self, "levels", read_only(levels))
            object.__setattr__(self, "unit", unit if unit is not None else self.unit)
        if not 0 <= self.start < self.stop:
            msg = (
                f"epoch {self.name!r} needs 0 <= start < stop, got [{self.start}, {self.stop})"
            )
            raise InputError(msg)

    def window(self, rate: Quantity) -> Window:
        """Give the same stretch in seconds.

        Parameters
        ----------
        rate : quantity
            Sampling rate of the protocol.

        Examples
        --------
        >>> Epoch(name="step", start=100, stop=300).window("20 kHz")
        Window 0.005..0.015 s
        """
        hertz = si(rate, "Hz", "rate")
        return Window(start=self.start / hertz, end=self.stop / hertz)

    def __repr__(self) -> str:
        """One line with the half-open range."""
        return f"Epoch {self.name} [{self.start}, {self.stop})"


def _epochs(values: Any) -> tuple[Epoch, ...]:
    found = () if values is None else tuple(values)
    for value in found:
        if not isinstance(value, Epoch):
            msg = f"epochs must be a list of Epoch, got {type(value).__name__}: {value!r}"
            raise InputError(msg)
    return found


@attrs.frozen(kw_only=True)
class Protocol:
    """Commanded sweeps of equal length.

    Arrays and numbers are SI; quantities (Brian2, ``quantities``, pint, astropy), and lists of
    them, are converted and must have the unit of the clamp mode.

    Parameters
    ----------
    waveforms : array, shape (n_sweeps, n_samples)
        Total command, holding included (A in current clamp, V in voltage clamp).
    rate : float
        Samples per second (Hz).
    family : str
        One of `FAMILIES`.
    mode : ClampMode or str
        "current_clamp" (default) or "voltage_clamp".
    epochs : sequence of Epoch
        In order, without overlap; samples in no epoch are at holding.
    holding : float
        Command between sweeps and outside the epochs (A or V).
    gap : float
        Pause at holding between the end of a sweep and the start of the next (s).
    name : str
        Short name for files and figures.
    source : str
        Where the protocol comes from (paper, manual, picture).
    parameters : mapping
        Arguments it was made with (JSON types, SI).
    picture : array, shape (rows, columns), optional
        Grey values 0..1 that a picture protocol draws, one row per sweep.

    Examples
    --------
    >>> Protocol(waveforms=np.zeros((2, 400)), rate=2e4, family="arbitrary")
    Protocol arbitrary: 2 sweeps of 20 ms at 20 kHz, 0..0 pA, gap 0 ms
    """

    # before what is converted by it
    mode: ClampMode = attrs.field(default=ClampMode.CURRENT, converter=clamp_mode)
    waveforms: Float[np.ndarray, "n_sweeps n_samples"] = attrs.field(
        converter=samples_by_mode("command", "waveforms"), eq=array_eq
    )
    rate: float = attrs.field(converter=si_number("Hz", "rate"))
    family: str = attrs.field()
    epochs: tuple[Epoch, ...] = attrs.field(default=(), converter=_epochs)
    holding: float = attrs.field(default=0.0, converter=number_by_mode("command", "holding"))
    gap: float = attrs.field(default=0.0, converter=si_number("s", "gap"))
    name: str = attrs.field()
    source: str = "user"
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=si_mapping)
    picture: Float[np.ndarray, "rows columns"] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(si_samples("1", name="picture")),
        eq=array_eq,
    )

    @name.default
    def _name_from_family(self) -> str:
        return self.family

    def __attrs_post_init__(self) -> None:
        """Check shape, values, family and epochs."""
        w = self.waveforms
        if w.ndim != 2 or w.size == 0:
            msg = f"waveforms must have the shape (n_sweeps, n_samples), got {w.shape}"
            raise InputError(msg)
        bad = ~np.isfinite(w)
        if bad.any():
            sweep, sample = np.argwhere(bad)[0]
            msg = (
                f"the command of sweep {sweep} is {w[sweep, sample]} at sample {sample}; "
                "a command must be finite everywhere"
            )
            raise InputError(msg)
        if self.family not in FAMILIES:
            msg = f"family must be one of {', '.join(FAMILIES)}, got {self.family!r}"
            raise InputError(msg)
        if not (np.isfinite(self.rate) and self.rate > 0):
            msg = f"rate must be a positive number of Hz, got {self.rate}"
            raise InputError(msg)
        if not (np.isfinite(self.gap) and self.gap >= 0):
            msg = f"gap must be 0 s or more, got {self.gap} s"
            raise InputError(msg)
        self._check_epochs()

    def _check_epochs(self) -> None:
        last = 0
        for epoch in self.epochs:
            if epoch.unit not in (None, self.mode.command_unit):
                msg = (
                    f"the levels of {epoch!r} are in {epoch.unit}; mode is {self.mode}, whose "
                    f"command is in {self.mode.command_unit}"
                )
                raise UnitError(msg)
            if epoch.start < last or epoch.stop > self.n_samples:
                msg = (
                    f"{epoch!r} overlaps the one before it or ends after the sweep of "
                    f"{self.n_samples} samples"
                )
                raise InputError(msg)
            if epoch.levels is not None and epoch.levels.shape != (self.n_sweeps,):
                msg = (
                    f"{epoch!r} needs one level per sweep ({self.n_sweeps}), "
                    f"got shape {epoch.levels.shape}"
                )
                raise InputError(msg)
            last = epoch.stop

    def __len__(self) -> int:
        """Count the sweeps."""
        return self.n_sweeps

    def __iter__(self) -> Iterator[np.ndarray]:
        """Go over the commands (SI) of the sweeps."""
        return iter(self.waveforms)

    @overload
    def __getitem__(self, which: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, which: slice | Sequence[int] | np.ndarray) -> Protocol: ...
    def __getitem__(self, which: Any) -> np.ndarray | Protocol:
        """Give the command (SI) of one sweep, or a protocol of some (a slice, places, a mask).

        Examples
        --------
        >>> protocol = Protocol(waveforms=np.zeros((5, 400)), rate=2e4, family="arbitrary")
        >>> len(protocol), protocol[0].shape, len(protocol[::2])
        (5, (400,), 3)
        """
        if isinstance(which, (int, np.integer)):
            if not -len(self) <= which < len(self):
                msg = f"protocol {self.name!r} has {len(self)} sweeps, got [{which}]"
                raise PlaceError(msg)
            return self.waveforms[which]
        rows = places(f"protocol {self.name!r}", len(self), which)
        epochs = [
            epoch if epoch.levels is None else attrs.evolve(epoch, levels=epoch.levels[rows])
            for epoch in self.epochs
        ]
        picture = self.picture
        if picture is not None:
            picture = picture[rows] if len(picture) == len(self) else None
        return attrs.evolve(
            self, waveforms=self.waveforms[rows], epochs=epochs, picture=picture
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the commands over each other, or as an image if the protocol is a picture.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.

        Returns
        -------
        Axes
        """
        from cleo_like.core.views.protocols import plot_protocol

        return plot_protocol(self, ax)

    def to_pandas(self) -> pd.DataFrame:
        """Give a DataFrame with a row for each sample of each sweep, in pA (or mV) and s."""
        from cleo_like.core.views.exchange import protocol_frame

        return protocol_frame(self)

    def _repr_html_(self) -> str:
        from cleo_like.core.views.protocols import protocol_card

        return protocol_card(self)

    @property
    def n_sweeps(self) -> int:
        """Number of sweeps."""
        return self.waveforms.shape[0]

    @property
    def n_samples(self) -> int:
        """Samples per sweep."""
        return self.waveforms.shape[1]

    @property
    def duration(self) -> float:
        """Length of one sweep (s)."""
        return self.n_samples / self.rate

    @property
    def total_duration(self) -> float:
        """From the first sample to the last of the last sweep, gaps included (s)."""
        return self.n_sweeps * self.duration + (self.n_sweeps - 1) * self.gap

    @property
    def start_times(self) -> Float[np.ndarray, "n_sweeps"]:
        """Start of each sweep (s) from the start of the first."""
        return read_only(np.arange(self.n_sweeps) * (self.duration + self.gap))

    @property
    def time(self) -> Float[np.ndarray, "n_samples"]:
        """Time of each sample (s) from the start of the sweep."""
        return read_only(np.arange(self.n_samples) / self.rate)

    @property
    def is_steps(self) -> bool:
        """Whether every sample is at holding or in an epoch of constant level."""
        return all(epoch.levels is not None for epoch in self.epochs) and bool(self.epochs)

    def epoch(self, name: str) -> Epoch:
        """Give the first epoch of that name.

        Raises
        ------
        InputError
            There is none; the message lists those there are.
        """
        for epoch in self.epochs:
            if epoch.name == name:
                return epoch
        have = ", ".join(e.name for e in self.epochs) if self.epochs else "none"
        msg = f"protocol {self.name!r} has no epoch {name!r}; it has: {have}"
        raise InputError(msg)

    def window(self, name: str) -> Window:
        """Give the window (s) of the first epoch of that name.

        Examples
        --------
        >>> step = Epoch(name="step", start=100, stop=300)
        >>> Protocol(waveforms=np.zeros((1, 400)), rate=2e4, family="arbitrary",
        ...          epochs=[step]).window("step")
        Window 0.005..0.015 s
        """
        epoch = self.epoch(name)
        return Window(start=epoch.start / self.rate, end=epoch.stop / self.rate)

    def description(self) -> dict[str, Any]:
        """Everything but the waveforms and the picture, as JSON types (for files)."""
        return {
            "family": self.family,
            "name": self.name,
            "mode": str(self.mode),
            "rate": self.rate,
            "holding": self.holding,
            "gap": self.gap,
            "source": self.source,
            "epochs": [
                {
                    "name": e.name,
                    "start": e.start,
                    "stop": e.stop,
                    "levels": None if e.levels is None else e.levels.tolist(),
                }
                for e in self.epochs
            ],
            "parameters": dict(self.parameters),
        }

    @classmethod
    def from_description(
        cls,
        description: Mapping[str, Any],
        waveforms: Float[np.ndarray, "n_sweeps n_samples"],
        picture: Float[np.ndarray, "rows columns"] | None = None,
    ) -> Protocol:
        """Put together what `description` wrote and the arrays that a file keeps apart."""
        fields = dict(description)
        fields["epochs"] = [Epoch(**e) for e in fields.get("epochs", ())]
        return cls(waveforms=waveforms, picture=picture, **fields)

    def __repr__(self) -> str:
        """One line in pA (or mV) and ms."""
        n = self.n_sweeps
        return (
            f"Protocol {self.name}: {n} sweep{'s' if n != 1 else ''} of "
            f"{self.duration * 1e3:.6g} ms at {self.rate / 1e3:g} kHz, "
            f"{show_range(self.waveforms, self.mode.command_unit)}, gap {self.gap * 1e3:g} ms"
        )


def levels_from_epochs(
    epochs: Sequence[Epoch], n_sweeps: int, n_samples: int, holding: float
) -> Float[np.ndarray, "n_sweeps n_samples"]:
    """Draw the waveforms of epochs that all have levels.

    Examples
    --------
    >>> levels_from_epochs([Epoch(name="step", start=1, stop=3, levels=[5.0])], 1, 4, 0.0)
    array([[0., 5., 5., 0.]])
    """
    waveforms = np.full((n_sweeps, n_samples), float(holding))
    for epoch in epochs:
        if epoch.levels is None:
            msg = f"{epoch!r} has no levels; its command varies within the epoch"
            raise InputError(msg)
        waveforms[:, epoch.start : epoch.stop] = epoch.levels[:, np.newaxis]
    return waveforms
