"""Columns of a Parquet file, as pandas and others write them, as values that can be counted.

>>> values_of(pa.array(["a", None]).dictionary_encode()).tolist()
['a', None]
>>> seconds_of(pa.array(["1970-01-02T01:00:00+01:00"])).tolist()
[86400]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from udfs.nulls import masked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["labels_of", "plain", "seconds_of", "values_of"]

_SIMPLE = (
    (pa.types.is_decimal, pa.float64()),
    (pa.types.is_null, pa.float64()),
    (pa.types.is_boolean, pa.uint8()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_binary, pa.string()),
    (pa.types.is_large_binary, pa.string()),
    (pa.types.is_binary_view, pa.string()),
    (pa.types.is_fixed_size_binary, pa.string()),
)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_ZONE = r"(Z|[+-]\d\d:?\d\d)$"
_LATEST = 4_102_444_800  # 2100, in seconds: numbers beyond it count smaller units


def plain(column: pa.Array) -> pa.Array:
    """Return a column without its encoding: categories as their values, any kind of text as string.

    Decimals become float64, BOOLEANs 0 and 1, a column of type null has no numbers. Raises ValueError for bytes that
    are not text.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain(column.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(column))
    simple = next((to for test, to in _SIMPLE if test(kind)), kind)
    try:
        return column.cast(simple)
    except pa.ArrowInvalid:
        raise ValueError(f"it is {kind} that is not UTF-8, expected numbers or text") from None


def values_of(column: pa.Array) -> NDArray[Any]:
    """Return a column of shape (n,) as it is counted: text as str or None, numbers in their own dtype.

    NULL is NaN in a column of floats, and masked in one of integers. Raises ValueError for any other column.
    """
    column = plain(column)
    kind = column.type
    if pa.types.is_string(kind):
        texts: NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return texts
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise ValueError(f"it is {kind}, expected numbers or text")
    if pa.types.is_integer(kind) and column.null_count:
        null = column.is_null().to_numpy(zero_copy_only=False)
        filled: NDArray[Any] = column.fill_null(0).to_numpy(zero_copy_only=False)
        return masked(filled, null)
    numbers: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return numbers


def labels_of(column: pa.Array) -> NDArray[np.object_]:
    """Return a column of shape (n,) as labels of slices, as Flink's CAST to STRING writes them.

    Raises ValueError for a column that has no such text.
    """
    boolean = pa.types.is_boolean(column.type)
    try:
        texts = column.cast(pa.string()) if not pa.types.is_dictionary(column.type) else plain(column).cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        raise ValueError(f"it is {column.type}, expected text or numbers") from None
    labels: NDArray[np.object_] = (pc.utf8_upper(texts) if boolean else texts).to_numpy(zero_copy_only=False)
    return labels


def seconds_of(column: pa.Array) -> NDArray[np.int64]:
    """Return event times of shape (n,) in whole seconds since 1970, rounded down: of timestamps, dates or text.

    Times without a zone are UTC. Raises ValueError for a NULL, and for anything that is not a time.
    """
    if column.null_count:
        raise ValueError("has a NULL, expected a timestamp in each row")
    column = plain(column)
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("ms"))
    elif pa.types.is_string(kind):
        column = _parsed(column)
    elif not pa.types.is_timestamp(kind):
        raise ValueError(f"is {kind}{_hint(column)}, expected a timestamp in each row")
    ticks: NDArray[np.int64] = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return ticks // _PER_SECOND[column.type.unit]


def _parsed(texts: pa.Array) -> pa.Array:
    zoned = pc.match_substring_regex(texts, _ZONE)
    if pc.any(zoned).as_py() and not pc.all(zoned).as_py():
        raise ValueError("is text, in some rows with a zone and in some without, expected a timestamp in each row")
    try:
        return texts.cast(pa.timestamp("ns", "UTC" if pc.any(zoned).as_py() else None))
    except pa.ArrowInvalid:
        for text in texts.to_pylist():
            try:
                pa.array([text]).cast(pa.timestamp("ns", "UTC" if pc.any(zoned).as_py() else None))
            except pa.ArrowInvalid:
                wanted = "a timestamp, or text such as 2013-04-01T12:00:00Z, in each row"
                raise ValueError(f"is text such as {text!r}, expected {wanted}") from None
        raise


def _hint(column: pa.Array) -> str:
    """Return what a number may count, by its size."""
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)) or not len(column):
        return ""
    some = column[0].as_py()
    unit = next((unit for unit, ticks in _PER_SECOND.items() if abs(some) < _LATEST * ticks), "ns")
    return f" such as {some} (in pandas: pd.to_datetime(column, unit={unit!r}))"
