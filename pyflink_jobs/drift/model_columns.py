"""The columns of reference rows as the model gets them: what can be read, and what is said about the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from udfs.drift.column_values import plain
from udfs.scoring.model import numpy_dtype

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["ColumnProblem", "as_model_reads", "column_problem"]


@dataclass(frozen=True)
class ColumnProblem:
    """Why a column cannot be read as the model's dtype; `empty` where it can, but has no value."""

    text: str
    empty: bool = False


def column_problem(parquet: pq.ParquetFile, name: str, dtype: str) -> ColumnProblem | None:
    """Read a column once, and return what is wrong with it; None if nothing is."""
    kind = parquet.schema_arrow.field(name).type
    empty = parquet.metadata.num_rows > 0
    try:
        for batch in parquet.iter_batches(columns=[name]):
            column = as_model_reads(batch.column(0), dtype)
            empty &= pc.all(pc.is_null(column, nan_is_null=True)).as_py() is not False
    except ValueError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        return ColumnProblem(f"column `{name}` is {kind}, but the model expects {dtype}{reason and f': {reason}'}")
    return (
        ColumnProblem(f"column `{name}` has no value: only its share of NULL is compared", empty=True)
        if empty
        else None
    )


def as_model_reads(column: pa.Array, dtype: str) -> pa.Array:
    """Return a column as the model's dtype, NULL where it has none. Raises ValueError if that would change a value."""
    wanted = numpy_dtype(dtype)
    target = pa.string() if wanted.kind == "O" else pa.from_numpy_dtype(wanted)
    whole = wanted.kind in "iu"
    if not (whole and pa.types.is_decimal(column.type)):
        column = plain(column)
    kind = column.type
    if not (pa.types.is_primitive(kind) or pa.types.is_string(kind) or pa.types.is_decimal(kind)) or _is_time(kind):
        raise ValueError
    try:
        if whole and pa.types.is_floating(kind):  # pandas has integers with NULL as floats with NaN
            column = pc.if_else(pc.is_nan(column), None, column)
        if wanted.kind == "f":
            column = (
                column.cast(pa.float64(), safe=False) if not pa.types.is_string(kind) else column.cast(pa.float64())
            )
            return column.cast(pa.float32() if dtype == "float16" else target, safe=False)
        return column.cast(target)
    except pa.ArrowNotImplementedError:
        raise ValueError from None


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(kind))
