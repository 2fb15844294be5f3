"""The image-change task: which picture is flashed when, and when none is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
import numpy as np

from cleo_like.core.arrays import (
    array_eq,
    as_tuple,
    read_only,
    si_default,
    si_required,
    whole_number,
)
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

Columns: TypeAlias = Literal["stop_time", "end_time"]
"""Names of the AllenSDK before 2.16 (stop_time, image_set), or since (end_time, blocks)."""
GREY_SCREEN, OMITTED = -1, -2


def _is_share(_: object, field: attrs.Attribute, value: float) -> None:
    if not 0 <= value < 1:
        raise InputError(f"{field.name} is a share from 0 to below 1, got {value}")


@attrs.frozen(kw_only=True)
class ImageChangeTask:
    """Flashes of one picture until it changes, with grey screen before and after.

    The defaults are those of the Allen Institute's visual behavior task (Garrett et al. 2020,
    eLife 9:e50340): a flash of 250 ms every 750 ms; from 2.25 s to 8.25 s after the start of a
    trial the picture changes with the same probability at each flash (an exponential of mean
    2 s, which is 0.3 a flash); a trial starts 3 s after the last change; one trial in eight
    repeats the picture (catch); 5 % of flashes are left out, never a change or the flash
    before it, and never two in a row.

    Parameters
    ----------
    duration, grey_before, grey_after : quantity
        Of the flashes, and of the grey screen around them.
    cadence, flash : quantity
        From flash to flash, and of one flash. Both are rounded to frames of the screen.
    omissions : float
        Share of all flashes that are left out; exact to one flash.
    change_probability : float
        At each flash of a trial's window.
    window : (int, int)
        First and last flash of a trial at which the picture may change.
    pause : int
        Flashes after a change before the next trial starts.
    catch : float
        Share of trials without a change.
    refresh : quantity
        Frames of the screen per second.
    passive : bool
        Whether nobody answers. Nobody does: the tables say so.

    Raises
    ------
    InputError
        A flash longer than the cadence, a window that ends before it begins, a share outside
        0 to 1, omissions that do not fit between the changes.

    Examples
    --------
    >>> task = ImageChangeTask(duration="60 s", grey_before="10 s", grey_after="5 s")
    >>> task.schedule(n_images=8, rng=np.random.default_rng(1))
    Schedule: 80 flashes, 10 changes, 4 omitted, 75 s
    """

    duration: float = attrs.field(
        default=si_default("1 h", "s"), converter=si_required("s", "duration")
    )
    grey_before: float = attrs.field(
        default=si_default("5 min", "s"), converter=si_required("s", "grey_before")
    )
    grey_after: float = attrs.field(
        default=si_default("5 min", "s"), converter=si_required("s", "grey_after")
    )
    cadence: float = attrs.field(
        default=si_default("750 ms", "s"), converter=si_required("s", "cadence")
    )
    flash: float = attrs.field(
        default=si_default("250 ms", "s"), converter=si_required("s", "flash")
    )
    omissions: float = attrs.field(default=0.05, converter=float, validator=_is_share)
    change_probability: float = attrs.field(default=0.3, converter=float, validator=_is_share)
    window: tuple[int, int] = attrs.field(default=(3, 11), converter=as_tuple)
    pause: int = attrs.field(default=4, converter=whole_number("pause", 0))
    catch: float = attrs.field(default=0.125, converter=float, validator=_is_share)
    refresh: float = attrs.field(
        default=si_default("60 Hz", "Hz"), converter=si_required("Hz", "refresh")
    )
    passive: bool = True

    def __attrs_post_init__(self) -> None:
        """Check the numbers against one another."""
        if not 0 < self.flash < self.cadence:
            msg = (
                f"a flash must be shorter than the cadence, got {self.flash}, {self.cadence} s"
            )
            raise InputError(msg)
        if not self.refresh > 0 or round(self.flash * self.refresh) < 1:
            msg = f"a flash of {self.flash} s has no frame at {self.refresh} frames/s"
            raise InputError(msg)
        if round(self.flash * self.refresh) >= round(self.cadence * self.refresh):
            msg = f"flash and cadence are the same number of frames at {self.refresh} frames/s"
            raise InputError(msg)
        first, last = self.window
        if not 1 <= first <= last or self.change_probability == 0:
            msg = (
                f"window must be (first, last) flash of a change with first >= 1, and changes "
                f"need a probability above 0, got {self.window}, {self.change_probability}"
            )
            raise InputError(msg)
        if self.duration < self.cadence or min(self.grey_before, self.grey_after) < 0:
            msg = (
                f"duration must be one cadence ({self.cadence} s) or more and grey screen not "
                f"negative, got {self.duration}, {self.grey_before}, {self.grey_after} s"
            )
            raise InputError(msg)

    def frames(self, seconds: float) -> int:
        """Give the frames of the screen in a time."""
        return round(seconds * self.refresh)

    def schedule(self, n_images: int, rng: np.random.Generator) -> Schedule:
        """Draw which picture is flashed when.

        Parameters
        ----------
        n_images : int
            Number of pictures; with one, nothing changes.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        Schedule
        """
        n = int(self.frames(self.duration) // self.frames(self.cadence))
        image, change, sham, trial = self._trials(n, whole_number("n_images", 1)(n_images), rng)
        omitted = self._omitted(change | sham, rng)
        start = self.frames(self.grey_before) + self.frames(self.cadence) * np.arange(n)
        total = start[-1] + self.frames(self.cadence) + self.frames(self.grey_after)
        return Schedule(
            task=self, image=image, is_change=change, is_sham_change=sham, trial=trial,
            omitted=omitted, start_frame=start, n_frames=int(total),
        )  # fmt: skip

    def _trials(
        self, n: int, n_images: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw trial after trial: when it changes, and to what."""
        image = np.empty(n, dtype=int)
        change, sham, trial = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, int)
        (first, last), now, at, number = self.window, int(rng.integers(n_images)), 0, 0
        while at < n:
            waited = first + int(rng.geometric(self.change_probability)) - 1
            # the window is cut by drawing again, so that the hazard stays flat
            while waited > last:
                waited = first + int(rng.geometric(self.change_probability)) - 1
            other = int(rng.integers(n_images - 1)) if n_images > 1 else 0
            stays = bool(rng.random() < self.catch) or n_images == 1
            end = at + waited
            image[at:end], trial[at : end + self.pause] = now, number
            if end < n:
                (sham if stays else change)[end] = True
            if not stays:
                now = other + (other >= now)
            image[end : end + self.pause] = now
            at, number = end + self.pause, number + 1
        return image, change, sham, trial

    def _omitted(self, fixed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Choose flashes to leave out: no change, none before one, no two in a row."""
        n, wanted = len(fixed), round(self.omissions * len(fixed))
        free = ~fixed
        free[:-1] &= ~fixed[1:]
        free[0] = False
        omitted, blocked = np.zeros(n, bool), ~free
        for k in rng.permutation(np.flatnonzero(free)):
            if wanted == 0:
                break
            if not blocked[k]:
                omitted[k], wanted = True, wanted - 1
                blocked[max(k - 1, 0) : k + 2] = True
        if wanted:
            msg = (
                f"{wanted} omissions do not fit between changes; lower omissions (now "
                f"{self.omissions}) or let the picture change less often"
            )
            raise InputError(msg)
        return omitted


@attrs.frozen(kw_only=True)
class Schedule:
    """What was flashed when.

    Parameters
    ----------
    task : ImageChangeTask
        The rules.
    image : array of int, shape (n,)
        Number of the picture of each flash (of what would have been flashed where omitted).
    is_change, is_sham_change, omitted : array of bool, shape (n,)
        Whether the picture changed, could have (catch), or was left out.
    trial : array of int, shape (n,)
        Number of the trial.
    start_frame : array of int, shape (n,)
        Frame of the screen at which a flash starts.
    n_frames : int
        Frames of the screen in all.
    """

    task: ImageChangeTask
    image: Int[np.ndarray, " n"] = attrs.field(converter=read_only, eq=array_eq)
    is_change: Bool[np.ndarray, " n"] = attrs.field(converter=read_only, eq=array_eq)
    is_sham_change: Bool[np.ndarray, " n"] = attrs.field(converter=read_only, eq=array_eq)
    omitted: Bool[np.ndarray, " n"] = attrs.field(converter=read_only, eq=array_eq)
    trial: Int[np.ndarray, " n"] = attrs.field(converter=read_only, eq=array_eq)
    start_frame: Int[np.ndarray, " n"] = attrs.field(converter=read_only, eq=array_eq)
    n_frames: int

    def __len__(self) -> int:
        """Count the flashes, omitted ones too."""
        return len(self.image)

    def __repr__(self) -> str:
        """One line."""
        return (
            f"Schedule: {len(self)} flashes, {self.is_change.sum()} changes, "
            f"{self.omitted.sum()} omitted, {self.duration:g} s"
        )

    @property
    def duration(self) -> float:
        """Length of the session (s)."""
        return self.n_frames / self.task.refresh

    @property
    def times(self) -> Float[np.ndarray, " n_frames"]:
        """Time of each frame of the screen (s)."""
        return np.arange(self.n_frames) / self.task.refresh

    def shown(self) -> tuple[float, Int[np.ndarray, " n_steps"]]:
        """Give what is on the screen, step by step.

        Returns
        -------
        step : float
            Length of a step (s): the largest that fits flashes and pauses.
        image : array of int
            Number of the picture in each step, -1 for grey.
        """
        task = self.task
        flash, cadence = task.frames(task.flash), task.frames(task.cadence)
        lead = task.frames(task.grey_before)
        unit = int(np.gcd.reduce([flash, cadence, lead]))
        image = np.full(-(-self.n_frames // unit), GREY_SCREEN)
        seen = np.flatnonzero(~self.omitted)
        steps = self.start_frame[seen, None] // unit + np.arange(flash // unit)
        image[steps] = self.image[seen, None]
        return unit / task.refresh, image
