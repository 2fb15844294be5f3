"""Summary images, stimulus pictures and tables of presentations, of any maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import FileFormatError
from cleo_like.io.nwb.ophys.names import SUMMARY, TEMPLATES, numbered
from cleo_like.io.nwb.source import hdf5

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cleo_like.io.nwb.ophys.reader.contents import Contents, Order

_SAME = {"average": "mean", "mean": "mean", "max": "max", "corr": "correlation",
         "segmentation": "segmentation"}  # fmt: skip
_SHOWN = ("presentation", "stimulus", "stimuli")


def images_of(
    found: Contents, index: int, size: tuple[int, ...] | None, notes: list[str]
) -> dict[str, np.ndarray]:
    """Read the summary images of a plane, by their usual names.

    Parameters
    ----------
    found : Contents
        What is in the file.
    index : int
        Number of the plane.
    size : tuple of int, optional
        Height and width of a frame; images of another size are left out.
    notes : list of str
        Gets what was left out.
    """
    images: dict[str, np.ndarray] = {}
    for thing in found.of("Images"):
        if not thing.path.startswith("processing"):
            continue
        if len(found.planes) > 1 and _number(thing.name) not in {index, None}:
            continue
        for name, dataset in _pictures(thing.group):
            image = picture(dataset, found.order)
            if size is not None and image.shape[:2] != size:
                notes.append(f"image {name!r} left out: {image.shape[:2]} for frames of {size}")
                continue
            usual = next((u for part, u in _SAME.items() if part in name.lower()), name)
            images[usual if usual not in images else name] = image
    return images


def _number(name: str) -> int | None:
    """Give the number of the plane that a name ends with: suite2p's and ours count so."""
    stem = name.rstrip("0123456789")
    digits = name[len(stem) :]
    if not digits:
        return 0 if stem == "SegmentationImages" else None
    return int(digits) - (0 if stem.endswith("_") else 1)


def _pictures(group: Any) -> list[tuple[str, Any]]:
    names = [n for n in hdf5.members(group) if n != "order_of_images"]
    found = [(name, hdf5.optional_or_none(group, name)) for name in names]
    return [
        (name, d)
        for name, d in found
        if len(getattr(d, "shape", None) or ()) in {2, 3} and d.dtype.kind in "biuf"
    ]


def picture(dataset: Any, order: Order) -> np.ndarray:
    """Read an image as (height, width) or (height, width, channels).

    Raises
    ------
    FileFormatError
        It cannot be read.
    """
    try:
        image = np.asarray(dataset[()])
    except hdf5.READ_ERRORS as error:
        msg = f"{hdf5.path_of(dataset)} cannot be read ({hdf5.said_by(error)})"
        raise FileFormatError(msg) from error
    return image.swapaxes(0, 1) if order == "xy" else image


def restored_images(
    found: Contents, facts: Mapping[str, Any], index: int
) -> dict[str, np.ndarray]:
    """Read the summary images that this package wrote, by their own names and types."""
    if not facts:
        return {}
    group = hdf5.member(found.file, "processing", "ophys", numbered(SUMMARY, index))
    return {
        name: picture(hdf5.member(group, kind["name"]), found.order).astype(kind["dtype"])
        for name, kind in facts.items()
    }


