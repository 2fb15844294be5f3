"""A stretch of time of every sweep: where something is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.arrays import si_number
from cleo_like.core.errors import InputError
from cleo_like.core.units import si

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cleo_like.core.units import Quantity


def _pair(times: Any) -> tuple[float, float]:
    first, last = times
    return float(first), float(last)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Window:
    """A stretch of time of every sweep, half-open, in seconds from its first sample.

    It unpacks, and compares, as the pair of its two times: ``start, end = window``. An `Epoch`
    is the same stretch in samples, with a name.

    Parameters
    ----------
    start : float
        Time (s) of the first sample in it; of a step, the first at the new level.
    end : float
        Time (s) of the first sample after it.
    baseline : tuple of float, optional
        Start and end (s) of the last rest before the step; by default it is looked for in
        the command.
    pulses : tuple of (start, end)
        Other pulses (s), alike in all sweeps: where the steps do not tell the input
        resistance or the time constant, a hyperpolarising one among these may.

    Examples
    --------
    >>> window = Window(start=0.25, end=0.75)
    >>> window, window.duration, tuple(window)
    (Window 0.25..0.75 s, 0.5, (0.25, 0.75))
    """

    start: float = attrs.field(converter=si_number("s", "start"))
    end: float = attrs.field(converter=si_number("s", "end"))
    baseline: tuple[float, float] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_pair)
    )
    pulses: tuple[tuple[float, float], ...] = ()

    def __attrs_post_init__(self) -> None:
        """Check the order."""
        if not 0 <= self.start < self.end:
            msg = f"a window needs 0 <= start < end, got {self.start} s and {self.end} s"
            raise InputError(msg)

    @property
    def duration(self) -> float:
        """Length (s)."""
        return self.end - self.start

    def __iter__(self) -> Iterator[float]:
        """Give start and end (s)."""
        return iter((self.start, self.end))

    def __len__(self) -> int:
        """Count the two times."""
        return 2

    def __getitem__(self, which: int) -> float:
        """Give the start (0) or the end (1) (s)."""
        return (self.start, self.end)[which]

    def __eq__(self, other: object) -> bool:
        """Compare all of it, or, with a pair, the two times."""
        if isinstance(other, tuple):
            return tuple(self) == other
        if not isinstance(other, Window):
            return NotImplemented
        return _content(self) == _content(other)

    def __hash__(self) -> int:
        """Hash as the pair does, to which it may be equal."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """One line."""
        rest = "" if self.baseline is None else ", rest {:.6g}..{:.6g} s".format(*self.baseline)
        more = f", {len(self.pulses)} other pulses" if self.pulses else ""
        return f"Window {self.start:.6g}..{self.end:.6g} s{rest}{more}"


def _content(window: Window) -> tuple[Any, ...]:
    return window.start, window.end, window.baseline, window.pulses


WindowLike = Window | tuple[Any, Any] | str
"""What ``window=`` takes: a `Window`, a pair of times with units, the name of an epoch."""


def chosen_window(
    start: Quantity | None,
    end: Quantity | None,
    window: WindowLike | None,
    named: Callable[[str], Window] | None = None,
) -> Window | None:
    """Give the window that a caller chose, by its two times or whole.

    Parameters
    ----------
    start, end : quantity, optional
        Its times; both, or neither.
    window : Window, pair of quantities or str, optional
        Instead of the two; a text is the name of an epoch.
    named : callable, optional
        Gives the window of an epoch by its name; None where there are no epochs.

    Returns
    -------
    Window or None
        None where nothing was chosen.

    Raises
    ------
    InputError
        Both, or one time without the other, or something that is no window.

    Examples
    --------
    >>> chosen_window("200 ms", "0.7 s", None), chosen_window(None, None, ("1 s", "2 s"))
    (Window 0.2..0.7 s, Window 1..2 s)
    """
    if window is None:
        if (start is None) != (end is None):
            msg = "give both start= and end=, or neither"
            raise InputError(msg)
        return None if start is None else _of_times(start, end)
    if start is not None or end is not None:
        msg = "give a window= or start= and end=, not both"
        raise InputError(msg)
    if isinstance(window, Window):
        return window
    if isinstance(window, str):
        if named is None:
            msg = (
                f"window={window!r} would be the name of an epoch, and there is no protocol "
                f"here; give a pair of times, as in window=('0.5 s', '1.5 s')"
            )
            raise InputError(msg)
        return named(window)
    if hasattr(window, "stop"):
        msg = (
            f"{window!r} counts samples, and window= is in seconds; write "
            f"protocol.window({getattr(window, 'name', 'step')!r})"
        )
        raise InputError(msg)
    try:
        first, last = window
    except (TypeError, ValueError):
        msg = (
            f"window must be a Window, a pair of times as in ('0.5 s', '1.5 s'), or the name "
            f"of an epoch; got {window!r:.80}"
        )
        raise InputError(msg) from None
    return _of_times(first, last)


def _of_times(start: Quantity, end: Quantity) -> Window:
    return Window(start=si(start, "s", "start"), end=si(end, "s", "end"))
