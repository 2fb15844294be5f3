"""What a sensor shows of itself: its line, its answer to a spike, the cells as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.imaging.sensors.block import targets_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_BEFORE = 0.1
"""Rest before the spike, as a part of the time that is drawn."""
_HALVES = 6
"""Half decays after the peak that are drawn: 1.6 % is left."""


class ShowsSensor:
    """A sensor in a line, as a figure and as a table."""

    name: str
    sigma_noise: float
    dFF_1AP: float | None  # noqa: N815 - Cleo's name
    blocks: dict[Any, Any]
    source_ngs: dict[str, Any]
    now: float

    def answer_to_one_spike(self, times: np.ndarray) -> np.ndarray | None:
        """Give the noise-free dF/F at times (s) after one spike of the usual cell.

        Parameters
        ----------
        times : array, shape (n,)
            Seconds from the spike; before it dF/F is 0.

        Returns
        -------
        array or None
            None where spikes alone do not tell it.
        """
        del times
        return None

    def _lasts(self) -> float:
        """Give how long (s) an answer to one spike is worth drawing."""
        return 1.0

    def __len__(self) -> int:
        """Count the cells that have the sensor."""
        return sum(len(self.cells_of(name)) for name in self.source_ngs)

    def __bool__(self) -> bool:
        """Answer that the sensor is there, also before it is in any cell."""
        return True

    def cells_of(self, group: str) -> np.ndarray:
        """Give the neurons of a group that have the sensor, one for each ROI."""
        block = self.blocks[group]
        if hasattr(block, "targets"):
            return np.asarray(block.targets)
        if block.synapses is None:
            return np.zeros(0, dtype=int)
        return np.asarray(targets_of(block.synapses, self.source_ngs[group]))

    def __repr__(self) -> str:
        """One line: size and noise of the signal, and where it is."""
        one = "unknown" if self.dFF_1AP is None else f"{self.dFF_1AP:.3g}"
        n, groups = len(self), ", ".join(self.source_ngs)
        where = f"in {n} cells of {groups}" if self.source_ngs else "in no cells yet"
        return (
            f"{type(self).__name__} {self.name}: dF/F of one spike {one}, "
            f"noise {self.sigma_noise:.3g}, {where}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the answer to one spike, or dF/F over calcium where the neurons make it.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure where not given.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            The equations are the user's own, and tell neither.
        """
        from cleo_like.core.views.panels import given_axes, new_axes
        from cleo_like.core.views.style import RESPONSE_COLOUR, house_style

        x, y, label = self._curve()
        with house_style():
            axes = new_axes(6.0, 3.2) if ax is None else given_axes(ax)
            axes.plot(x, y, color=RESPONSE_COLOUR, lw=1.4)
            axes.axhline(self.sigma_noise, color="0.6", lw=0.8, ls=":")
            axes.annotate(
                "noise of a frame", (x[-1], self.sigma_noise), xytext=(0, 2),
                textcoords="offset points", ha="right", fontsize=9, color="0.35",
            )  # fmt: skip
            axes.set(xlabel=label, ylabel="dF/F", title=self.name)
        return axes

    def _curve(self) -> tuple[np.ndarray, np.ndarray, str]:
        """Give what is drawn, and the label of its first axis."""
        lasts = self._lasts()
        times = np.linspace(-_BEFORE * lasts, lasts, 1000)
        answer = self.answer_to_one_spike(times)
        if answer is not None:
            return times, answer, "time from a spike (s)"
        steady = self.steady_curve()
        if steady is None:
            msg = (
                f"{self.name!r} is computed by equations of its own; inject it, run, and plot "
                f"the scope's traces"
            )
            raise InputError(msg)
        return (*steady, "calcium (uM)")

    def steady_curve(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Give calcium (uM) and the dF/F that it makes when it stays; None if unknown."""
        return None

    def to_pandas(self) -> pd.DataFrame:
        """Give the cells as they are now: a row for each, without the noise of frames.

        Returns
        -------
        DataFrame
            ``group``, ``neuron``, ``dFF`` and ``calcium_mM`` (NaN where the model has none).
        """
        import pandas as pd

        parts = []
        for group in self.source_ngs:
            dff, calcium = self.blocks[group].read(self.now)
            columns = {"neuron": self.cells_of(group), "dFF": dff, "calcium_mM": calcium}
            parts.append(pd.DataFrame(columns).assign(group=group))
        names = ["group", "neuron", "dFF", "calcium_mM"]
        whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)
        return whole[names]

    def _repr_html_(self) -> str:
        from cleo_like.core.views.devices import device_card

        try:
            self._curve()
        except InputError:
            return device_card(repr(self), {}, None)
        return device_card(repr(self), {}, self.plot)


def time_worth_drawing(time_to_peak: float, half_decay: float) -> float:
    """Give how long (s) a response lasts of which these two are known."""
    return time_to_peak + _HALVES * half_decay
