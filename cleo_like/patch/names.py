"""Types of what is recorded from, and through what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cleo_like.cells import CellModel, Population
    from cleo_like.core.sweep import ClampMode
    from cleo_like.patch.electrode import IdealElectrode
    from cleo_like.patch.pipette.pipette import PatchPipette

    OneCell: TypeAlias = str | CellModel | Population
    """A cell by its name, its model, or a population."""
    Cells: TypeAlias = OneCell | Sequence[OneCell]
    """One or several of them."""
    Rig: TypeAlias = str | IdealElectrode | PatchPipette
    """A rig by its name, or what records."""
    Mode: TypeAlias = ClampMode | str
else:
    OneCell = Cells = Rig = Mode = Any
