"""Names that Flink does not find: what is there under a name like it, or does the same under another one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink.table import TableEnvironment

    from pyflink_jobs.parsing.tokens import Token
    from pyflink_jobs.planning.flink.refusals import Refusal

__all__ = ["fixes_of_name"]

_FUNCTIONS = {
    "NVL": "COALESCE(a, b)", "ISNULL": "a IS NULL, or COALESCE(a, b)", "ILIKE": "LOWER(a) LIKE 'x%'",
    "TO_CHAR": "DATE_FORMAT(ts, 'yyyy-MM-dd')", "DATE_TRUNC": "FLOOR(ts TO HOUR)",
    "DATEDIFF": "TIMESTAMPDIFF(DAY, a, b)", "DATE_DIFF": "TIMESTAMPDIFF(DAY, a, b)", "DATEADD": "ts + INTERVAL '1' DAY",
    "DATE_ADD": "ts + INTERVAL '1' DAY", "GETDATE": "CURRENT_TIMESTAMP",
    "LEN": "CHAR_LENGTH(a)", "LENGTH": "CHAR_LENGTH(a)", "SAFE_CAST": "TRY_CAST(a AS INT)",
    "SAFE_DIVIDE": "a / NULLIF(b, 0)", "STRING_AGG": "LISTAGG(a)", "GROUP_CONCAT": "LISTAGG(a)",
    "ARRAY_LENGTH": "CARDINALITY(a)", "SIZE": "CARDINALITY(a)", "STRPOS": "POSITION(a IN b)", "POW": "POWER(a, b)",
    "TO_NUMBER": "TRY_CAST(a AS DOUBLE)", "FROM_JSON": "JSON_VALUE(a, '$.x')", "JSON_EXTRACT": "JSON_VALUE(a, '$.x')",
}  # fmt: skip
"""Functions of other databases, and what Flink has."""
_TYPES = {
    "TEXT": "STRING", "VARCHAR2": "STRING", "NVARCHAR": "STRING", "UUID": "STRING", "JSON": "STRING", "ENUM": "STRING",
    "FLOAT4": "FLOAT", "FLOAT32": "FLOAT", "FLOAT8": "DOUBLE", "FLOAT64": "DOUBLE", "NUMBER": "DECIMAL(20, 4)",
    "INT2": "SMALLINT", "INT4": "INT", "INT8": "BIGINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT",
    "LONG": "BIGINT", "SHORT": "SMALLINT", "BOOL": "BOOLEAN", "DATETIME": "TIMESTAMP(3)",
    "TIMESTAMPTZ": "TIMESTAMP_LTZ(3)", "BLOB": "BYTES", "BYTEA": "BYTES",
}  # fmt: skip
"""Types of other databases, and Flink's."""
_OURS = ("resuming-", "checked-", "quick-", "python-", "legacy-")
"""How names begin that nobody writes."""


def fixes_of_name(refusal: Refusal, tokens: list[Token], environment: TableEnvironment) -> tuple[str, ...]:
    """Return the fixes for a name that is not there: one like it, or what else to write.

    `tokens` are those of the statement as Flink got it.
    """
    name, known = refusal.name, [each for each in refusal.known if not each.startswith(_OURS)]
    match refusal.missing:
        case "known":
            found = did_you_mean(name, known, f"write one of {', '.join(known[:12])}", fix="write '{}'")
        case "table":
            places = "declare it in sql/sources/, sql/features/ or sql/sinks/"
            found = did_you_mean(name, environment.list_tables(), places)
        case "function":
            found = _function(name, environment.list_functions())
        case "target":
            columns = [column for table in _written(tokens) for column in _columns_of(table, environment)]
            found = did_you_mean(name, columns, f"columns: {', '.join(columns)}")
        case "type" if name.upper() in _TYPES:
            found = (f"write {_TYPES[name.upper()]}",)
        case "column" | "type":
            found = _column(name, tokens, environment)
        case _:
            found = refusal.fixes
    return found


def _function(name: str, known: Iterable[str]) -> tuple[str, ...]:
    if name.upper() in _FUNCTIONS:
        return (f"write {_FUNCTIONS[name.upper()]}",)
    names = [each.upper() for each in known]
    if name.upper() in names:
        return ("give it arguments of the types that it accepts, with CAST",)
    return did_you_mean(name.upper(), names, "declare it: CREATE FUNCTION ... LANGUAGE PYTHON", fix="write {}")


def _column(name: str, tokens: list[Token], environment: TableEnvironment) -> tuple[str, ...]:
    if tokens[0].says("CREATE") and tokens[1].says("TABLE"):
        return did_you_mean(name, {token.text for token in tokens if token.is_identifier} - {name})
    if not any(token.says("FROM") for token in tokens):
        return ("say which table it is of: FROM",)
    if any(before.says("AS") and token.text == name for before, token in pairwise(tokens)):
        return ("repeat the expression: WHERE and GROUP BY do not know names that SELECT gives", "compute it in a view")
    names = {token.text for token in tokens if token.is_identifier} & set(environment.list_tables())
    columns = [column for table in sorted(names - _written(tokens)) for column in _columns_of(table, environment)]
    if name in columns:
        return ("select it in the subquery that the query reads",)
    return did_you_mean(name, columns, *([f"columns: {', '.join(columns[:20])}"] if columns else []))


def _written(tokens: list[Token]) -> set[str]:
    """Return the table that an INSERT writes."""
    return {table.text for into, table in pairwise(tokens) if into.says("INTO")}


def _columns_of(table: str, environment: TableEnvironment) -> list[str]:
    try:
        return list(environment.from_path(f"`{table}`").get_schema().get_field_names())
    except Exception:  # noqa: BLE001 - of a sink, which cannot be read: there is another mistake to report
        return []
