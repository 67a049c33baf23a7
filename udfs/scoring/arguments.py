"""How a SQL column is passed to the scoring function: as one argument if it is a float, else as two.

    float16, float32            CAST(c AS FLOAT)
    float64                     CAST(c AS DOUBLE)
    int8 ... int64              CAST(COALESCE(c, 0) AS ...), c IS NULL
    bool, string                the same, with FALSE and ''

A float's NULL arrives as NaN. Other types have no such value: a column with a NULL would become float64 or object, in
that batch only, and integers beyond 2**53 would be rounded. So NULL is an argument of its own.
"""

from __future__ import annotations

__all__ = ["ERROR", "SQL_TYPES", "argument_sql"]

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

_INSTEAD_OF_NULL = {"bool": "FALSE", "string": "''"}


def argument_sql(column: str, dtype: str) -> list[str]:
    """Return the arguments, as SQL, for an input of `dtype` whose value is the SQL expression `column`.

    Raises KeyError for a dtype that is not in SQL_TYPES.

    >>> argument_sql("`delay`", "float32")
    ['CAST(`delay` AS FLOAT)']
    >>> argument_sql("`stops`", "int64")
    ['COALESCE(CAST(`stops` AS BIGINT), CAST(0 AS BIGINT))', '`stops` IS NULL']
    """
    kind = SQL_TYPES[dtype]
    value = f"CAST({column} AS {kind})"
    if dtype.startswith("float"):
        return [value]
    instead = f"CAST({_INSTEAD_OF_NULL.get(dtype, '0')} AS {kind})"
    return [f"COALESCE({value}, {instead})", f"{column} IS NULL"]
