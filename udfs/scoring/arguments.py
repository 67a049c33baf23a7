"""How a SQL column is passed to the scoring function: as one argument if it is a float, else as two.

    float16, float32, float64   CAST(c AS ...)
    int8 ... int64              COALESCE(CAST(c AS ...), 0), c IS NULL
    bool, string                the same, with FALSE and ''

The type of the argument holds all values of the column, for SQL's CAST makes 1705032704 of 6000000000 and infinity of
1e39: the worker converts to the model's dtype, and refuses the rows whose value has no representation in it.

A float's NULL arrives as NaN. Other types have no such value: a column with a NULL would become float64 or object, in
that batch only, and integers beyond 2**53 would be rounded. So NULL is an argument of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.nulls import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from udfs.scoring.model import Input, Output

__all__ = [
    "ERROR",
    "INTEGERS",
    "SQL_TYPES",
    "argument_sql",
    "column_of",
    "columns_of",
    "decimal_digits",
    "is_column",
    "wide_type",
]

SQL_TYPES = {
    "float16": "FLOAT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INT",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
    "string": "STRING",
}
"""The SQL type of each dtype, for inputs and outputs. Other dtypes cannot be scored."""

ERROR = "error"
"""The field after the outputs in the function's result: the reason why a row was refused, or NULL."""

INTEGERS = ("TINYINT", "SMALLINT", "INT", "BIGINT")
"""SQL's integer types, the narrowest first."""

_INSTEAD_OF_NULL = {"bool": "FALSE", "string": "''"}


def argument_sql(column: str, sql_type: str, dtype: str, *, wide: bool = False) -> list[str]:
    """Return the arguments, as SQL, for an input of `dtype` whose value is the SQL expression `column` of `sql_type`.

    With `wide`, a FLOAT becomes a DOUBLE of the same value. Raises KeyError for a dtype that is not in SQL_TYPES.

    >>> argument_sql("`delay`", "FLOAT", "float32")
    ['CAST(`delay` AS FLOAT)']
    >>> argument_sql("`delay`", "DOUBLE", "float32")
    ['CAST(`delay` AS DOUBLE)']
    >>> argument_sql("`delay`", "DECIMAL(10, 2)", "float32", wide=True)
    ['CAST(CAST(`delay` AS FLOAT) AS DOUBLE)']
    >>> argument_sql("`stops`", "BIGINT NOT NULL", "int32")
    ['COALESCE(CAST(`stops` AS BIGINT), CAST(0 AS BIGINT))', '`stops` IS NULL']
    """
    kind = _argument_type(sql_type.partition(" NOT NULL")[0], dtype)
    value = f"CAST({column} AS {kind})"
    if dtype.startswith("float"):
        return [f"CAST({value} AS DOUBLE)" if wide and kind == "FLOAT" else value]
    instead = f"CAST({_INSTEAD_OF_NULL.get(dtype, '0')} AS {kind})"
    return [f"COALESCE({value}, {instead})", f"{column} IS NULL"]


def _argument_type(sql_type: str, dtype: str) -> str:
    """Return a type that holds all values of `sql_type`, as far as `dtype` can hold them."""
    wanted = SQL_TYPES[dtype]
    if wanted == "FLOAT":
        # Every DECIMAL, and every integer, is in FLOAT's range. float16's is smaller: it is to see the number itself.
        return "FLOAT" if sql_type == "FLOAT" or (dtype == "float32" and sql_type != "DOUBLE") else "DOUBLE"
    if wanted not in INTEGERS:
        return wanted
    if sql_type in INTEGERS:
        return max(sql_type, wanted, key=INTEGERS.index)
    digits = decimal_digits(sql_type)
    return "BIGINT" if digits is not None and digits[1] == 0 else "DOUBLE"


def wide_type(sql_type: str) -> str:
    """Return the widest SQL type of the same kind: BIGINT, DOUBLE, or the type itself.

    >>> wide_type("FLOAT"), wide_type("SMALLINT"), wide_type("STRING")
    ('DOUBLE', 'BIGINT', 'STRING')
    """
    return "BIGINT" if sql_type in INTEGERS else "DOUBLE" if sql_type == "FLOAT" else sql_type


def decimal_digits(sql_type: str) -> tuple[int, int] | None:
    """Return how many digits a DECIMAL has, and how many of them are behind the point; None for another type.

    >>> decimal_digits("DECIMAL(10, 2)"), decimal_digits("DECIMAL"), decimal_digits("INT")
    ((10, 2), (10, 0), None)
    """
    match = re.fullmatch(r"(?:DECIMAL|DEC|NUMERIC)(?:\((\d+)(?:, ?(\d+))?\))?", sql_type)
    return (int(match[1] or 10), int(match[2] or 0)) if match else None


def columns_of(inputs: Iterable[Input | Output], remaining: Iterator[Any], rows: int) -> Iterator[NDArray[Any]]:
    """Yield a column for each input, as `run_inference` expects it, of its arguments; they are taken off `remaining`.

    An argument is an array of shape (rows,), a Series, or a plain value for all rows.
    """
    for given in inputs:
        values = column_of(next(remaining), rows)
        if not given.dtype.startswith("float"):
            null = column_of(next(remaining), rows)
            values = masked(values, null) if null.any() else values
        yield values


def column_of(argument: Any, rows: int, dtype: np.dtype[Any] | None = None) -> NDArray[Any]:  # noqa: ANN401 - a column or a plain value
    """Return a column; a plain value is repeated, as `dtype`, or else as what it is: the input may be narrower."""
    if is_column(argument):
        return np.asarray(argument)
    if dtype is None and not isinstance(argument, bool | int):
        dtype = np.dtype(object if isinstance(argument, str) else float)  # of None, which only a float can be, NaN
    return np.full(rows, argument, dtype)


def is_column(argument: Any) -> bool:  # noqa: ANN401 - a Series, an array or a plain value
    """Return whether an argument is a column, not a plain value."""
    return hasattr(argument, "__array__")
