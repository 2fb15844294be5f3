"""Sets of pictures: made by a procedure with the statistics of natural ones, or the user's."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, read_only, texts, whole_number
from cleo_like.core.errors import InputError
from cleo_like.sessions.visual.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from jaxtyping import Float

GREY = 127.0
"""Grey level of the screen between flashes, and the mean of every picture."""
_CONTRAST = 55.0
"""Standard deviation of a picture's grey levels."""


def _grey_levels(value: Any) -> np.ndarray:
    return read_only(np.array(value, dtype=np.float32))


@attrs.frozen(kw_only=True)
class ImageSet:
    """Pictures that are flashed, on a grid of equal angles.

    Parameters
    ----------
    pictures : array, shape (n, rows, columns)
        Grey levels, 0 to 255.
    names : sequence of str
        One for each picture.
    screen : Screen
        Where they are shown.
    name : str
        Of the set; the tables call it image_set.
    source : str
        Where the pictures come from.

    Raises
    ------
    InputError
        No picture, names that are not one for each or not unique, values outside 0 to 255.

    Examples
    --------
    >>> ImageSet.natural_like(3, seed=1)
    ImageSet 'A': 3 pictures of 200 x 320 (dead leaves, seed 1)
    """

    pictures: Float[np.ndarray, "n rows columns"] = attrs.field(
        converter=_grey_levels, eq=array_eq
    )
    names: tuple[str, ...] = attrs.field(converter=texts)
    screen: Screen = attrs.field(factory=Screen)
    name: str = "A"
    source: str = "user"

    def __attrs_post_init__(self) -> None:
        """Check shapes, names and values."""
        wanted = (len(self.names), self.screen.rows, self.screen.columns)
        if self.pictures.shape != wanted or len(self.names) == 0:
            msg = (
                f"pictures must be (n, rows, columns) = {wanted} (one name each, pixels of the "
                f"screen), got {self.pictures.shape}"
            )
            raise InputError(msg)
        if len(set(self.names)) < len(self.names) or "omitted" in self.names:
            msg = f"names of pictures must differ, and none be 'omitted', got {self.names}"
            raise InputError(msg)
        if not (self.pictures.min() >= 0 and self.pictures.max() <= 255):
            raise InputError("grey levels of pictures must be finite and from 0 to 255")

    @classmethod
    def natural_like(
        cls, n: int = 8, *, seed: int = 0, screen: Screen | None = None, name: str = "A"
    ) -> ImageSet:
        """Make pictures of occluding, textured discs ("dead leaves").

        Discs whose radii follow a power law of exponent -3 and cover one another have the
        edges and the 1/f amplitude spectrum of natural pictures (Lee, Mumford & Huang 2001,
        Int. J. Comput. Vis. 41:35). Each carries a texture of its own: an oriented grating
        of a random scale.

        Parameters
        ----------
        n : int
            Number of pictures.
        seed : int
            Seed of the procedure.
        screen : Screen, optional
            Where they are shown.
        name : str
            Of the set.

        Returns
        -------
        ImageSet
            Pictures "im000", "im001", ...
        """
        n = whole_number("n", 1)(n)
        screen = Screen() if screen is None else screen
        return cls(
            pictures=_natural_like(n, whole_number("seed", 0)(seed), screen),
            names=tuple(f"im{k:03d}" for k in range(n)),
            screen=screen,
            name=name,
            source=f"dead leaves, seed {seed}",
        )

    @classmethod
    def from_pictures(
        cls,
        pictures: Iterable[Any],
        *,
        names: Iterable[str] | None = None,
        screen: Screen | None = None,
        name: str = "A",
        equal_contrast: bool = True,
    ) -> ImageSet:
        """Take pictures of the user's: files, Pillow images or arrays.

        Parameters
        ----------
        pictures : iterable of path, Pillow image or array
            Colours become grey, and each picture is stretched over the screen.
        names : iterable of str, optional
            Default: the names of the files, or "im000", ...
        screen : Screen, optional
            Where they are shown.
        name : str
            Of the set.
        equal_contrast : bool
            Give all the same mean and contrast, as the Allen Institute's sets have.

        Returns
        -------
        ImageSet

        Raises
        ------
        InputError, FileFormatError
            A picture that cannot be read.
        """
        from cleo_like.stimuli.images.read import read_grey

        screen = Screen() if screen is None else screen
        given = list(pictures)
        greys = [read_grey(picture).values for picture in given]
        if not greys:
            raise InputError("a set of images needs at least one picture, got none")
        resized = [_resized(grey, screen) for grey in greys]
        made = [_normalised(g) if equal_contrast else np.clip(255 * g, 0, 255) for g in resized]
        own = [
            Path(picture).stem if isinstance(picture, (str, Path)) else f"im{k:03d}"
            for k, picture in enumerate(given)
        ]
        return cls(
            pictures=np.stack(made),
            names=tuple(own if names is None else names),
            screen=screen,
            name=name,
            source="pictures of the user",
        )

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.names)

    def __repr__(self) -> str:
        """One line."""
        size = f"{self.screen.rows} x {self.screen.columns}"
        return f"ImageSet {self.name!r}: {len(self)} pictures of {size} ({self.source})"

    def templates(self) -> pd.DataFrame:
        """Give the table of pictures as users of the AllenSDK know it.

        Returns
        -------
        pandas.DataFrame
            Index image_name; unwarped (NaN where the screen ends) and warped (uint8, what the
            pixels of the flat screen show).
        """
        import pandas as pd

        off = ~self.screen.visible()
        rows = [
            {
                "unwarped": np.where(off, np.nan, np.round(picture)),
                "warped": np.round(self.screen.warp(picture)).astype(np.uint8),
            }
            for picture in self.pictures.astype(float)
        ]
        return pd.DataFrame(rows, index=pd.Index(self.names, name="image_name"))

    def contrast(self, per_degree: float) -> Float[np.ndarray, "n rows columns"]:
        """Give pictures as contrast around grey, -1 to 1, at a coarser grid; 0 off the screen.

        Parameters
        ----------
        per_degree : float
            Pixels per degree of the grid.
        """
        from cleo_like.stimuli.images.raster import area_average

        azimuth, altitude = self.screen.extent
        shown = np.where(self.screen.visible(), self.pictures / GREY - 1, 0.0)
        rows = min(self.screen.rows, round(2 * altitude * per_degree))
        columns = min(self.screen.columns, round(2 * azimuth * per_degree))
        return np.stack([area_average(area_average(p, rows, 0), columns, 1) for p in shown])


