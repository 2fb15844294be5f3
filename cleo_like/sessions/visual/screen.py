"""A flat screen before an eye, and pictures on it at equal angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.arrays import si_default, si_required
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float


@attrs.frozen(kw_only=True)
class Screen:
    """A flat screen, perpendicular to the line of sight at its centre.

    Parameters
    ----------
    distance, width, height : quantity
        From the eye to the centre of the screen, and the screen itself. Defaults are those
        of the Allen Institute's rig: 15 cm, 51.0 x 32.5 cm (a screen of 24 inches).
    rows, columns : int
        Pixels of a picture on it.

    Examples
    --------
    >>> azimuth, altitude = Screen().extent
    >>> round(2 * azimuth), round(2 * altitude)
    (119, 95)
    """

    distance: float = attrs.field(
        default=si_default("15 cm", "m"), converter=si_required("m", "distance")
    )
    width: float = attrs.field(
        default=si_default("51 cm", "m"), converter=si_required("m", "width")
    )
    height: float = attrs.field(
        default=si_default("32.5 cm", "m"), converter=si_required("m", "height")
    )
    rows: int = 200
    columns: int = 320

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        if min(self.distance, self.width, self.height) <= 0:
            raise InputError("distance, width and height of a screen must be above 0")
        if min(self.rows, self.columns) < 16:
            msg = (
                f"a picture needs 16 rows and columns or more, got {self.rows}, {self.columns}"
            )
            raise InputError(msg)

    @property
    def extent(self) -> tuple[float, float]:
        """Largest azimuth and altitude of a point on the screen (degrees)."""
        return (
            float(np.degrees(np.arctan(self.width / 2 / self.distance))),
            float(np.degrees(np.arctan(self.height / 2 / self.distance))),
        )

    def angles(
        self, rows: int | None = None, columns: int | None = None
    ) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " columns"]]:
        """Give altitudes and azimuths of the pixels of an unwarped picture (degrees)."""
        azimuth, altitude = self.extent
        return (
            altitude * _centred(self.rows if rows is None else rows)[::-1],
            azimuth * _centred(self.columns if columns is None else columns),
        )

    def visible(self) -> np.ndarray:
        """Say which pixels of an unwarped picture are on the screen after the warp."""
        altitudes, azimuths = (np.radians(a) for a in self.angles())
        x = self.distance * np.tan(azimuths)
        y = np.tan(altitudes)[:, None] * np.hypot(x, self.distance)
        return np.abs(y) <= self.height / 2

    def warp(self, picture: Float[np.ndarray, "rows columns"]) -> np.ndarray:
        """Draw a picture of equal angles so that the eye before the flat screen sees it so.

        Parameters
        ----------
        picture : array, shape (rows, columns)
            Grey values on a grid of equal angles.

        Returns
        -------
        array, shape (rows, columns)
            Grey values of the screen's pixels.
        """
        from scipy.ndimage import map_coordinates

        x = self.width / 2 * _centred(self.columns)
        y = self.height / 2 * _centred(self.rows)[::-1]
        azimuth = np.broadcast_to(np.degrees(np.arctan(x / self.distance)), picture.shape)
        altitude = np.degrees(np.arctan(y[:, None] / np.hypot(x, self.distance)))
        most_azimuth, most_altitude = self.extent
        column = (azimuth / most_azimuth + 1) * self.columns / 2 - 0.5
        row = (1 - altitude / most_altitude) * self.rows / 2 - 0.5
        return np.asarray(map_coordinates(picture, [row, column], order=1, mode="nearest"))


def _centred(n: int) -> np.ndarray:
    """Centres of n pixels on -1 to 1."""
    return (np.arange(n) + 0.5) * 2 / n - 1
