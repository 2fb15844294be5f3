r"""Fluorescence from spike times: work only at spikes and frames, and no error to speak of.

Between spikes, calcium above rest x obeys an autonomous equation whose solution is implicit,
:math:`G(x(t)) = G(x_0) - \gamma t` with
:math:`G(x) = (1+\kappa_S)\ln x + B_T K_d [\ln(x/(x+a))/a^2 + 1/(a(x+a))]` and
:math:`a = K_d + Ca_{rest}`. So a cell is its G, which falls in a straight line; one table,
shared by all cells, turns G into x and its slope. The binding kernel is two linear filters,
advanced exactly for an x that is a cubic in time between two events (its values and slopes
at both ends are known).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

KNOTS = 2**16
FLOOR = 1e-7
"""Calcium above rest, relative to rest, that counts as none."""
LONGEST = 0.15
"""Longest step, relative to the fastest time constant of calcium."""


@attrs.frozen(kw_only=True)
class Kinetics:
    """Parameters of an indicator in SI floats (mol/m^3, s): all that spikes need.

    Parameters
    ----------
    rest, K_d, B_T, influx : float
        Concentrations (mol/m^3, which is mM).
    gamma, kappa_S : float
        Extrusion (1/s), binding ratio of the cell's buffers.
    n_H, dFF_max, gain : float
        Hill coefficient, scale, and further factor (excitation).
    A, tau_on, tau_off : float, optional
        Binding kernel (1/s, s, s); None for instantaneous binding.
    """

    rest: float
    K_d: float
    B_T: float
    influx: float
    gamma: float
    kappa_S: float  # noqa: N815
    n_H: float  # noqa: N815
    dFF_max: float  # noqa: N815
    gain: float = 1.0
    A: float | None = None
    tau_on: float | None = None
    tau_off: float | None = None

    def hill(self, bound: Any) -> Any:
        """Saturation of the indicator (0 to 1) for an effective concentration."""
        return hill(bound, self.K_d, self.n_H)

    def dff(self, bound: Any) -> Any:
        """Give dF/F, 0 at rest, for an effective concentration."""
        return self.gain * self.dFF_max * (self.hill(bound) - self.hill(self.rest))

    @property
    def resting_brightness(self) -> float:
        """Fluorescence at rest over that without calcium."""
        return float(1 + self.dFF_max * self.hill(self.rest))


def hill(bound: Any, k_d: float, n_h: float) -> Any:
    """Hill function; negative concentrations (none is physical) count as 0."""
    ratio = np.maximum(bound, 0.0) / k_d
    power = ratio if n_h == 1 else ratio**n_h
    return power / (1.0 + power)


class CalciumTable:
    """Calcium above rest and its slope, by G, on a uniform grid."""

    def __init__(self, kinetics: Kinetics) -> None:
        self.kinetics = k = kinetics
        low = np.log(FLOOR * k.rest)
        high = np.log(max(1e4 * k.influx, 1e3 * k.K_d))
        fine = np.exp(np.linspace(low, high, 4 * KNOTS))
        g = self.g(fine)
        self.lowest = float(g[0])
        self.step = float(g[-1] - g[0]) / (KNOTS - 1)
        grid = self.lowest + self.step * np.arange(KNOTS)
        x = np.exp(np.interp(grid, g, np.log(fine)))
        for _ in range(2):  # Newton: the table is exact at its knots
            x *= np.exp((grid - self.g(x)) / self._slowing(x))
        slope = -k.gamma * x / self._slowing(x)
        x[0] = slope[0] = 0.0
        # x, slope, and their differences, side by side: one gather finds all four
        differences = np.append(np.diff(x), 0.0), np.append(np.diff(slope), 0.0)
        self._rows = np.ascontiguousarray(np.stack([x, slope, *differences], axis=1))

    def _slowing(self, x: Any) -> Any:
        """Give 1 + kappa_S + kappa_B, the derivative of G by ln x."""
        k = self.kinetics
        return 1 + k.kappa_S + k.B_T * k.K_d / (x + k.K_d + k.rest) ** 2

    def g(self, x: Any) -> Any:
        """Give G of calcium above rest."""
        k = self.kinetics
        a = k.K_d + k.rest
        buffered = np.log(x / (x + a)) / a**2 + 1 / (a * (x + a))
        return (1 + k.kappa_S) * np.log(x) + k.B_T * k.K_d * buffered

    def look_up(self, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give calcium above rest (mol/m^3) and its slope (1/s of it)."""
        place = (g - self.lowest) * (1 / self.step)
        np.maximum(place, 0.0, out=place)
        np.minimum(place, KNOTS - 1.0, out=place)
        knot = place.astype(np.intp)
        place -= knot
        rows = self._rows.take(knot, axis=0)
        return rows[:, 0] + place * rows[:, 2], rows[:, 1] + place * rows[:, 3]

    def jump(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give G, calcium above rest, and its slope after the influx of one spike."""
        after = x + self.kinetics.influx / self._slowing(x)
        slope = -self.kinetics.gamma * after / self._slowing(after)
        return np.asarray(self.g(after)), after, slope


_TERMS = 16
_SERIES = np.array(
    [
        [(-1.0) ** m * np.prod(np.arange(1, n + 1)) / np.prod(np.arange(1.0, m + n + 2))
         for n in range(4)]
        for m in range(_TERMS)
    ]
)  # fmt: skip


def _moments(z: np.ndarray) -> np.ndarray:
    """Integrals of exp(-z (1 - s)) s^n for s from 0 to 1, n = 0..3, shape (..., 4)."""
    small = np.minimum(z, 1.0)[..., None] ** np.arange(_TERMS) @ _SERIES
    if z.max(initial=0.0) <= 1:
        return np.asarray(small)
    big = np.maximum(z, 1.0)
    rows = [(1 - np.exp(-big)) / big]
    for n in (1, 2, 3):
        rows.append((1 - n * rows[-1]) / big)
    return np.where(z[..., None] <= 1, small, np.stack(rows, axis=-1))


def _weights(rates: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Weights of all filters over steps: themselves, then x and its slope at both ends.

    Shape (5, n_filters, n_steps).
    """
    m = _moments(rates[:, None] * h)
    m0, m1, m2, m3 = m[..., 0], m[..., 1], m[..., 2], m[..., 3]
    own = np.exp(-rates[:, None] * h)
    first = (h * (m0 - 3 * m2 + 2 * m3), h * h * (m1 - 2 * m2 + m3))
    return np.stack([own, *first, h * (3 * m2 - 2 * m3), h * h * (m3 - m2)])


class _WeightTable:
    """Weights for many steps of different length, interpolated."""

    def __init__(self, rates: np.ndarray, longest: float, knots: int = 2**13) -> None:
        self._scale = knots / longest
        grid = np.arange(knots + 2) / self._scale
        weights = _weights(rates, grid).reshape(5 * len(rates), len(grid)).T
        rows = np.concatenate([weights[:-1], np.diff(weights, axis=0)], axis=1)
        self._rows = np.ascontiguousarray(rows)  # else every take copies all of it
        self._n = len(rates)

    def __call__(self, h: np.ndarray) -> np.ndarray:
        place = h * self._scale
        knot = place.astype(np.intp)
        place -= knot
        rows = self._rows.take(knot, axis=0)
        half = 5 * self._n
        weights = rows[:, :half] + place[:, None] * rows[:, half:]
        return np.asarray(weights.T.reshape(5, self._n, len(h)))


@attrs.define(eq=False)
class _State:
    """G, calcium above rest, its slope, and the two filters, of some cells."""

    g: np.ndarray
    x: np.ndarray
    slope: np.ndarray
    filters: np.ndarray

    def part(self, index: np.ndarray) -> _State:
        """Copy the state of some cells."""
        return _State(
            g=self.g[index],
            x=self.x[index],
            slope=self.slope[index],
            filters=self.filters[:, index],
        )

    def put(self, index: np.ndarray, part: _State) -> None:
        """Write the state of some cells back."""
        self.g[index], self.x[index], self.slope[index] = part.g, part.x, part.slope
        self.filters[:, index] = part.filters


class EventDriven:
    """Cells of one indicator, advanced from event to event.

    Parameters
    ----------
    kinetics : Kinetics
        The indicator.
    n : int
        Number of cells (or ROIs).

    Examples
    --------
    >>> from cleo_like.imaging import gcamp6f
    >>> cells = EventDriven(gcamp6f().kinetics(), 2)
    >>> cells.advance(0.074, np.array([1]), np.array([0.0]))  # cell 1 spikes at 0
    >>> [round(float(x), 3) for x in cells.dff()]
    [0.0, 0.105]
    """

    def __init__(self, kinetics: Kinetics, n: int) -> None:
        self.kinetics = kinetics
        self.n = n
        self.table = CalciumTable(kinetics)
        self.rates = np.zeros(0)
        if kinetics.tau_on is not None and kinetics.tau_off is not None:
            off = 1 / kinetics.tau_off
            self.rates = np.array([off, off + 1 / kinetics.tau_on])
        self._longest = LONGEST * (1 + kinetics.kappa_S) / kinetics.gamma
        self._table = _WeightTable(self.rates, self._longest)
        self._cached: tuple[float, np.ndarray] = (-1.0, np.zeros((5, 0, 1)))
        self.reset()

    def reset(self) -> None:
        """Go back to rest at time 0."""
        self.time = 0.0
        self._state = _State(
            g=np.full(self.n, self.table.lowest - 1.0),
            x=np.zeros(self.n),
            slope=np.zeros(self.n),
            filters=np.zeros((len(self.rates), self.n)),
        )

    def advance(
        self,
        time: float,
        cells: Int[np.ndarray, "n_spikes"] | None = None,
        times: Float[np.ndarray, "n_spikes"] | None = None,
    ) -> None:
        """Advance all cells to a time.

        Parameters
        ----------
        time : float
            Seconds, not before the present one.
        cells, times : array, shape (n_spikes,)
            Spikes since the present time up to and with the new one, in order of time:
            who, and when (s).
        """
        if cells is None or times is None or len(cells) == 0:
            self._step_all(time)
            return
        who, place = np.unique(cells, return_inverse=True) if len(cells) > 1 else (cells, None)
        part = self._state.part(who)
        start = self.time
        self._step_all(time)
        if place is None or len(who) == len(cells):
            when = times if place is None else times[np.argsort(place)]
            self._through_one(part, when - start)
            self._step_some(part, time - when)
        else:
            self._through_spikes(part, place, times, start, time)
        self._state.put(who, part)

    def _step_all(self, time: float) -> None:
        """Advance all cells by the same step, whose weights are kept for the next time."""
        h = time - self.time
        if h > 0:
            pieces = max(1, int(np.ceil(h / self._longest)))
            h /= pieces
            if abs(h - self._cached[0]) > 1e-12:
                self._cached = (h, _weights(self.rates, np.array([h])))
            for _ in range(pieces):
                self._move(self._state, h, self._cached[1])
        self.time = time

    def _move(self, state: _State, h: Any, weights: np.ndarray) -> None:
        state.g -= self.kinetics.gamma * h
        x, slope = self.table.look_up(state.g)
        if len(weights[0]):
            own, x0, s0, x1, s1 = weights
            state.filters = (
                own * state.filters + x0 * state.x + s0 * state.slope + x1 * x + s1 * slope
            )
        state.x, state.slope = x, slope

    def _through_spikes(
        self, part: _State, place: np.ndarray, times: np.ndarray, start: float, end: float
    ) -> None:
        """Advance cells that spike: all their first spikes, all their second ones, ..."""
        now = np.full(len(part.g), start)
        order = np.argsort(place, kind="stable")
        sorted_place = place[order]
        rank = np.arange(len(order)) - np.searchsorted(sorted_place, sorted_place)
        for k in range(int(rank.max()) + 1):
            mine = sorted_place[rank == k]
            when = times[order[rank == k]]
            some = part.part(mine)
            self._through_one(some, when - now[mine])
            part.put(mine, some)
            now[mine] = when
        self._step_some(part, end - now)

    def _through_one(self, some: _State, h: np.ndarray) -> None:
        """Advance cells to a spike of each, and through it."""
        self._step_some(some, h)
        some.g, some.x, some.slope = self.table.jump(some.x)

    def _step_some(self, state: _State, h: np.ndarray) -> None:
        h = np.maximum(h, 0.0)
        pieces = max(1, int(np.ceil(h.max(initial=0.0) / self._longest)))
        if pieces > 1:
            h = h / pieces
        weights = self._table(h)
        for _ in range(pieces):
            self._move(state, h, weights)

    def calcium(self) -> Float[np.ndarray, "n"]:
        """Give free calcium (mol/m^3)."""
        return self.kinetics.rest + self._state.x

    def dff(self) -> Float[np.ndarray, "n"]:
        """Give dF/F."""
        k = self.kinetics
        if len(self.rates) == 0:
            return np.asarray(k.dff(k.rest + self._state.x))
        fast, slow = self._state.filters
        return np.asarray(k.dff(k.rest + (k.A if k.A is not None else 0.0) * (fast - slow)))


def dff_of_spikes(
    kinetics: Kinetics,
    spike_cells: Int[np.ndarray, "n_spikes"],
    spike_times: Float[np.ndarray, "n_spikes"],
    frame_times: Float[np.ndarray, "n_frames"],
    n: int,
) -> tuple[Float[np.ndarray, "n n_frames"], Float[np.ndarray, "n n_frames"]]:
    """Compute fluorescence and calcium of cells from their spikes, all frames at once.

    Parameters
    ----------
    kinetics : Kinetics
        The indicator.
    spike_cells, spike_times : array, shape (n_spikes,)
        Who, and when (s), in any order; a spike at the time of a frame is in it.
    frame_times : array, shape (n_frames,)
        Rising times (s, from 0).
    n : int
        Number of cells.

    Returns
    -------
    tuple of array, shape (n, n_frames)
        dF/F and free calcium (mol/m^3).
    """
    return frames_of_cells(EventDriven(kinetics, n), spike_cells, spike_times, frame_times)


def frames_of_cells(
    model: Any, spike_cells: np.ndarray, spike_times: np.ndarray, frame_times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Advance cells through all their spikes, frame by frame.

    Parameters
    ----------
    model : EventDriven, or an object with its n, advance(), dff() and calcium()
        Cells at rest at time 0.
    spike_cells, spike_times, frame_times : array
        As in `dff_of_spikes`.

    Returns
    -------
    tuple of array, shape (n, n_frames)
        What dff() and calcium() give.
    """
    order = np.argsort(spike_times, kind="stable")
    cells, times = np.asarray(spike_cells)[order], np.asarray(spike_times)[order]
    ends = np.searchsorted(times, np.asarray(frame_times) + 1e-9, side="right")
    shape = (len(frame_times), model.n)
    dff, calcium = np.empty(shape), np.empty(shape)
    first = 0
    for k, (frame, last) in enumerate(zip(frame_times, ends, strict=True)):
        model.advance(float(frame), cells[first:last], times[first:last])
        dff[k], calcium[k], first = model.dff(), model.calcium(), last
    return dff.T, calcium.T
