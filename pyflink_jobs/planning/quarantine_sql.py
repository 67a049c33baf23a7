"""The INSERTs into the table `quarantine`: what its columns are for a record that breaks a rule, or is refused."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding
from pyflink_jobs.planning.scoring_sql import SCORE
from pyflink_jobs.planning.source_columns import is_plain
from pyflink_jobs.project.tokens import literal, quoted
from udfs.arguments import ERROR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.planning.catalog import ScoredView
    from pyflink_jobs.planning.guarded import GuardedSource
    from pyflink_jobs.project.sqlfile import Statement

__all__ = ["KNOWN_COLUMNS", "QUARANTINE", "broken_insert", "refused_insert", "unknown_columns"]

QUARANTINE = "quarantine"
"""The table that records go to that cannot be scored."""

_TYPES = {
    "source": "STRING",
    "reason": "STRING",
    "detail": "STRING",
    "topic": "STRING",
    "partition": "INT",
    "offset": "BIGINT",
    "ingested_at": "TIMESTAMP_LTZ(3)",
    "record": "STRING",
    "job": "STRING",
    "model": "STRING",
    "model_version": "STRING",
}
KNOWN_COLUMNS = tuple(_TYPES)
"""The columns that it may have."""


def broken_insert(source: GuardedSource, job: str, columns: Iterable[str]) -> str:
    """Return the INSERT of the rows that break a rule of their source, with all that they break."""
    broken = ",\n    ".join(f"CASE WHEN NOT {rule.holds} THEN {rule.broken} END" for rule in source.rules)
    values = {
        "source": literal(source.name),
        "reason": literal("contract"),
        "detail": f"CONCAT_WS('; ',\n    {broken})",
        **source.metadata,
        "record": _record({c.name: c.type for c in source.source.columns if c.stored}),
        "job": literal(job),
    }
    return _insert(values, columns, source.table, f"NOT (\n  {source.holds})")


def refused_insert(view: ScoredView, job: str, columns: Iterable[str]) -> str:
    """Return the INSERT of the rows that a model refuses, with those of their columns that other statements read."""
    error = f"{quoted(SCORE)}.{quoted(ERROR)}"
    values = {
        "source": literal(view.call.table.text if view.call.table else ""),
        "reason": literal("refused by model"),
        "detail": error,
        "record": _record(view.kept),
        "job": literal(job),
        "model": literal(view.model.definition.name),
        "model_version": literal(view.model.spec.version),
    }
    return _insert(values, columns, view.scored, f"{error} IS NOT NULL")


def _insert(values: Mapping[str, str], columns: Iterable[str], table: str, condition: str) -> str:
    wanted = {name: values.get(name, f"CAST(NULL AS {_TYPES[name]})") for name in columns}
    selected = ",\n  ".join(f"{value} AS {quoted(name)}" for name, value in wanted.items())
    return (
        f"INSERT INTO {quoted(QUARANTINE)} ({', '.join(map(quoted, wanted))})\nSELECT\n  {selected}\n"
        f"FROM {quoted(table)}\nWHERE {condition}"
    )


def _record(columns: Mapping[str, str]) -> str:
    """Return a row, by its columns' types, as JSON."""
    # JSON_OBJECT takes no dates, bytes, rows and arrays.
    values = {
        name: quoted(name) if is_plain(kind) else f"CAST({quoted(name)} AS STRING)" for name, kind in columns.items()
    }
    return f"JSON_OBJECT({', '.join(f'{literal(name)} VALUE {value}' for name, value in values.items())})"


def unknown_columns(statement: Statement, columns: Iterable[str]) -> list[Finding]:
    """Return findings for columns of the table `quarantine` that no record has."""
    findings = []
    for name in columns:
        if name not in KNOWN_COLUMNS:
            near = get_close_matches(name, KNOWN_COLUMNS, n=1)
            ways = (f"write `{near[0]}`",) if near else ("leave it out",)
            facts = (f"known are: {', '.join(KNOWN_COLUMNS)}",)
            message = f"table `{QUARANTINE}` gets no column `{name}`"
            findings.append(Finding(message, statement.place(), facts, ways))
    return findings
