"""What the columns of an atlas are: features with unit, range and the scale to compare on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError, UnknownNameError
from cleo_like.features.catalogue import Feature
from cleo_like.features.catalogue import feature as catalogued

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from cleo_like.features import FeatureTable

PUBLISHED = (
    "input_resistance", "tau", "v_baseline", "sag_nearest_minus_100",
    "ap_1_threshold_v_0_long_square", "ap_1_peak_v_0_long_square",
    "ap_1_upstroke_0_long_square", "ap_1_width_0_long_square",
    "ap_1_fast_trough_v_0_long_square", "ap_mean_threshold_v_0_long_square",
    "ap_mean_peak_v_0_long_square", "ap_mean_upstroke_0_long_square",
    "ap_mean_width_0_long_square", "ap_mean_fast_trough_v_0_long_square",
    "avg_rate_0_long_square", "latency_0_long_square",
)  # fmt: skip
"""The 16 features of the published map of DANDI (smestern/intraDANDI_explorer, 2026)."""

_OF_PUBLISHED_TABLES = {
    f.name: f
    for f in (
        Feature(
            name=name,
            unit=unit,
            low=low,
            high=high,
            meaning=meaning,
            source=source,
            level="cell",
        )
        for name, unit, low, high, meaning, source in (
            (
                "ap_amplitude",
                "mV",
                10,
                150,
                "peak minus threshold of a spike",
                "published tables",
            ),
            ("ap_threshold_v", "mV", -90, 10, "threshold of a spike", "published tables"),
            ("ap_width", "s", 1e-5, 1e-2, "width of a spike", "published tables"),
            ("ap_upstroke", "V/s", 0, 2000, "steepest rise of a spike", "published tables"),
            ("ap_updown_ratio", "1", 0, 30, "upstroke over downstroke", "published tables"),
            ("ahp_depth", "mV", 0, 60, "threshold minus trough", "published tables"),
            (
                "adaptation",
                "1",
                -1,
                20,
                "change of the intervals in a train",
                "published tables",
            ),
            ("rebound", "mV", 0, 150, "overshoot after a negative step", "published tables"),
        )
    )
}

_LOGARITHMIC = re.compile(
    r".*(resistance|tau|width|latency|rheobase|upstroke|capacitance|duration|time_constant|"
    r"fano|impedance|isi$).*"
)
"""Positive quantities that spread over factors: resistances, times, currents, slopes."""
_LINEAR = ("updown_ratio", "downstroke_ratio", "adapt", "isi_cv")
CELL_ID = ("cell_id", "specimen_id", "cell id", "id")
LAB = ("lab", "dandiset", "source_lab")
DONOR = ("donor", "subject_id", "mouse", "donor_name")
"""Columns in which tables have the cell's id, its lab, its animal or patient."""


def definition(name: str) -> Feature | None:
    """Give what is known of a feature; None of a column that nobody defined.

    Examples
    --------
    >>> definition("ap_width").unit, definition("tau").unit, definition("wildness")
    ('s', 's', None)
    """
    if name in _OF_PUBLISHED_TABLES:
        return _OF_PUBLISHED_TABLES[name]
    try:
        return catalogued(name)
    except UnknownNameError:
        return None


def transform_of(name: str) -> str:
    """Whether a feature is compared on a linear scale or by its logarithm.

    Examples
    --------
    >>> transform_of("input_resistance"), transform_of("v_baseline")
    ('log10', 'linear')
    """
    if any(part in name for part in _LINEAR):
        return "linear"
    return "log10" if _LOGARITHMIC.fullmatch(name.lower()) else "linear"


def transformed(values: np.ndarray, transforms: Sequence[str]) -> np.ndarray:
    """Put values (cells x features) on the scales on which they are compared.

    A value that has no logarithm becomes NaN: it is missing, not small.
    """
    out = np.array(values, dtype=float)
    for k, transform in enumerate(transforms):
        if transform == "log10":
            column = np.where(out[:, k] > 0, out[:, k], np.nan)
            out[:, k] = np.log10(column)
    out[~np.isfinite(out)] = np.nan
    return out


def as_frame(table: FeatureTable | pd.DataFrame) -> pd.DataFrame:
    """Take a feature table or a data frame; rows that were not measured are left out.

    Raises
    ------
    InputError
        Neither of the two, or without any cell.
    """
    import pandas as pd

    frame = getattr(table, "frame", table)
    if not isinstance(frame, pd.DataFrame):
        msg = f"expected a FeatureTable or a DataFrame, got {type(table).__name__}"
        raise InputError(msg)
    if "status" in frame.columns:
        frame = frame[(frame["status"] == "ok") | frame["status"].isna()]
    if not len(frame):
        msg = "the table has no measured cell"
        raise InputError(msg)
    return frame.reset_index(drop=True)


