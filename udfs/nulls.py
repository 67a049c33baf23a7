"""NULL in arrays: NaN in a float array, a masked element (numpy.ma) in any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["with_nulls"]


def with_nulls(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array of shape (n,) as PyFlink expects it: for a masked array, objects with None for what is masked.

    >>> with_nulls(np.ma.MaskedArray([1, 2], mask=[False, True])).tolist()
    [1, None]
    """
    if not isinstance(values, np.ma.MaskedArray):
        return values
    nullable: NDArray[Any] = values.data.astype(object)
    nullable[values.mask] = None
    return nullable
