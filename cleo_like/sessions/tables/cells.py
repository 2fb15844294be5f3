"""Tables of cells: one row per ROI, with its mask or its trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from jaxtyping import Float, Int

    from cleo_like.core.ophys.masks import RoiMasks

CELLS = (
    "cell_roi_id", "height", "mask_image_plane", "max_correction_down", "max_correction_left",
    "max_correction_right", "max_correction_up", "valid_roi", "width", "x", "y", "roi_mask",
)  # fmt: skip
SPECIMEN = "cell_specimen_id"


def cell_specimen_table(
    specimens: Int[np.ndarray, " n"],
    rois: Int[np.ndarray, " n"],
    masks: RoiMasks,
    shifts: Float[np.ndarray, "n_frames 2"],
) -> pd.DataFrame:
    """Give the cells of one experiment.

    Parameters
    ----------
    specimens, rois : array of int, shape (n,)
        Identifiers.
    masks : RoiMasks
        Pixels of each ROI.
    shifts : array, shape (n_frames, 2)
        Motion of each frame, x and y.

    Returns
    -------
    pandas.DataFrame
        Index cell_specimen_id; x and y are the first column and row of the mask, roi_mask
        is True where the ROI is, in a frame of full size.
    """
    import pandas as pd

    low_x, low_y = shifts.min(axis=0, initial=0.0)
    high_x, high_y = shifts.max(axis=0, initial=0.0)
    boxes = [_box(masks, k) for k in range(len(masks))]
    table = pd.DataFrame(
        {
            "cell_roi_id": rois,
            "mask_image_plane": 0,
            "max_correction_up": -low_y,
            "max_correction_down": high_y,
            "max_correction_left": -low_x,
            "max_correction_right": high_x,
            "valid_roi": True,
        },
        index=pd.Index(specimens, name=SPECIMEN),
    )
    for k, column in enumerate(("x", "y", "width", "height")):
        table[column] = np.array([box[k] for box in boxes], dtype=int)
    table["roi_mask"] = pd.Series(
        [_full(masks, k) for k in range(len(masks))], index=table.index, dtype=object
    )
    return table[[*CELLS]]


def _box(masks: RoiMasks, roi: int) -> tuple[int, int, int, int]:
    y, x, _ = masks[roi]
    left, top = int(x.min()), int(y.min())
    return left, top, int(x.max()) - left + 1, int(y.max()) - top + 1


def _full(masks: RoiMasks, roi: int) -> np.ndarray:
    y, x, _ = masks[roi]
    full = np.zeros(masks.shape[-2:], bool)
    full[y, x] = True
    return full


def trace_table(
    specimens: Int[np.ndarray, " n"],
    rois: Int[np.ndarray, " n"],
    **columns: Any,
) -> pd.DataFrame:
    """Give one row per cell: cell_roi_id, and a trace (or a number) in each further column."""
    import pandas as pd

    index = pd.Index(specimens, name=SPECIMEN)
    table = pd.DataFrame({"cell_roi_id": rois}, index=index)
    for name, values in columns.items():
        rows = list(values)
        kind = object if np.ndim(values) > 1 else None
        table[name] = pd.Series(rows, index=index, dtype=kind)
    return table


def missing_table(reason: str, *columns: str, index: str | None = None) -> pd.DataFrame:
    """Give an empty table whose ``attrs["reason"]`` says why it is empty."""
    import pandas as pd

    table = pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    if index is not None:
        table.index.name = index
    table.attrs["reason"] = reason
    return table
