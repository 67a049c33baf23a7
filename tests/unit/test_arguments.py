"""How a column's value and its NULL are written as arguments."""

from __future__ import annotations

import pytest

from udfs.scoring.arguments import SQL_TYPES, argument_sql


@pytest.mark.parametrize(
    ("dtype", "arguments"),
    [
        ("float16", ["CAST(`c` AS FLOAT)"]),
        ("float32", ["CAST(`c` AS FLOAT)"]),
        ("float64", ["CAST(`c` AS DOUBLE)"]),
        ("int64", ["COALESCE(CAST(`c` AS BIGINT), CAST(0 AS BIGINT))", "`c` IS NULL"]),
        ("int8", ["COALESCE(CAST(`c` AS TINYINT), CAST(0 AS TINYINT))", "`c` IS NULL"]),
        ("bool", ["COALESCE(CAST(`c` AS BOOLEAN), CAST(FALSE AS BOOLEAN))", "`c` IS NULL"]),
        ("string", ["COALESCE(CAST(`c` AS STRING), CAST('' AS STRING))", "`c` IS NULL"]),
    ],
)
def test_arguments(dtype: str, arguments: list[str]) -> None:
    assert argument_sql("`c`", dtype) == arguments


def test_unsigned_integers_have_no_sql_type() -> None:
    assert "uint8" not in SQL_TYPES
