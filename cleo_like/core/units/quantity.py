"""The type of a physical argument: a value with a unit, of any package, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import quantities

    # Brian2's, astropy's and unyt's quantities are numpy arrays too
    Quantity: TypeAlias = quantities.Quantity | np.ndarray | str | float | Sequence[Any]
else:
    Quantity = Any  # numpy is not imported for a name in a signature
