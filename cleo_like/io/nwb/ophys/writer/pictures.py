"""Summary images, stimulus pictures, and the table of what was shown when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cleo_like.core.errors import InputError
from cleo_like.io.nwb.ophys.names import PRESENTATIONS, SUMMARY, TEMPLATES, numbered, plain
from cleo_like.io.nwb.ophys.writer.chunks import packed
from cleo_like.io.nwb.ophys.writer.clock import clock_of
from cleo_like.io.nwb.ophys.writer.tables import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from pynwb import NWBFile

_ABOUT = {
    "mean": "Mean of the movie over time",
    "max": "Maximum of the movie over time",
    "correlation": "Correlation of each pixel with its neighbours",
    "segmentation": "Masks of all ROIs in one picture",
}


def add_images(
    module: Any, images: Mapping[str, np.ndarray], index: int
) -> dict[str, dict[str, Any]]:
    """Add summary images, stored as (x, y).

    Returns
    -------
    dict
        Of each image its name in the file and its type.
    """
    from pynwb.base import Images

    if not images:
        return {}
    made = {name: _image(plain(name), array, name) for name, array in images.items()}
    facts = _facts(images, made)
    module.add(
        Images(
            name=numbered(SUMMARY, index),
            description="Summary images of the movie, stored as (x, y)",
            images=list(made.values()),
        )
    )
    return facts


def add_templates(
    nwbfile: NWBFile, templates: Mapping[str, np.ndarray]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Add stimulus pictures: all single ones together, a stack by itself.

    Returns
    -------
    facts : dict
        Of each template its name in the file and its type.
    single : dict
        The container of single pictures and the number of each picture there, by name.
    """
    from pynwb.base import Images

    single = {n: t for n, t in templates.items() if t.ndim == 2}
    made = {name: _image(plain(name), t, f"template {name}") for name, t in single.items()}
    facts = _facts(single, made)
    where: dict[str, Any] = {}
    if made:
        container = _ordered(TEMPLATES, "Stimulus pictures, stored as (x, y)", made)
        nwbfile.add_stimulus_template(container)
        where = {"container": container, "numbers": {n: k for k, n in enumerate(made)}}
    for name, stack in templates.items():
        if stack.ndim == 2:
            continue
        if stack.ndim != 3:
            msg = (
                f"template {name!r} must be (height, width) or (n, height, width), got shape "
                f"{stack.shape}"
            )
            raise InputError(msg)
        frames = {
            f"{k:06d}": _image(f"{plain(name)}_{k:06d}", frame, f"frame {k} of {name}")
            for k, frame in enumerate(stack)
        }
        about = f"Stimulus movie {name}, one picture a frame, stored as (x, y)"
        key = plain(name)
        if key == TEMPLATES:
            key += "_"
        nwbfile.add_stimulus_template(
            _ordered(key, about, frames)
            if frames
            else Images(name=key, description=f"{about}; it is empty")
        )
        facts[name] = {
            "name": key,
            "dtype": stack.dtype.str,
            "stack": True,
            "shape": list(stack.shape),
        }
    return facts, where


def _ordered(name: str, about: str, images: Mapping[str, Any]) -> Any:
    """Make a container whose pictures have an order."""
    from pynwb.base import ImageReferences, Images

    return Images(
        name=name,
        description=about,
        images=list(images.values()),
        order_of_images=ImageReferences(name="order_of_images", data=list(images.values())),
    )


def _image(name: str, array: np.ndarray, what: str) -> Any:
    """Make an image of the type that its shape tells."""
    from pynwb.image import GrayscaleImage, RGBAImage, RGBImage

    if array.dtype.kind not in "biuf":
        msg = f"{what}: expected numbers, got {array.dtype}"
        raise InputError(msg)
    kinds = {2: GrayscaleImage}
    if array.ndim == 3:
        kinds = {3: {3: RGBImage, 4: RGBAImage}.get(array.shape[2])}
    if kinds.get(array.ndim) is None:
        msg = f"{what}: expected (height, width), got shape {array.shape}"
        raise InputError(msg)
    stored = array.astype(np.uint8) if array.dtype.kind == "b" else array
    turned = stored.transpose(1, 0, *range(2, stored.ndim))
    about = _ABOUT.get(what, what[0].upper() + what[1:] if what else "image")
    return kinds[array.ndim](name=name, description=about, data=packed(turned))


def _facts(
    images: Mapping[str, np.ndarray], made: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    names = [image.name for image in made.values()]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        msg = f"two images would have the name {twice[0]!r} in the file"
        raise InputError(msg)
    return {n: {"name": made[n].name, "dtype": images[n].dtype.str} for n in images}


def add_presentations(
    nwbfile: NWBFile, frame: pd.DataFrame, single: Mapping[str, Any]
) -> dict[str, Any]:
    """Add the table of what was shown, and the pictures as a series where they are templates.

    Returns
    -------
    dict
        Types of columns and of the index, and names of columns in the file.
    """
    table, facts = intervals(frame, PRESENTATIONS, "Stimuli in the order of presentation")
    nwbfile.add_time_intervals(table)
    if single and "image_name" in frame and len(frame):
        _add_shown(nwbfile, frame, single)
    return facts


def _add_shown(nwbfile: NWBFile, frame: pd.DataFrame, single: Mapping[str, Any]) -> None:
    """Add which template was shown when; what has no template (omitted flashes) is left out."""
    from pynwb.image import IndexSeries

    numbers = frame["image_name"].map(single["numbers"])
    shown = numbers.notna().to_numpy()
    times = frame["start_time"].to_numpy(dtype=float)[shown]
    if not shown.any() or not (np.diff(times) > 0).all():
        return
    nwbfile.add_stimulus(
        IndexSeries(
            name="images_shown",
            description=f"Number of the picture in {TEMPLATES}, at the start of each",
            data=numbers.to_numpy()[shown].astype(np.uint32),
            indexed_images=single["container"],
            unit="N/A",
            **clock_of(times),
        )
    )
