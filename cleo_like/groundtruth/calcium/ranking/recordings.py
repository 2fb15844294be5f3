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
"""Hz at which recordings are compared; slower ones keep their own rate."""
LONGEST = 120.0
"""Seconds of a cell that are used."""
SHORTEST = 30.0
"""Seconds of a recording that is used at all: baselines and noise need some."""
FEWEST_SPIKES = 10
"""Spikes of a cell that is used at all."""
_SLOW = 1.5
_LARGEST = 99.9
_RUN_IN = 10.0  # s of spikes before the first frame that still count


@attrs.frozen(kw_only=True, eq=False)
class PairedSet:
    """All recordings of one data set.

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
        found = _read_set(place, indicator, rate=rate, longest=longest, most=cells)
        if found is not None:
            yield found


def _read_set(
    place: Path, indicator: str, *, rate: float, longest: float, most: int | None
) -> PairedSet | None:
    ceiling = calibrated_indicator(indicator).evidence["ceiling"]["value"]
    kept: list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = []
    names: list[str] = []
    left_out: list[str] = []
    for path in sorted(place.glob("*.npz")):
        if most is not None and len(kept) >= most:
            break
        recordings = _recordings(path, longest)
        if not recordings:
            left_out.append(f"{path.stem}: no recording of {SHORTEST:g} s")
            continue
        spikes = sum(int(((s > t[0]) & (s <= t[-1])).sum()) for t, _, s in recordings)
        if spikes < FEWEST_SPIKES:
            left_out.append(f"{path.stem}: {spikes} spikes")
            continue
        if np.percentile(np.concatenate([y for _, y, _ in recordings]), _LARGEST) > ceiling:
            left_out.append(f"{path.stem}: dF/F above {ceiling:g}, F0 is near 0")
            continue
        kept.append(recordings)
        names.append(path.stem)
    if not kept:
        return None
    flat = [(k, r) for k, recordings in enumerate(kept) for r in recordings]
    native = float(np.median([1 / np.median(np.diff(t)) for _, (t, _, _) in flat]))
    own = native if native < _SLOW * rate else rate
    samples = [_sampled(t, y, own, slow=own == native) for _, (t, y, _) in flat]
    dff = np.full((len(flat), max(s.size for s in samples)), np.nan)
    times, rows = [], []
    for row, (sample, (_, (t, _, spikes_at))) in enumerate(zip(samples, flat, strict=True)):
        dff[row, : sample.size] = sample
        begin = t[0] - 1 / native  # the first frame has begun before its own time
        inside = (spikes_at > begin - _RUN_IN) & (spikes_at <= begin + sample.size / own)
        times.append(spikes_at[inside] - begin)
        rows.append(np.full(int(inside.sum()), row))
    return PairedSet(
        name=place.name.split("-")[0], indicator=indicator, rate=own, native_rate=native,
        dff=dff, times=np.concatenate(times), rows=np.concatenate(rows),
        cell=np.array([k for k, _ in flat]), cells=tuple(names), left_out=tuple(left_out),
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


def _sampled(t: np.ndarray, y: np.ndarray, rate: float, *, slow: bool) -> np.ndarray:
    """Average the frames of each sample; slow recordings keep their frames."""
    if slow:
        return y
    step = float(np.median(np.diff(t)))
    place = np.ceil((t - (t[0] - step)) * rate - 1e-6).astype(int) - 1
    counts = np.bincount(place)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(place, y) / counts
    return np.asarray(means[:-1] if counts[-1] < counts.max() // 2 else means)