def restored_templates(found: Contents, facts: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read the stimulus pictures that this package wrote, by their own names and types."""
    templates = {}
    for name, kind in facts.items():
        top = hdf5.member(found.file, "stimulus", "templates")
        if "stack" in kind:
            group = hdf5.member(top, kind["name"])
            frames = [picture(d, found.order) for _, d in _pictures(group)]
            templates[name] = np.array(frames, dtype=kind["dtype"]).reshape(kind["shape"])
        else:
            dataset = hdf5.member(top, TEMPLATES, kind["name"])
            templates[name] = picture(dataset, found.order).astype(kind["dtype"])
    return templates


def templates_of(found: Contents, notes: list[str]) -> dict[str, np.ndarray]:
    """Read stimulus pictures: single ones by name, series as stacks (n, height, width)."""
    top = hdf5.optional_or_none(found.file, "stimulus", "templates")
    templates: dict[str, np.ndarray] = {}
    for name in hdf5.members(top):
        group = hdf5.optional_or_none(top, name)
        if not hasattr(group, "keys"):
            continue
        data = hdf5.optional_or_none(group, "data")
        if data is None:
            for own, dataset in _pictures(group):
                templates[own] = picture(dataset, found.order)
            continue
        if len(getattr(data, "shape", None) or ()) != 3 or data.dtype.kind not in "biuf":
            notes.append(f"stimulus template {name!r} left out: it is no stack of pictures")
            continue
        stack = np.asarray(data[()])
        stack = stack.swapaxes(1, 2) if found.order == "xy" else stack
        templates |= _named(name, stack, hdf5.optional_or_none(group, "control_description"))
    return templates


def _named(name: str, stack: np.ndarray, names: Any) -> dict[str, np.ndarray]:
    """Give the pictures of a series the names that the AllenSDK keeps beside them."""
    if getattr(names, "shape", None) == (len(stack),):
        own = [hdf5.as_text(n) for n in names[:]]
        if len(set(own)) == len(own):
            return dict(zip(own, stack, strict=True))
    return {name: stack}


def presentations_of(file: Any, notes: list[str]) -> pd.DataFrame | None:
    """Read the tables of stimuli, one below the other in time; None where there are none."""
    import pandas as pd

    top = hdf5.optional_or_none(file, "intervals")
    names = [n for n in hdf5.members(top) if any(word in n.lower() for word in _SHOWN)]
    frames = []
    for name in names:
        group = hdf5.optional_or_none(top, name)
        if hdf5.has(group, "start_time"):
            frames.append((name, frame_of(group, notes)))
    if not frames:
        return None
    if len(frames) == 1:
        return frames[0][1]
    joined = [frame.assign(stimulus_table=name) for name, frame in frames]
    found = pd.concat(joined, ignore_index=True).sort_values("start_time", kind="stable")
    found = found.reset_index(drop=True)
    found.index.name = "id"
    return found


def frame_of(group: Any, notes: list[str]) -> pd.DataFrame:
    """Read a table of intervals; lists of different lengths are left out."""
    import pandas as pd

    from cleo_like.io.nwb.ophys.reader.rois import table_of

    said: list[str] = []
    _, columns = table_of(group, None, said)
    notes += [f"presentations: {text}" for text in said if "timeseries" not in text]
    index = pd.Index(columns.pop("id"), name="id")
    flat = {n: v for n, v in columns.items() if v.ndim == 1}
    first = [n for n in ("start_time", "stop_time") if n in flat]
    ordered = [*first, *(n for n in flat if n not in first)]
    return pd.DataFrame({n: flat[n] for n in ordered}, index=index)


def restored_frame(stored: pd.DataFrame, facts: Mapping[str, Any]) -> pd.DataFrame:
    """Give a table its columns, types and index as they were."""
    import pandas as pd

    columns = {}
    for name, kind in facts["columns"].items():
        values = stored[kind["name"]]
        if "missing" in kind:
            values = values.astype(object).where(values != kind["missing"], None)
        if kind.get("whole"):
            whole = [None if v != v else int(v) for v in values]  # noqa: PLR0124 - NaN
            values = pd.Series(whole, index=values.index, dtype=object)
        columns[name] = _typed(values, kind["dtype"])
    index = pd.Index(stored.index.to_numpy(), name=facts["index"]["name"])
    found = pd.DataFrame(columns)
    found.index = index.astype(facts["index"]["dtype"])
    return found


def _typed(values: pd.Series, dtype: str) -> pd.Series:
    return values.astype(object if dtype == "object" else dtype)  # type: ignore[arg-type]
