"""Convert columns between Arrow and numpy without pandas.

PyFlink makes a pandas Series of each column that it passes to a vectorised function, and of each column that the
function returns, to find its NULLs. For sixteen columns that takes more than a millisecond a batch, however few rows it
has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyflink.fn_execution.coders import coder_impl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["skip_pandas"]

_pandas_to_arrow = coder_impl.pandas_to_arrow


def skip_pandas() -> None:
    """Let the vectorised functions of this process, from the next batch on, get and return numpy arrays.

    A column is an array of shape (rows,), with NaN for NULL in a column of floats, and None in one of strings. A row
    result is a dict of such arrays by name; PyFlink converts any other result. For processes in which all vectorised
    functions expect that.
    """
    coder_impl.arrow_to_pandas = _arrow_to_numpy
    coder_impl.pandas_to_arrow = _numpy_to_arrow


def _arrow_to_numpy(timezone: Any, field_types: Any, batches: list[pa.RecordBatch]) -> list[NDArray[Any]]:  # noqa: ANN401, ARG001 - PyFlink's signature
    [batch] = batches
    return [column.to_numpy(zero_copy_only=False) for column in batch.columns]


def _numpy_to_arrow(schema: pa.Schema, timezone: Any, field_types: Any, results: Sequence[Any]) -> pa.RecordBatch:  # noqa: ANN401 - PyFlink's signature
    if not all(isinstance(result, dict) for result in results):
        return _pandas_to_arrow(schema, timezone, field_types, results)
    structs = [_struct(result, field.type) for result, field in zip(results, schema, strict=True)]
    return pa.RecordBatch.from_arrays(structs, schema=schema)


def _struct(columns: dict[str, NDArray[Any]], kind: pa.StructType) -> pa.StructArray:
    """Return the columns as a struct, by position as PyFlink does; NaN and None become NULL."""
    fields = [
        pa.array(values, field.type, from_pandas=True) for values, field in zip(columns.values(), kind, strict=True)
    ]
    return pa.StructArray.from_arrays(fields, fields=list(kind))
