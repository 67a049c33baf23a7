"""How a column's value and its NULL are written as arguments."""

from __future__ import annotations

import pytest

from udfs.scoring.arguments import SQL_TYPES, argument_sql


@pytest.mark.parametrize(
    ("sql_type", "dtype", "arguments"),
    [
        ("FLOAT", "float16", ["CAST(`c` AS FLOAT)"]),
        ("INT", "float16", ["CAST(`c` AS DOUBLE)"]),
        ("FLOAT", "float32", ["CAST(`c` AS FLOAT)"]),
        ("BIGINT NOT NULL", "float32", ["CAST(`c` AS FLOAT)"]),
        ("DECIMAL(38, 2)", "float32", ["CAST(`c` AS FLOAT)"]),
        ("DOUBLE", "float32", ["CAST(`c` AS DOUBLE)"]),
        ("FLOAT", "float64", ["CAST(`c` AS DOUBLE)"]),
        ("INT", "int64", ["COALESCE(CAST(`c` AS BIGINT), CAST(0 AS BIGINT))", "`c` IS NULL"]),
        ("BIGINT", "int8", ["COALESCE(CAST(`c` AS BIGINT), CAST(0 AS BIGINT))", "`c` IS NULL"]),
        ("TINYINT", "int8", ["COALESCE(CAST(`c` AS TINYINT), CAST(0 AS TINYINT))", "`c` IS NULL"]),
        ("DOUBLE NOT NULL", "int32", ["COALESCE(CAST(`c` AS DOUBLE), CAST(0 AS DOUBLE))", "`c` IS NULL"]),
        ("DECIMAL(10, 0)", "int32", ["COALESCE(CAST(`c` AS BIGINT), CAST(0 AS BIGINT))", "`c` IS NULL"]),
        ("DECIMAL(10, 2)", "int32", ["COALESCE(CAST(`c` AS DOUBLE), CAST(0 AS DOUBLE))", "`c` IS NULL"]),
        ("BOOLEAN", "bool", ["COALESCE(CAST(`c` AS BOOLEAN), CAST(FALSE AS BOOLEAN))", "`c` IS NULL"]),
        ("VARCHAR(2)", "string", ["COALESCE(CAST(`c` AS STRING), CAST('' AS STRING))", "`c` IS NULL"]),
    ],
)
def test_arguments(sql_type: str, dtype: str, arguments: list[str]) -> None:
    assert argument_sql("`c`", sql_type, dtype) == arguments


def test_unsigned_integers_have_no_sql_type() -> None:
    assert "uint8" not in SQL_TYPES