def column_named(frame: pd.DataFrame, name: str | None, choices: Iterable[str]) -> str | None:
    """Give the asked-for column, or the first of the usual ones that is there.

    Raises
    ------
    InputError
        The asked-for column is not there.
    """
    if name is not None:
        if name not in frame.columns:
            msg = f"no column {name!r}; the table has {', '.join(map(str, frame.columns))}"
            raise InputError(msg)
        return name
    return next((c for c in choices if c in frame.columns and frame[c].notna().any()), None)


def ids_of(frame: pd.DataFrame) -> list[str]:
    """Give the id of each cell; row numbers where the table has none, made unique."""
    column = column_named(frame, None, CELL_ID)
    if column is None:
        return [f"row-{k}" for k in range(len(frame))]
    seen: dict[str, int] = {}
    out = []
    for k, value in enumerate(frame[column]):
        text = f"row-{k}" if _is_missing(value) else text_of(value)
        seen[text] = seen.get(text, 0) + 1
        out.append(text if seen[text] == 1 else f"{text} #{seen[text]}")
    return out


def labs_of(frame: pd.DataFrame, lab: str | None) -> list[str]:
    """Give the lab of each cell: a column ("lab", "dandiset"), or one lab for all."""
    column = column_named(frame, lab, LAB)
    if column is None:
        return ["all"] * len(frame)
    return ["unknown" if _is_missing(v) else text_of(v) for v in frame[column]]


def texts_of(frame: pd.DataFrame, column: str | None) -> list[str]:
    """Give a text column; "" where unknown."""
    if column is None:
        return [""] * len(frame)
    return ["" if _is_missing(v) else text_of(v) for v in frame[column]]


def text_of(value: object) -> str:
    """Write a value as text: 601 rather than 601.0, which a hole in a column makes of it.

    Examples
    --------
    >>> text_of(601.0), text_of(" Sst "), text_of(0.5)
    ('601', 'Sst', '0.5')
    """
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value).strip()  # type: ignore[call-overload]


def _is_missing(value: object) -> bool:
    return is_nothing(value) or str(value).strip() == ""


def is_nothing(value: Any) -> bool:
    """Whether a value is None, NaN, NaT or NA."""
    import pandas as pd

    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def values_of(frame: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    """Take features as numbers (cells x features); a column that is not there is missing.

    Raises
    ------
    InputError
        A column that holds text.
    """
    import pandas as pd

    out = np.full((len(frame), len(features)), np.nan)
    for k, name in enumerate(features):
        if name not in frame.columns:
            continue
        column = pd.to_numeric(frame[name], errors="coerce")
        wrong = frame[name].notna() & column.isna()
        if wrong.any():
            example = frame[name][wrong].iloc[0]
            msg = f"{name} must be numbers, got {example!r} in {int(wrong.sum())} rows"
            raise InputError(msg)
        out[:, k] = column.to_numpy(float)
    out[~np.isfinite(out)] = np.nan
    return out


def feature_columns(frame: pd.DataFrame, *, complete: float = 0.9) -> tuple[str, ...]:
    """Choose the features of a map: the published ones, or all that are known and there.

    The spike shape is not counted twice: of ``ap_1_x`` and ``ap_mean_x`` the first is taken
    (half of all cells fire one spike at rheobase, where the two are the same number).

    Parameters
    ----------
    frame : DataFrame
        One row per cell.
    complete : float
        Least share of cells that have the value.

    Returns
    -------
    tuple of str
        Names, in the order of the table.
    """
    published = [c for c in PUBLISHED if c in frame.columns]
    pool = (
        published
        if len(published) >= 8
        else [c for c in frame.columns if _is_feature(frame, c)]
    )
    there = [c for c in pool if frame[c].notna().mean() >= complete]
    return tuple(c for c in there if not _is_double(c, there))


def same_measure(name: str) -> str:
    """Name that all columns share which measure the same thing.

    Examples
    --------
    >>> same_measure("ap_mean_width_0_long_square") == same_measure("ap_1_width_0_long_square")
    True
    """
    return re.sub(r"^ap_(1|mean)_", "ap_", name)


def _is_double(name: str, names: Sequence[str]) -> bool:
    return name.startswith("ap_mean_") and name.replace("ap_mean_", "ap_1_") in names


_NO_PROPERTY = re.compile(
    r".*(_index|_t|_i|_sweep|_error|window_start|window_end|n_sweeps|filter_khz|hero_amp)$"
    r"|.*(stimulus_amplitude|clipped).*|.*_[1-5]_long_square$"
)


def _is_feature(frame: pd.DataFrame, name: str) -> bool:
    import pandas as pd

    if name == "rheobase_i":
        return True
    known = definition(str(name))
    return (
        known is not None
        and known.unit not in ("text", "sample")
        and _NO_PROPERTY.fullmatch(str(name)) is None
        and pd.api.types.is_numeric_dtype(frame[name])
    )
