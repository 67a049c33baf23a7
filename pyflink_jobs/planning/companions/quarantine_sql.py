"""The INSERTs into the table `quarantine`: what its columns are for a record that is not valid, or is refused."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pyflink_jobs.parsing.column import is_plain
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.companions.quarantine_counter import counted
from pyflink_jobs.planning.system_tables import BEHIND, LATE, QUARANTINE, QUARANTINE_COLUMNS, REASON, REFUSED, SCORE
from udfs.scoring.arguments import ERROR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyflink_jobs.planning.rewrites.column_rules import Rule
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource
    from pyflink_jobs.planning.scored_view import ScoredView

__all__ = ["in_one", "insert_sql", "invalid_insert", "origin_of", "read_by", "row_inserts"]

_SELECT = "\nSELECT"
_VERSIONS = "`op` IN ('INSERT', 'UPDATE_AFTER')\n  AND "


def invalid_insert(validated: ValidatedSource, job: str, columns: Iterable[str], only: str = "") -> str:
    """Return the INSERT of the records that are not valid: the first reason, and what breaks it.

    `only` is SQL for which of them, "" for all.
    """
    source = validated.source
    by_reason = groupby(validated.checks, lambda check: check.reason)
    details = "\n    ".join(f"WHEN {literal(reason)} THEN {_words(list(checks))}" for reason, checks in by_reason)
    stored = {c.name: c.type for c in source.columns if c.stored and c.name not in validated.personal}
    values = {
        "source": literal(validated.name),
        "reason": counted(validated.checked, quoted(REASON)),
        "detail": f"CASE {quoted(REASON)}\n    {details} END",
        "event_time": f"CAST({quoted(source.time)} AS TIMESTAMP_LTZ(3))" if source.time else "",
        "columns": "" if "record" in validated.metadata else _row(stored),
        "job": literal(job),
        **validated.metadata,
    }
    return insert_sql(values, columns, quoted(validated.checked), _and(f"{quoted(REASON)} IS NOT NULL", only))


def row_inserts(
    view: ScoredView,
    origins: Iterable[ValidatedSource],
    job: str,
    columns: Iterable[str],
    *,
    only: str = "",
    changing: bool = False,
) -> list[str]:
    """Return the INSERTs of rows without a score, with those of their columns that other statements read.

    They come too late, in a view that is `timed`, or the model refuses them. `origins` are the job's sources: see
    `origin_of`. `only` is SQL for which rows, "" for all. Of rows that are `changing`, each version that is refused is
    written: quarantine takes no record back.
    """
    kinds = [(view.scored, REFUSED, f"{quoted(SCORE)}.{quoted(ERROR)}")]
    if view.timed:
        kinds.insert(0, (view.timed, BEHIND, quoted(LATE)))
    origin = origin_of(view, origins)
    of_row = {
        "source": literal(read_by(view, origin)),
        "columns": _row(view.kept),
        "job": literal(job),
        "model": literal(view.model.definition.name),
        "model_version": literal(view.model.spec.version),
    }
    if origin:
        *_, topic = origin.position
        of_row["topic"] = literal(origin.topic) if origin.topic else quoted(topic)
        of_row |= {key: quoted(name) for key, name in zip(("partition", "offset"), origin.place, strict=True)}
    return [
        insert_sql(
            {**of_row, "reason": counted(table, literal(reason)), "detail": detail},
            columns,
            f"TO_CHANGELOG(input => TABLE {quoted(table)})" if changing else quoted(table),
            _and(f"{_VERSIONS}{detail} IS NOT NULL" if changing else f"{detail} IS NOT NULL", only),
        )
        for table, reason, detail in kinds
    ]


def _and(condition: str, only: str) -> str:
    return f"{condition}\n  AND ({only})" if only else condition


def origin_of(view: ScoredView, origins: Iterable[ValidatedSource]) -> ValidatedSource | None:
    """Return the source whose columns for partition and offset a view has: they say which record a row results from."""
    return next((origin for origin in origins if all(name in view.kept for name in origin.position)), None)


def read_by(view: ScoredView, origin: ValidatedSource | None) -> str:
    """Return the name of what a model reads, as records of quarantine have it: of the source, or of a view."""
    if origin:
        return origin.name
    return view.call.table.text if view.call.table else ""


def _words(checks: list[Rule]) -> str:
    if len(checks) == 1:
        return checks[0].broken
    none = "CAST(NULL AS STRING)"
    broken = ",\n      ".join(f"CASE WHEN {check.holds} THEN {none} ELSE {check.broken} END" for check in checks)
    return f"CONCAT_WS('; ',\n      {broken})"


def insert_sql(values: Mapping[str, str], columns: Iterable[str], table: str, condition: str) -> str:
    """Return an INSERT into the table `quarantine`: `values` are SQL by column, `table` is what follows FROM."""
    wanted = {name: values.get(name) or f"CAST(NULL AS {QUARANTINE_COLUMNS[name]})" for name in columns}
    selected = ",\n  ".join(f"{value} AS {quoted(name)}" for name, value in wanted.items())
    return (
        f"INSERT INTO {quoted(QUARANTINE)} ({', '.join(map(quoted, wanted))})\nSELECT\n  {selected}\n"
        f"FROM {table}\nWHERE {condition}"
    )


def in_one(inserts: Iterable[str]) -> list[str]:
    """Return INSERTs of the same columns as one; none of none.

    Each INSERT has a sink of its own, and two exactly-once sinks of one table would write in each other's transactions.
    """
    texts = [*inserts]
    into = texts[0].partition(_SELECT)[0] if texts else ""
    return [into + "\nUNION ALL".join(text.removeprefix(into) for text in texts)] if texts else []


def _row(columns: Mapping[str, str]) -> str:
    """Return a row, by its columns' types, as JSON."""
    # JSON_OBJECT takes no dates, bytes, rows and arrays.
    values = {
        name: quoted(name) if is_plain(kind) else f"CAST({quoted(name)} AS STRING)" for name, kind in columns.items()
    }
    return f"JSON_OBJECT({', '.join(f'{literal(name)} VALUE {value}' for name, value in values.items())})"
