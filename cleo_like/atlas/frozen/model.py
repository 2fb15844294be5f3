"""`Atlas`: coordinates, features, scales, ids and citations of a map, in one file."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from cleo_like.atlas.calibration import Calibration
from cleo_like.atlas.columns import texts_of
from cleo_like.atlas.copies import with_copies
from cleo_like.atlas.frozen.landmarks import Landmark
from cleo_like.atlas.frozen.outside import Strangeness
from cleo_like.atlas.harmonise.scale import POOLED, LabScale
from cleo_like.atlas.neighbours import Neighbours, codes_of, times
from cleo_like.core.errors import FileFormatError, InputError, unknown_name
from cleo_like.core.files import atomic_path, check_output
from cleo_like.core.provenance import hash_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

FORMAT = 1
_ARRAYS = ("values", "scaled", "imputed", "xy")
_OPTIONAL = ("metric", "spacing")


@attrs.frozen(kw_only=True, eq=False, slots=False)
class Atlas:
    """A frozen map of cells. Made by `build`; asked by `place`.

    Parameters
    ----------
    name : str
        Its name.
    features, transforms : tuple of str
        Columns that span the map, and the scale each is compared on.
    values : ndarray
        (cells x features) as measured, in the catalogue's units; NaN where missing.
    scaled : ndarray
        (cells x features) on the common scale; filled where missing.
    imputed : ndarray of bool
        Where values were filled.
    xy : ndarray
        (cells x 2) coordinates on the map.
    cells : DataFrame
        cell_id, lab, donor, label and whatever else the table told.
    labs : mapping of str to LabScale
        Scale of each lab; `POOLED` is the reference.
    usual : mapping of str to ndarray
        Sorted strangeness of known cells, by lab: what is usual.
    metric : ndarray, optional
        (features x dimensions) of a supervised metric.
    spacing : ndarray, optional
        How far cells are from their nearest (see `frozen.outside`); measured when not given.
    calibration : Calibration
        How vote shares become probabilities.
    landmarks : tuple of Landmark
        Named places, with members.
    about : mapping
        How the map was made: method, seed, versions, notes.
    """

    name: str
    features: tuple[str, ...]
    transforms: tuple[str, ...]
    values: np.ndarray
    scaled: np.ndarray
    imputed: np.ndarray
    xy: np.ndarray
    cells: pd.DataFrame
    labs: Mapping[str, LabScale]
    usual: Mapping[str, np.ndarray]
    metric: np.ndarray | None = None
    spacing: np.ndarray | None = None
    calibration: Calibration = attrs.field(factory=Calibration)
    landmarks: tuple[Landmark, ...] = ()
    about: Mapping[str, Any] = attrs.field(factory=dict)

    def __len__(self) -> int:
        """Count the cells."""
        return len(self.values)

    def __repr__(self) -> str:
        """One line: cells, features, labs, kinds, hash."""
        kinds = f", {len(self.classes)} kinds" if self.classes else ""
        labs = sum(name != POOLED for name in self.cells["lab"].unique())
        return (
            f"Atlas {self.name!r}: {len(self)} cells, {len(self.features)} features, "
            f"{labs} labs{kinds}, {self.hash[:19]}"
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Kinds of cells that are known, sorted."""
        return tuple(sorted({str(v) for v in self.cells["label"] if v}))

    @cached_property
    def label_codes(self) -> np.ndarray:
        """Kind of every cell as its place in `classes`; -1 unknown."""
        number = {name: k for k, name in enumerate(self.classes)}
        return np.array([number.get(v, -1) for v in self.cells["label"]], dtype=int)

    @cached_property
    def donor_codes(self) -> np.ndarray:
        """Donor of every cell as a number; -1 unknown. Copies of a cell are of one donor."""
        return with_copies(codes_of(list(self.cells["donor"])), self.values)

    @cached_property
    def neighbours(self) -> Neighbours:
        """All cells in the space in which distances are measured."""
        return Neighbours(self.in_space(self.scaled))

    @cached_property
    def strangeness(self) -> Strangeness:
        """Tells how strange cells are to those of the map."""
        return Strangeness(self.scaled, self.spacing)

    @cached_property
    def labelled(self) -> tuple[Neighbours, np.ndarray]:
        """The cells of known kind, and their kinds."""
        rows = self.label_codes >= 0
        return Neighbours(self.in_space(self.scaled[rows])), self.label_codes[rows]

    def in_space(self, scaled: np.ndarray) -> np.ndarray:
        """Apply the supervised metric, row by row in one order of sums."""
        if self.metric is None:
            return scaled
        return times(scaled, self.metric)

    @property
    def hash(self) -> str:
        """SHA-256 of everything that the map says."""
        arrays = [np.ascontiguousarray(a).tobytes() for a in self._arrays().values()]
        return hash_of(b"\n".join([self._words().encode(), *arrays]))

    def _arrays(self) -> dict[str, Any]:
        there = [*_ARRAYS, *(name for name in _OPTIONAL if getattr(self, name) is not None)]
        return {name: getattr(self, name) for name in there}

    def citations(self) -> dict[str, str]:
        """Tell what to cite for these cells: dandiset (or lab) to citation and licence."""
        out: dict[str, list[str]] = {}
        for key, text in zip(self.cited, self._cites(), strict=True):
            known = out.setdefault(key, [])
            if text and text not in known:
                known.append(text)
        nothing = {k: _address(k) for k, texts in out.items() if not texts}
        return {k: " | ".join(texts) or nothing[k] for k, texts in out.items()}

    @cached_property
    def cited(self) -> list[str]:
        """What to cite for each cell: a key of `citations`."""
        labs, dandisets = self._texts("lab"), self._texts("dandiset")
        return [f"DANDI:{d}" if d else lab for lab, d in zip(labs, dandisets, strict=True)]

    def _cites(self) -> list[str]:
        told = zip(self._texts("citation"), self._texts("licence"), strict=True)
        return ["; ".join(t for t in pair if t) for pair in told]

    def _texts(self, column: str) -> list[str]:
        there = column if column in self.cells.columns else None
        return texts_of(self.cells, there) if there else [""] * len(self)

    def _words(self) -> str:
        """Everything but the arrays, as JSON."""
        cells = self.cells.astype(object).where(self.cells.notna(), None)
        told = {
            "format": FORMAT,
            "name": self.name,
            "features": self.features,
            "transforms": self.transforms,
            "cells": {c: [_plain(v) for v in cells[c]] for c in cells.columns},
            "labs": {name: _scale_to_json(scale) for name, scale in self.labs.items()},
            "usual": {k: v.tolist() for k, v in self.usual.items()},
            **_calibration_to_json(self.calibration),
            "landmarks": [attrs.asdict(mark) for mark in self.landmarks],
            "about": dict(self.about),
        }
        return json.dumps(told, sort_keys=True, ensure_ascii=False)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the map as one ``.npz`` file (arrays and JSON; no code in it).

        Parameters
        ----------
        path : str or Path
            Ends in ``.npz``.
        overwrite : bool
            Whether an existing file may be replaced.

        Raises
        ------
        InputError
            Another suffix.
        ExistingFileError
            The file exists.
        """
        target = Path(path)
        if target.suffix.lower() != ".npz":
            msg = f"a map is written as .npz, got {target.name!r}"
            raise InputError(msg)
        check_output(target, overwrite=overwrite)
        arrays = self._arrays()
        words = np.frombuffer(self._words().encode(), dtype=np.uint8)
        with (
            atomic_path(target, overwrite=overwrite) as temporary,
            temporary.open("wb") as file,
        ):
            np.savez_compressed(file, words=words, hash=np.array(self.hash), **arrays)
        return target

    @classmethod
    def load(cls, path: str | Path) -> Atlas:
        """Read a map that `save` wrote; needs neither UMAP nor scikit-learn.

        Raises
        ------
        FileFormatError
            No such file, not a map, of a newer format, or changed since it was written.
        """
        target = Path(path)
        if not target.is_file():
            msg = f"no map at {target}"
            raise FileFormatError(msg)
        try:
            with np.load(io.BytesIO(target.read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            words = json.loads(arrays["words"].tobytes().decode())
            atlas = _from_parts(cls, words, arrays)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            zipfile.BadZipFile,
            EOFError,
        ) as error:
            msg = (
                f"{target.name} is no map of this package, or is damaged "
                f"({type(error).__name__}); cleo-like atlas build TABLE.csv -o MAP.npz makes "
                "one"
            )
            raise FileFormatError(msg) from error
        if atlas.hash != str(arrays["hash"]):
            msg = f"{target.name} was changed after it was written: its hash does not fit"
            raise FileFormatError(msg)
        return atlas

    def scale_for(self, lab: str) -> LabScale | None:
        """Give the scale of a lab; None where the map has none for it."""
        return self.labs.get(lab) if lab != POOLED else None

    def landmark(self, name: str) -> Landmark:
        """Find a landmark.

        Raises
        ------
        UnknownNameError
            There is no such landmark.
        """
        for mark in self.landmarks:
            if mark.name == name:
                return mark
        raise unknown_name("landmark", name, [mark.name for mark in self.landmarks])


def _address(key: str) -> str:
    """Where a dandiset is that tells no citation."""
    number = key.removeprefix("DANDI:")
    return f"https://dandiarchive.org/dandiset/{number}" if number != key else "not stated"


def _plain(value: object) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def _scale_to_json(scale: LabScale) -> dict[str, Any]:
    return {
        k: v.tolist() if isinstance(v, np.ndarray) else v
        for k, v in attrs.asdict(scale, recurse=False).items()
    }


def _scale_from_json(told: dict[str, Any]) -> LabScale:
    arrays = {k: np.array(told[k]) for k in ("centre", "matrix", "offset")}
    return LabScale(cells=told["cells"], basis=told["basis"], **arrays)


def _from_parts(cls: type[Atlas], words: dict[str, Any], arrays: dict[str, Any]) -> Atlas:
    import pandas as pd

    if words["format"] > FORMAT:
        msg = f"format {words['format']}, this version reads up to {FORMAT}"
        raise FileFormatError(msg)
    scales = {name: _scale_from_json(told) for name, told in words["labs"].items()}
    marks = tuple(Landmark(**_tupled(mark)) for mark in words["landmarks"])
    return cls(
        name=words["name"],
        features=tuple(words["features"]),
        transforms=tuple(words["transforms"]),
        cells=pd.DataFrame(words["cells"]),
        labs=scales,
        usual={k: np.array(v) for k, v in words["usual"].items()},
        metric=arrays.get("metric"),
        spacing=arrays.get("spacing"),
        calibration=Calibration(
            sharpness=words["sharpness"], **_tupled(words.get("calibration", {}))
        ),
        landmarks=marks,
        about=words["about"],
        **{name: arrays[name] for name in _ARRAYS},
    )


def _calibration_to_json(calibration: Calibration) -> dict[str, Any]:
    """Only what is there: a map that knows a sharpness alone keeps its hash."""
    out: dict[str, Any] = {"sharpness": calibration.sharpness}
    if calibration.floor or calibration.biases:
        out["calibration"] = {"floor": calibration.floor, "biases": calibration.biases}
    return out


def _tupled(told: dict[str, Any]) -> dict[str, Any]:
    return {k: _tuples(v) for k, v in told.items()}


def _tuples(value: object) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(v) for v in value)
    return value
