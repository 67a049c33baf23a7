"""NULL in arrays: NaN in a float array, a masked element (numpy.ma) in any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["masked", "unmasked", "with_nulls"]


def masked(values: NDArray[Any], null: NDArray[np.bool_]) -> NDArray[Any]:
    """Return a column that is NULL where `null`, of the same shape, is True; for dtypes without NaN."""
    return np.ma.masked_array(values, null)  # type: ignore[no-untyped-call]  # numpy has no types for it


def unmasked(values: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers of an array, also those that are masked, without a copy."""
    return values.data if isinstance(values, np.ma.MaskedArray) else values


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
