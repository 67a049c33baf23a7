"""The tables that Millstream writes, the columns they may have, and the columns it adds to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pyflink_jobs.parsing.statements import Statement

__all__ = [
    "ALERTS",
    "BEHIND",
    "DRIFT",
    "LATE",
    "QUARANTINE",
    "QUARANTINE_COLUMNS",
    "REASON",
    "REFUSED",
    "REPLAYED",
    "SCORE",
    "UNCHECKED",
    "missing_table",
    "unknown_columns",
]

QUARANTINE = "quarantine"
"""The table for records that cannot be scored."""

QUARANTINE_COLUMNS = {
    "source": "STRING",
    "reason": "STRING",
    "detail": "STRING",
    "topic": "STRING",
    "partition": "INT",
    "offset": "BIGINT",
    "event_time": "TIMESTAMP_LTZ(3)",
    "ingested_at": "TIMESTAMP_LTZ(3)",
    "record": "BYTES",
    "columns": "STRING",
    "job": "STRING",
    "model": "STRING",
    "model_version": "STRING",
}
"""The columns that it may have, with their types."""

DRIFT, ALERTS = "drift", "alerts"
"""The tables for what a monitor finds in each window, and for the alarms that open and close."""

REFUSED = "refused by model"
"""The reason, in `quarantine`, of a row that a model refuses."""

BEHIND = "late"
"""The reason of a row that is behind the watermark."""

REPLAYED = "replayed"
"""The reason of a mark in `quarantine`: this record was replayed."""

SCORE = "_score"
"""The column that holds the ROW that the scoring function returns."""

UNCHECKED = "_unchecked"
"""The suffix of the table that reads all records of a validated source."""

LATE = "_late"
"""The column that says why a row that a model is to score is late; NULL for one that is not."""

REASON = "_reason"
"""The column that says why a row of a validated source is invalid; NULL for a valid one."""


def missing_table(table: str, needed_by: str, known: Iterable[str]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return message, facts and fixes for a system table that a project needs and does not declare."""
    facts = (f"its columns may be: {', '.join(known)}",)
    return f"{needed_by}, but there is no table `{table}`", facts, (f"declare it in sql/sinks/{table}.sql",)


def unknown_columns(statement: Statement, columns: Iterable[str], known: Collection[str]) -> list[Finding]:
    """Return a finding for each column of a system table that no record has."""
    facts = (f"known are: {', '.join(known)}",)
    return [
        Finding(
            f"table `{statement.name}` gets no column `{name}`",
            statement.place(),
            facts,
            did_you_mean(name, known, "leave it out"),
        )
        for name in columns
        if name not in known
    ]