@functools.lru_cache(maxsize=8)
def _natural_like(n: int, seed: int, screen: Screen) -> np.ndarray:
    rngs = np.random.default_rng(seed).spawn(n)
    return np.stack([_normalised(_dead_leaves(screen, rng)) for rng in rngs])


def _normalised(picture: np.ndarray) -> np.ndarray:
    """Set mean and contrast; a picture without contrast becomes grey."""
    spread = picture.std()
    if spread < 1e-9:
        return np.full(picture.shape, GREY)
    return np.clip(GREY + _CONTRAST * (picture - picture.mean()) / spread, 0, 255)


def _resized(grey: np.ndarray, screen: Screen) -> np.ndarray:
    from PIL import Image

    image = Image.fromarray(grey.astype(np.float32))
    size = (screen.columns, screen.rows)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC), dtype=float)


_LEAVES = 1000
_RADII = (1.5, 45.0)
"""Smallest and largest radius (degrees)."""


def _dead_leaves(screen: Screen, rng: np.random.Generator) -> np.ndarray:
    """Lay discs over one another, the last on top."""
    altitudes, azimuths = screen.angles()
    picture = np.zeros((len(altitudes), len(azimuths)))
    low, high = (r**-2.0 for r in _RADII)  # the inverse of the law's distribution function
    radii = (low - rng.random(_LEAVES) * (low - high)) ** -0.5
    where = rng.uniform(-1, 1, (2, _LEAVES)) * np.array([[azimuths[-1]], [altitudes[0]]]) * 1.2
    for radius, x, y in zip(radii, *where, strict=True):
        rows = np.flatnonzero(np.abs(altitudes - y) <= radius)
        columns = np.flatnonzero(np.abs(azimuths - x) <= radius)
        angle, phase, level = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi), rng.normal()
        period, depth = radius * rng.uniform(0.25, 1.5), rng.uniform(0, 0.8)
        if rows.size == 0 or columns.size == 0:
            continue
        part = np.ix_(rows, columns)
        dy, dx = altitudes[rows, None] - y, azimuths[columns] - x
        along = dx * np.cos(angle) + dy * np.sin(angle)
        leaf = level + depth * np.sin(2 * np.pi * along / period + phase)
        inside = dx**2 + dy**2 <= radius**2
        picture[part] = np.where(inside, leaf, picture[part])
    return picture
