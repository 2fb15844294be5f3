"""Cells that stand in a table twice under two names: the same values in every feature."""

from __future__ import annotations

import numpy as np

LEAST = 4
"""Measured features from which on no two cells agree in all to the last digit by chance."""


def keys_of(values: np.ndarray) -> list[bytes | None]:
    """Give each row (cells x features) a key that only its copies share; None with few values.

    Examples
    --------
    >>> a, b, c = keys_of(np.array([[1.1, 2, 3, 4], [1.1, 2, 3, 4], [1.1, 2, 3, 5]]))
    >>> a == b, a == c
    (True, False)
    """
    known = np.isfinite(values)
    rows = np.where(known, values, np.nan) + 0.0  # one sign of zero
    enough = known.sum(axis=1) >= LEAST
    return [row.tobytes() if ok else None for row, ok in zip(rows, enough, strict=True)]


def with_copies(donors: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Give donors numbers so that copies of a cell are of one donor.

    Parameters
    ----------
    donors : ndarray of int
        Donor of each; -1 unknown.
    values : ndarray
        (cells x features) as measured.

    Returns
    -------
    ndarray of int
        The same numbers, but for donors (and cells without one) that share a copy.

    Examples
    --------
    >>> values = np.array([[1.1, 2, 3, 4], [1.1, 2, 3, 4], [5, 6, 7, 8.0]])
    >>> with_copies(np.array([0, 1, 1]), values)
    array([0, 0, 0])
    """
    seen: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys_of(values)):
        if key is not None:
            seen.setdefault(key, []).append(row)
    out = donors.copy()
    free = int(out.max(initial=-1)) + 1
    for rows in (np.array(r) for r in seen.values() if len(r) > 1):
        named = [int(d) for d in dict.fromkeys(out[rows]) if d >= 0]
        code = named[0] if named else free
        free += not named
        out[np.isin(out, named)] = code
        out[rows] = code
    return out
