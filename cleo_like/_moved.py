"""Modules that moved: their old paths, which documents and scripts name, still import."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False  # `typing` and `importlib.abc` would cost more than all of the rest
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PLACES = {
    "cells.answers": "cells.reference_properties",
    "core.dimensions": "core.units.dimensions",
    "core.feature": "features.catalogue",
    "core.traces": "core.ophys.traces",
    "core.truth": "core.recording",
    "engine.stepping": "engine.stepper",
    "engine.updaters": "engine.integrators",
    "features.peers": "features.adapters",
    "features.qc": "qc",
    "imaging.factories": "imaging.sensors.cleo",
    "imaging.indicators": "imaging.sensors.cleo_table",
    "imaging.models": "imaging.sensors.parts",
    "imaging.sensor": "imaging.sensors.sensor",
    "matching.single": "matching.command",
    "report.figures": "report",
    "stimuli.image": "stimuli.images.encode",
    "stimuli.pictures": "stimuli.images",
    "stimuli.shapes": "stimuli.waveforms.shapes",
    "stimuli.similarity": "stimuli.images.similarity",
}
"""Old place: new place."""


def _new_place(name: str) -> str | None:
    """Where an old path, or a module below it, is now."""
    package, _, place = name.partition(".")
    if package != "cleo_like":
        return None
    for old in (place, place.rpartition(".")[0]):
        if old in PLACES:
            return f"cleo_like.{PLACES[old]}{place.removeprefix(old)}"
    return None


class _Moved:
    """Finds an old path, and gives the very module that is at the new one."""

    def __init__(self) -> None:
        self._own: dict[str, ModuleSpec | None] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the old paths only."""
        del path, target
        return None if _new_place(name) is None else ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the new place."""
        module = importlib.import_module(_new_place(spec.name) or spec.name)
        self._own[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec again, which the import system has just replaced."""
        spec = module.__spec__
        if spec is not None:
            module.__spec__ = self._own.pop(spec.name)


def install() -> None:
    """Let the old paths import; first, or a package's modules were loaded a second time."""
    sys.meta_path.insert(0, _Moved())
