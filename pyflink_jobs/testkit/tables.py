"""A table's or view's columns as Flink's catalog describes them, and a stand-in for a source that reads given rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink.table import TableEnvironment

__all__ = ["WATERMARK", "Column", "describe", "stand_in"]

WATERMARK = "_watermark"  # the stand-in's column for watermarks that a test gives


@dataclass(frozen=True)
class Column:
    """A column: `type` is its SQL type without NOT NULL, `computed` its expression, `watermark` that of a time column.

    A metadata column of a connector counts as any other: a test may give it.
    """

    name: str
    type: str
    nullable: bool = True
    computed: str | None = None
    watermark: str | None = None
    key: bool = False


def describe(environment: TableEnvironment, table: str) -> list[Column]:
    """Return the columns of a table or view of the catalog."""
    with environment.execute_sql(f"DESCRIBE {quoted(table)}").collect() as rows:
        return [_column(*row[:6]) for row in rows]  # a seventh says what the COMMENTs are, if there are any


def _column(name: str, sql_type: str, *rest: Any) -> Column:  # noqa: ANN401 - PyFlink's rows have no types
    nullable, key, extras, watermark = rest
    computed = extras.removeprefix("AS ") if extras and extras.startswith("AS ") else None
    sql_type = sql_type.removesuffix(" *ROWTIME*").removesuffix(" *PROCTIME*")
    return Column(name, sql_type, nullable, computed, watermark, bool(key and key.startswith("PRI")))


def stand_in(table: str, columns: list[Column], file: Path, *, watermarks: bool) -> str:
    """Return the CREATE TABLE of a source that reads rows from a file of JSON lines in place of its own connector.

    With `watermarks`, a last column `_watermark` says how far event time is behind a row; where it is NULL, the
    source's own WATERMARK expression rules.
    """
    lines = [
        f"{quoted(c.name)} AS {c.computed}" if c.computed else f"{quoted(c.name)} {c.type}{_not_null(c)}"
        for c in columns
    ]
    for column in columns:
        if column.watermark and watermarks:
            lines.append(f"{quoted(WATERMARK)} {column.type}")
            lines.append(f"WATERMARK FOR {quoted(column.name)} AS COALESCE({quoted(WATERMARK)}, {column.watermark})")
        elif column.watermark:
            lines.append(f"WATERMARK FOR {quoted(column.name)} AS {column.watermark}")
    if key := [quoted(column.name) for column in columns if column.key]:
        lines.append(f"PRIMARY KEY ({', '.join(key)}) NOT ENFORCED")
    path = str(file).replace("'", "''")
    options = f"'connector' = 'filesystem', 'path' = '{path}', 'format' = 'json'"
    columns_sql = ",\n  ".join(lines)
    return (
        f"CREATE TABLE {quoted(table)} (\n  {columns_sql}\n) "
        f"WITH ({options}, 'json.timestamp-format.standard' = 'ISO-8601')"
    )


def _not_null(column: Column) -> str:
    return "" if column.nullable else " NOT NULL"
