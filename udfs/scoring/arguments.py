"""How a SQL column is handed to the scoring function: one argument if it is a float, two if it is anything else.

    float16, float32            CAST(c AS FLOAT)
    float64                     CAST(c AS DOUBLE)
    int8 ... int64              CAST(COALESCE(c, 0) AS ...), c IS NULL
    bool, string                same, with FALSE and ''

A float's NULL arrives as NaN. For the others pandas has no such value: a column with a NULL would become float64 or
object in that batch alone, and lose what is beyond 2**53. So NULL travels beside the value.
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
"""The SQL type in which each dtype travels, both ways. What is not here cannot be scored."""

ERROR = "error"
"""The field behind the outputs in the function's result: why a row was refused, or NULL."""

_INSTEAD_OF_NULL = {"bool": "FALSE", "string": "''"}


def argument_sql(column: str, dtype: str) -> list[str]:
    """Return the arguments, as SQL, for an input of `dtype` that is read from the SQL expression `column`.

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
