"""The columns of a table or view in Flink's catalog, and a replacement for a source that reads given rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyflink_jobs.parsing.tokens import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink.table import TableEnvironment

__all__ = ["WATERMARK", "Column", "describe", "replacement"]

WATERMARK = "_watermark"  # the column of the replacement for the watermarks that a test gives


@dataclass(frozen=True)
class Column:
    """A column: `type` is its SQL type without NOT NULL, `computed` its expression, `watermark` that of a time column.

    A connector's metadata columns are among them: a test may give values for them.
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
        return [_column(*row[:6]) for row in rows]  # a seventh column has the COMMENTs, if there are any


def _column(name: str, sql_type: str, *rest: Any) -> Column:  # noqa: ANN401 - PyFlink's rows have no types
    nullable, key, extras, watermark = rest
    computed = extras.removeprefix("AS ") if extras and extras.startswith("AS ") else None
    sql_type = sql_type.removesuffix(" *ROWTIME*").removesuffix(" *PROCTIME*")
    return Column(name, sql_type, nullable, computed, watermark, bool(key and key.startswith("PRI")))


def replacement(table: str, columns: list[Column], file: Path, *, watermarks: bool) -> str:
    """Return the CREATE TABLE of a source that reads rows from a file of JSON lines instead of its own connector.

    With `watermarks`, a last column `_watermark` has the watermark after each row; where it is NULL, the source's own
    WATERMARK expression is used.
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
