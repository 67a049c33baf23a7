"""What a job writes to the table `quarantine`: invalid records, rows that a model refuses, and marks of a replay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pyflink_jobs.errors import Finding, SqlError
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.companion import Companion, GeneratedInsert
from pyflink_jobs.planning.companions.only_records import Origin
from pyflink_jobs.planning.companions.quarantine_counter import create_counter
from pyflink_jobs.planning.companions.quarantine_sql import (
    in_one,
    insert_sql,
    invalid_insert,
    origin_of,
    read_by,
    row_inserts,
)
from pyflink_jobs.planning.flink.java_functions import create_function
from pyflink_jobs.planning.rewrites.validated_source import NEAR_KEY
from pyflink_jobs.planning.system_tables import (
    BEHIND,
    QUARANTINE,
    QUARANTINE_COLUMNS,
    REFUSED,
    REPLAYED,
    unknown_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.planning.addition import Tables
    from pyflink_jobs.planning.companion import Places
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource
    from pyflink_jobs.planning.scored_view import ScoredView

__all__ = ["Quarantine"]

_OF_A_MARK = ("source", "reason", "topic", "partition", "offset", "job")


class Quarantine(Companion):
    """Goes with every model, in a project that declares the table."""

    name = "quarantine"
    tables: ClassVar = {QUARANTINE: tuple(QUARANTINE_COLUMNS)}

    def describe(self, job: Job) -> Iterator[str]:
        """Yield a line for each validated source, and one for what models refuse."""
        if QUARANTINE in job.system_tables:
            for source in job.validated.values():
                reasons = dict.fromkeys(check.reason for check in source.checks)
                yield f"{QUARANTINE} of {source.name}: {', '.join(reasons) or 'nothing'}; keeps {source.mode}"
            yield f"{QUARANTINE} of {', '.join(job.models)}: {REFUSED}"

    def inserts(
        self, job: Job, views: list[ScoredView], tables: Tables, places: Places | None
    ) -> list[GeneratedInsert]:
        """Return the INSERT into the table `quarantine`, if there is one."""
        if QUARANTINE not in job.system_tables:
            if places is not None:
                raise SqlError(f"job `{job.name}` calls no model, so it does not write to `{QUARANTINE}`")
            return []
        columns, sources = tables.columns_of_sink(QUARANTINE), [*job.validated.values()]
        if findings := unknown_columns(tables.statements[QUARANTINE], columns, QUARANTINE_COLUMNS):
            raise SqlError(findings)
        _create_functions(sources, views, tables)
        if places is not None:
            texts = _restricted(job, views, tables, places)
        else:
            texts = [invalid_insert(source, job.name, columns) for source in sources if source.checks]
            texts += [
                text
                for view in views
                for text in row_inserts(view, sources, job.name, columns, changing=tables.changes(view.call))
            ]
        return [GeneratedInsert(QUARANTINE, text) for text in in_one(texts)]


def _create_functions(sources: list[ValidatedSource], views: list[ScoredView], tables: Tables) -> None:
    for source in sources:
        if source.checks:
            reasons = dict.fromkeys(check.reason for check in source.checks)
            create_counter(tables.environment, source.checked, source.name, reasons)
        if source.names_keys:
            create_function(tables.environment, NEAR_KEY, "NearKey")
    for view in views:
        name = read_by(view, origin_of(view, sources))
        create_counter(tables.environment, view.scored, name, [REFUSED])
        if view.timed:
            create_counter(tables.environment, view.timed, name, [BEHIND])


def _restricted(job: Job, views: list[ScoredView], tables: Tables, places: Places) -> list[str]:
    columns, sources = tables.columns_of_sink(QUARANTINE), [*job.validated.values()]
    if missing := [name for name in _OF_A_MARK if name not in columns]:
        message = f"`{QUARANTINE}` cannot hold the mark that a record was replayed: it lacks {', '.join(missing)}"
        place = tables.statements[QUARANTINE].place()
        raise SqlError(message, place=place, fixes=("add the columns, with the types of docs/reference.md",))
    inserts = []
    for source in (source for source in sources if source.name in places):
        origin = _origin(source, places)
        if source.checks:
            inserts.append(invalid_insert(source, job.name, columns, only=origin.condition))
        inserts += _marks(source, origin, job.name, columns)
    for view in views:
        chosen = [
            _origin(source, places) for source in sources if source.name in _sources_of(job, view, tables, places)
        ]
        if chosen:
            condition = " OR ".join(origin.condition for origin in chosen)
            changing = tables.changes(view.call)
            inserts += row_inserts(view, sources, job.name, columns, only=condition, changing=changing)
    return inserts


def _origin(source: ValidatedSource, places: Places) -> Origin:
    partition, offset, *topic = source.position
    return Origin(source.name, partition, offset, "".join(topic), places[source.name])


def _sources_of(job: Job, view: ScoredView, tables: Tables, places: Places) -> list[str]:
    """Return the sources behind a view that scores; raises SqlError where it does not say which record a row is."""
    call = view.call
    read = call.query or tables.statements[call.table.text if call.table else ""]
    found = [name for name in job.sources_of(read) if name in places]
    for name in found:
        missing = [column for column in job.validated[name].position if column and column not in view.kept]
        if missing:
            message = f"what model `{call.model.text}` reads does not say which record of `{name}` a row results from"
            ways = (f"select {' and '.join(map(quoted, missing))} in it",)
            raise SqlError(Finding(message, call.table.place if call.table else call.place, fixes=ways))
    return found


def _marks(source: ValidatedSource, origin: Origin, job: str, columns: list[str]) -> Iterator[str]:
    """Yield the INSERTs of a source's marks: for a record as many as it has entries in quarantine without a mark."""
    values = {
        "source": literal(source.name),
        "reason": literal(REPLAYED),
        "detail": literal(f"replayed through job {job}"),
        "topic": quoted(origin.topic) if origin.topic else literal(source.topic),
        "partition": quoted(origin.partition),
        "offset": quoted(origin.offset),
        "job": literal(job),
    }
    for count in sorted(set(origin.places.values()) - {0}):
        of_count = {place: marks for place, marks in origin.places.items() if marks == count}
        table = quoted(source.table)
        if count > 1:
            copies = ", ".join(map(str, range(count)))
            table += f" CROSS JOIN UNNEST(ARRAY[{copies}]) AS `_copies` (`_copy`)"
        yield insert_sql(values, columns, table, replace(origin, places=of_count).condition)
