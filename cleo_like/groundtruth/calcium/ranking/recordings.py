"""Paired recordings (dF/F and spikes of one cell), sampled so that a set is one array.

A folder holds one folder a data set, named ``DS09-...`` as in the table of calibrated
indicators, with one ``.npz`` a cell: ``n_recs`` and, for each recording i, ``t_i`` (s),
``dff_i`` and ``spikes_i`` (s).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np

from cleo_like.core.errors import FileFormatError, UnsupportedError
from cleo_like.groundtruth.calcium.chain import Imaged, counts_of
from cleo_like.imaging.calibrated.table import calibrated_indicator, calibrated_names

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "CLEO_LIKE_DATA"
RATE = 15.0
"""Hz at about which recordings are compared: whole numbers of frames are averaged."""
LONGEST = 120.0
"""Seconds of a cell that are used."""
SHORTEST = 30.0
"""Seconds of a recording that is used at all: baselines and noise need some."""
FEWEST_SPIKES = 10
"""Spikes of a cell that is used at all."""
SAME_RATE = 0.01
"""Recordings whose rates differ by less than this share to either side are one array."""
_LARGEST = 99.9
_RUN_IN = 10.0  # s of spikes before the first frame that still count


@attrs.frozen(kw_only=True, eq=False)
class Train:
    """Spikes of one recording.

    Parameters
    ----------
    cell : str
        Whose.
    times : array, shape (n_spikes,)
        From the start of the recording (s).
    length : float
        Of the recording (s).
    """

    cell: str
    times: np.ndarray
    length: float


@attrs.frozen(kw_only=True, eq=False)
class PairedSet:
    """Recordings of one data set at one rate; a set of several rates is several of these.

    Parameters
    ----------
    name : str
        "DS09".
    indicator : str
        Of the table of calibrated indicators.
    rate : float
        Hz, of the samples.
    native_rate : float
        Hz, of the frames.
    dff : array, shape (n_rows, n_frames)
        One row a recording; NaN behind its end.
    times, rows : array, shape (n_spikes,)
        Spikes (s from the start of the recording; some are before it) and their rows.
    cell : array of int, shape (n_rows,)
        Cell of each row.
    cells : tuple of str
        Names of the cells.
    trains : tuple of Train
        Of all recordings of the data set.
    left_out : tuple of str
        What was not used, and why.
    """

    name: str
    indicator: str
    rate: float
    native_rate: float
    dff: np.ndarray
    times: np.ndarray
    rows: np.ndarray
    cell: np.ndarray
    cells: tuple[str, ...]
    trains: tuple[Train, ...]
    left_out: tuple[str, ...] = ()

    @property
    def frames(self) -> np.ndarray:
        """When each sample ends (s)."""
        return np.arange(1, self.dff.shape[1] + 1) / self.rate

    @property
    def lengths(self) -> np.ndarray:
        """Seconds of each row."""
        seen = np.isfinite(self.dff)
        last = self.dff.shape[1] - seen[:, ::-1].argmax(axis=1)
        return last / self.rate

    def imaged(self, dff: np.ndarray, times: np.ndarray, rows: np.ndarray) -> Imaged:
        """Give traces with spikes as a recording whose truth is known."""
        return Imaged(
            dff=dff, frame_rate=self.rate, indicator=self.indicator,
            counts=counts_of(times, rows, len(dff), self.frames),
            noise_sd=np.full(len(dff), np.nan),
        )  # fmt: skip


def data_folder(given: str | Path | None = None) -> Path:
    """Find the paired recordings.

    Parameters
    ----------
    given : str or Path, optional
        Folder with the data sets; by default ``ophys_gt/dev`` in ``CLEO_LIKE_DATA``.

    Raises
    ------
    UnsupportedError
        They are not there; the message says what to give.
    """
    root = os.environ.get(VARIABLE)
    folder = Path(given) if given is not None else None
    if folder is None and root:
        folder = Path(root) / "ophys_gt" / "dev"
    if folder is not None and folder.is_dir() and any(folder.glob("DS*")):
        return folder
    place = f" in {folder}" if folder is not None else ""
    msg = (
        f"paired recordings were not found{place}; give the folder of the data sets "
        f"(DS09-..., DS14-...) or set {VARIABLE}"
    )
    raise UnsupportedError(msg)


def indicator_of(name: str) -> str | None:
    """Give the calibrated indicator of a data set ("DS09"); None where there is none."""
    for indicator in calibrated_names():
        if name in calibrated_indicator(indicator).evidence["sets"]:
            return indicator
    return None


def read_sets(
    folder: Path, *, rate: float = RATE, longest: float = LONGEST, cells: int | None = None
) -> Iterator[PairedSet]:
    """Read the data sets whose indicator is calibrated, one after the other.

    Parameters
    ----------
    folder : Path
        Of `data_folder`.
    rate : float
        Hz.
    longest : float
        Seconds of a cell.
    cells : int, optional
        Most cells of a set.

    Yields
    ------
    PairedSet
        Without cells of few spikes or with a dF/F that the indicator cannot have.
    """
    for place in sorted(p for p in folder.glob("DS*") if p.is_dir()):
        name = place.name.split("-")[0]
        indicator = indicator_of(name)
        if indicator is None:
            continue
        yield from _read_set(place, indicator, rate=rate, longest=longest, most=cells)


def _read_set(
    place: Path, indicator: str, *, rate: float, longest: float, most: int | None
) -> Iterator[PairedSet]:
    ceiling = calibrated_indicator(indicator).evidence["ceiling"]["value"]
    kept: list[_Row] = []
    left_out: list[str] = []
    for path in sorted(place.glob("*.npz")):
        if most is not None and len({r.cell for r in kept}) >= most:
            break
        recordings = _recordings(path, longest)
        spikes = sum(int(((s > t[0]) & (s <= t[-1])).sum()) for t, _, s in recordings)
        if not recordings:
            left_out.append(f"{path.stem}: no recording of {SHORTEST:g} s")
        elif spikes < FEWEST_SPIKES:
            left_out.append(f"{path.stem}: {spikes} spikes")
        elif np.percentile(np.concatenate([y for _, y, _ in recordings]), _LARGEST) > ceiling:
            left_out.append(f"{path.stem}: dF/F above {ceiling:g}, F0 is near 0")
        else:
            kept += [_row(path.stem, one, rate) for one in recordings]
    trains = tuple(Train(cell=r.cell, times=r.times, length=r.y.size / r.rate) for r in kept)
    for part in _of_one_rate(kept):
        yield _stacked(part, place.name.split("-")[0], indicator, trains, tuple(left_out))
        left_out = []  # said once


@attrs.frozen(kw_only=True, eq=False)
class _Row:
    """One recording, sampled: `times` from the start of its first frame."""

    cell: str
    y: np.ndarray
    times: np.ndarray
    rate: float
    native: float


def _row(cell: str, one: tuple[np.ndarray, np.ndarray, np.ndarray], rate: float) -> _Row:
    """Average whole numbers of frames."""
    t, y, spikes = one
    native = (t.size - 1) / (t[-1] - t[0])
    k = max(1, round(native / rate))
    n = y.size // k
    begin = t[0] - 1 / native  # the first frame has begun before its own time
    inside = (spikes > begin - _RUN_IN) & (spikes <= begin + n * k / native)
    return _Row(
        cell=cell, y=y[: n * k].reshape(n, k).mean(axis=1), times=spikes[inside] - begin,
        rate=native / k, native=native,
    )  # fmt: skip


def _of_one_rate(rows: list[_Row]) -> list[list[_Row]]:
    """Put recordings of nearly the same rate together."""
    out: list[list[_Row]] = []
    for row in sorted(rows, key=lambda r: r.rate):
        if out and row.rate <= out[-1][0].rate * (1 + 2 * SAME_RATE):
            out[-1].append(row)
        else:
            out.append([row])
    return out


def _stacked(
    part: list[_Row], name: str, indicator: str, trains: tuple[Train, ...],
    left_out: tuple[str, ...],
) -> PairedSet:  # fmt: skip
    rate = float(np.mean([r.rate for r in part]))
    dff = np.full((len(part), max(r.y.size for r in part)), np.nan)
    for k, row in enumerate(part):
        dff[k, : row.y.size] = row.y
    cells = tuple(dict.fromkeys(r.cell for r in part))
    return PairedSet(
        name=name, indicator=indicator, rate=rate, dff=dff, cells=cells, trains=trains,
        native_rate=float(np.mean([r.native for r in part])), left_out=left_out,
        # spikes stay in their frames: a second of a row that is 1 % slow is 1 % short
        times=np.concatenate([r.times * (r.rate / rate) for r in part]),
        rows=np.repeat(np.arange(len(part)), [r.times.size for r in part]),
        cell=np.array([cells.index(r.cell) for r in part]),
    )  # fmt: skip


def _recordings(path: Path, longest: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    found, total = [], 0.0
    try:
        with np.load(path) as z:
            for i in range(int(z["n_recs"])):
                t, y = z[f"t_{i}"].astype(float), z[f"dff_{i}"].astype(float)
                good = np.isfinite(t) & np.isfinite(y)
                good[good] &= np.diff(t[good], prepend=-np.inf) > 0  # some are twice there
                t, y = t[good], y[good]
                if t.size < 2 or t[-1] - t[0] < SHORTEST or total > longest - SHORTEST:
                    continue
                inside = t - t[0] <= longest - total
                spikes = np.sort(z[f"spikes_{i}"].astype(float).ravel())
                found.append((t[inside], y[inside], spikes))
                total += t[inside][-1] - t[0]
    except (KeyError, ValueError, OSError) as error:
        msg = f"{path} is no paired recording ({error}); it needs n_recs, t_0, dff_0, spikes_0"
        raise FileFormatError(msg) from error
    return found
