"""Receptive fields that answer to the pixels of pictures: Gabor energy and a nonlinearity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.core.arrays import array_eq, as_tuple, read_only, whole_number
from cleo_like.core.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

    from cleo_like.sessions.visual.images import ImageSet

PER_DEGREE = 1.0
"""Pixels per degree at which pictures are seen: two a cycle at 0.5 cycles per degree."""
_LARGEST_FREQUENCY = 0.25
_CELLS_AT_ONCE = 64


def _vector(name: str) -> Any:
    def convert(value: Any) -> np.ndarray:
        array = np.atleast_1d(np.array(value, dtype=float))
        if array.ndim != 1 or not np.isfinite(array).all():
            raise InputError(f"{name} must be finite numbers, one for each cell, got {value!r}")
        return read_only(array)

    return convert


@attrs.frozen(kw_only=True)
class GaborEnergy:
    r"""Complex cells: energy of a pair of Gabor filters, through a static nonlinearity.

    .. math:: A = \sqrt{\langle I, g_{even}\rangle^2 + \langle I, g_{odd}\rangle^2}, \qquad
              \text{drive} = \frac{A^n}{A^n + A_{50}^n}

    I is the contrast of a picture around grey; filters are scaled so that A = 1 for the
    preferred grating at full contrast. Energy: Adelson & Bergen 1985, J. Opt. Soc. Am. A
    2:284. Saturation in contrast: Albrecht & Hamilton 1982, J. Neurophysiol. 48:217.

    Parameters
    ----------
    azimuth, altitude : array, shape (n,)
        Centre of each field (degrees from the centre of the screen; right and up).
    orientation : array, shape (n,)
        Of the preferred grating's bars (degrees from horizontal).
    frequency : array, shape (n,)
        Preferred spatial frequency (cycles per degree); 0 is a cell without a field, which
        no picture drives.
    octaves : array, shape (n,)
        Full bandwidth at half height; it sets the size of the field.
    exponent : float
        n.
    half_contrast : float
        A50.

    Examples
    --------
    >>> from cleo_like.sessions import ImageSet
    >>> cells = GaborEnergy.draw(40, np.random.default_rng(1), untuned=0.25)
    >>> drive = cells(ImageSet.natural_like(8, seed=1))
    >>> drive.shape, float(drive.min()), bool(drive.max() < 1), int((drive.max(1) == 0).sum())
    ((40, 8), 0.0, True, 10)
    """

    azimuth: Float[np.ndarray, " n"] = attrs.field(converter=_vector("azimuth"), eq=array_eq)
    altitude: Float[np.ndarray, " n"] = attrs.field(converter=_vector("altitude"), eq=array_eq)
    orientation: Float[np.ndarray, " n"] = attrs.field(
        converter=_vector("orientation"), eq=array_eq
    )
    frequency: Float[np.ndarray, " n"] = attrs.field(
        converter=_vector("frequency"), eq=array_eq
    )
    octaves: Float[np.ndarray, " n"] = attrs.field(converter=_vector("octaves"), eq=array_eq)
    exponent: float = 3.0
    half_contrast: float = 0.25

    def __attrs_post_init__(self) -> None:
        """Check the lengths and ranges."""
        names = ("azimuth", "altitude", "orientation", "frequency", "octaves")
        sizes = {name: len(getattr(self, name)) for name in names}
        if len(set(sizes.values())) > 1:
            raise InputError(f"a field needs one value of each kind, got {sizes}")
        if (self.frequency < 0).any() or (self.frequency > PER_DEGREE / 2).any():
            msg = f"frequency must be 0 to {PER_DEGREE / 2} cycles per degree"
            raise InputError(msg)
        if (self.octaves <= 0).any() or self.exponent <= 0 or self.half_contrast <= 0:
            raise InputError("octaves, exponent and half_contrast must be above 0")

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.azimuth)

    @classmethod
    def draw(
        cls,
        n: int,
        rng: np.random.Generator,
        *,
        centre: tuple[float, float] = (0.0, 0.0),
        spread: float = 12.0,
        untuned: float = 0.2,
        **nonlinearity: float,
    ) -> GaborEnergy:
        """Draw fields as those of mouse V1 differ.

        Preferred frequency is log-normal around 0.04 cycles per degree (sd one octave, at
        most 0.25), bandwidth 2.5 octaves, orientation uniform: Niell & Stryker 2008, J.
        Neurosci. 28:7520, rounded.

        Parameters
        ----------
        n : int
            Number of cells.
        rng : numpy.random.Generator
            Source of randomness.
        centre : (float, float)
            Azimuth and altitude to which the imaged place answers (degrees).
        spread : float
            Standard deviation of the centres around it (degrees).
        untuned : float
            Share of cells without a field; rounded to whole cells.
        **nonlinearity
            `exponent` and `half_contrast`.

        Returns
        -------
        GaborEnergy
        """
        n = whole_number("n", 0)(n)
        if not 0 <= untuned <= 1 or not spread >= 0:
            msg = f"untuned is a share (0 to 1), spread not negative, got {untuned}, {spread}"
            raise InputError(msg)
        frequency = np.minimum(0.04 * 2.0 ** rng.standard_normal(n), _LARGEST_FREQUENCY)
        frequency[rng.permutation(n)[: round(untuned * n)]] = 0.0
        place = np.asarray(centre, float) + spread * rng.standard_normal((n, 2))
        return cls(
            azimuth=place[:, 0], altitude=place[:, 1], orientation=rng.uniform(0, 180, n),
            frequency=frequency, octaves=np.full(n, 2.5), **nonlinearity,
        )  # fmt: skip

    @property
    def sigma(self) -> Float[np.ndarray, " n"]:
        """Standard deviation of each field's envelope (degrees); 0 without a field."""
        ratio = (2**self.octaves + 1) / (2**self.octaves - 1)
        cycles = np.sqrt(np.log(2) / 2) / np.pi * ratio
        seen = np.where(self.frequency > 0, self.frequency, np.inf)
        return np.asarray(cycles / seen)

    def energy(self, images: ImageSet) -> Float[np.ndarray, "n n_images"]:
        """Give the root of the energy of each cell's pair of filters; 1 is its grating."""
        contrast = images.contrast(PER_DEGREE)
        altitudes, azimuths = images.screen.angles(*contrast.shape[1:])
        flat = contrast.reshape(len(contrast), -1).T
        out = np.zeros((len(self), len(contrast)))
        tuned = np.flatnonzero(self.frequency > 0)
        for start in range(0, len(tuned), _CELLS_AT_ONCE):
            some = tuned[start : start + _CELLS_AT_ONCE]
            even, odd = self._filters(some, azimuths, altitudes)
            out[some] = np.hypot(even @ flat, odd @ flat)
        return out

    def _filters(
        self, some: np.ndarray, azimuths: np.ndarray, altitudes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        dx = azimuths[None, None, :] - self.azimuth[some, None, None]
        dy = altitudes[None, :, None] - self.altitude[some, None, None]
        angle = np.radians(self.orientation[some])[:, None, None]
        across = dy * np.cos(angle) - dx * np.sin(angle)
        envelope = np.exp(-(dx**2 + dy**2) / (2 * self.sigma[some, None, None] ** 2))
        phase = 2 * np.pi * self.frequency[some, None, None] * across
        even = envelope * np.cos(phase)
        # grey in, nothing out: the even filter has no mean
        area = envelope.sum((1, 2), keepdims=True)
        even -= envelope * even.sum((1, 2), keepdims=True) / np.maximum(area, 1e-12)
        odd = envelope * np.sin(phase)
        scale = np.maximum((envelope * np.sin(phase) ** 2).sum((1, 2)), 1e-12)[:, None]
        return even.reshape(len(some), -1) / scale, odd.reshape(len(some), -1) / scale

    def __call__(self, images: ImageSet) -> Float[np.ndarray, "n n_images"]:
        """Give the drive of each cell by each picture, 0 to 1."""
        power = self.energy(images) ** self.exponent
        return np.asarray(power / (power + self.half_contrast**self.exponent))


@attrs.frozen(kw_only=True)
class GaborFields:
    """How the receptive fields of a plane are drawn; a function of pictures.

    Parameters
    ----------
    centre : (float, float)
        Azimuth and altitude to which the imaged place answers (degrees).
    spread : float
        Standard deviation of the centres around it (degrees).
    untuned : float
        Share of cells without a field.
    exponent, half_contrast : float
        Of the static nonlinearity.

    Examples
    --------
    >>> from cleo_like.sessions import ImageSet
    >>> fields = GaborFields(centre=(20, 0))
    >>> fields(ImageSet.natural_like(4), 10, np.random.default_rng(0)).shape
    (10, 4)
    """

    centre: tuple[float, float] = attrs.field(default=(0.0, 0.0), converter=as_tuple)
    spread: float = attrs.field(default=12.0, converter=float)
    untuned: float = attrs.field(default=0.2, converter=float)
    exponent: float = attrs.field(default=3.0, converter=float)
    half_contrast: float = attrs.field(default=0.25, converter=float)

    def __call__(
        self, images: ImageSet, n_cells: int, rng: np.random.Generator
    ) -> Float[np.ndarray, "n_cells n_images"]:
        """Draw the fields of cells, and give their drive by each picture."""
        cells = GaborEnergy.draw(
            n_cells, rng, centre=self.centre, spread=self.spread, untuned=self.untuned,
            exponent=self.exponent, half_contrast=self.half_contrast,
        )  # fmt: skip
        return cells(images)
