"""Convert a column to the dtype of a tensor, and find the values that this dtype cannot represent.

    float16, float32, float64    a number is rounded to the nearest; one beyond the largest is not representable
    int8 ... int64               a whole number in range; a fraction, NaN or an infinite number is not representable
    bool, string                 the same type alone

>>> converted, lost = convert(np.array([1.0, 1e39]), "float32")
>>> converted, lost
(array([ 1., nan], dtype=float32), array([False,  True]))
>>> lost_value(1e39, "float32")
'1e+39, and float32 holds at most 3.40282347e+38'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.scoring.model import numpy_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["convert", "lost_value"]


def convert(column: NDArray[Any], dtype: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return a column of shape (rows,) as `dtype`, and where a value is lost, shape (rows,); None for nowhere.

    A masked element stays masked. What is lost is NaN in a float dtype, 0 in another.
    """
    wanted = numpy_dtype(dtype)
    if column.dtype == wanted:
        return column, None
    if wanted.kind == "f":
        return _to_float(column, wanted)
    if wanted.kind == "i":
        return _to_integer(column, wanted)
    return column.astype(wanted), None


def lost_value(value: object, dtype: str) -> str:
    """Return words for a value that a dtype cannot represent, and for what it can."""
    wanted = numpy_dtype(dtype)
    if wanted.kind == "f":
        return f"{value}, and {dtype} holds at most {np.finfo(wanted).max:.9g}"
    limits = np.iinfo(wanted)
    return f"{value}, and {dtype} holds whole numbers from {limits.min} to {limits.max}"


def _to_float(column: NDArray[Any], wanted: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    try:
        with np.errstate(over="raise"):  # costs nothing: the processor notes it
            return column.astype(wanted), None
    except FloatingPointError:
        with np.errstate(over="ignore"):
            converted = column.astype(wanted)
    lost = np.isinf(converted) & np.isfinite(column)  # what was infinite before stays so
    converted[lost] = np.nan
    return converted, lost


def _to_integer(column: NDArray[Any], wanted: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    values = np.asarray(column)
    limits = np.iinfo(wanted)
    if values.dtype.kind == "f":
        # The bounds are exact: -2**63 is a float64, 2**63 - 1 is none. NaN is in no range.
        lost = ~((values >= limits.min) & (values < limits.max + 1) & (values == np.trunc(values)))
    elif np.can_cast(values.dtype, wanted):
        return column.astype(wanted), None
    else:
        lost = (values < limits.min) | (values > limits.max)
    if isinstance(column, np.ma.MaskedArray):
        lost &= ~np.ma.getmaskarray(column)  # type: ignore[no-untyped-call]  # numpy has no types for it
    if not lost.any():
        return column.astype(wanted), None
    kept = column.copy()
    kept[lost] = 0
    return kept.astype(wanted), lost
