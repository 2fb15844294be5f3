"""The type of a physical argument: a value with a unit, of any package, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import brian2
    import numpy as np
    import quantities

    Quantity: TypeAlias = (
        brian2.Quantity | quantities.Quantity | np.ndarray | str | float | Sequence[Any]
    )
else:
    Quantity = Any  # none of these packages is imported for a name in a signature
