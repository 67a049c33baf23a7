"""What a job writes to the table `quarantine`: invalid records, rows that a model refuses, and marks of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, SqlError
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.companions.only_records import Origin, behind, within
from pyflink_jobs.planning.companions.quarantine_counter import create_counter
from pyflink_jobs.planning.companions.quarantine_sql import (
    QUARANTINE,
    REFUSED,
    REPLAYED,
    in_one,
    insert_sql,
    invalid_insert,
    origin_of,
    read_by,
    refused_insert,
    unknown_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.companions.only_records import Places
    from pyflink_jobs.planning.flink.catalog import Catalog, ScoredView
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["quarantine_inserts"]

_OF_A_MARK = ("source", "reason", "topic", "partition", "offset", "job")


def quarantine_inserts(
    job: str, statements: list[Statement], views: list[ScoredView], catalog: Catalog, places: Places | None = None
) -> list[str]:
    """Return a job's INSERT into the table `quarantine`, if it has one.

    `statements` are those that the job needs, `views` those that score.
    With `places`, only what comes of the records there is written, and marks that they were replayed.
    """
    if QUARANTINE not in catalog.statements:
        if places is not None:
            raise SqlError(f"job `{job}` calls no model, so it does not write to `{QUARANTINE}`")
        return []
    statement, columns = catalog.statements[QUARANTINE], catalog.columns_of_sink(QUARANTINE)
    if findings := unknown_columns(statement, columns):
        raise SqlError(findings)
    sources = [catalog.validated[s.name or ""] for s in statements if s.name in catalog.validated]
    _create_counters(sources, views, catalog)
    if places is not None:
        return in_one(_restricted(job, sources, views, catalog, places))
    return in_one(
        [
            *(invalid_insert(source, job, columns) for source in sources if source.checks),
            *(refused_insert(view, sources, job, columns) for view in views),
        ]
    )


def _create_counters(sources: list[ValidatedSource], views: list[ScoredView], catalog: Catalog) -> None:
    for source in sources:
        if source.checks:
            reasons = dict.fromkeys(check.reason for check in source.checks)
            create_counter(catalog.environment, source.checked, source.name, reasons)
    for view in views:
        create_counter(catalog.environment, view.scored, read_by(view, origin_of(view, sources)), [REFUSED])


def _restricted(
    job: str, sources: list[ValidatedSource], views: list[ScoredView], catalog: Catalog, places: Places
) -> list[str]:
    columns = catalog.columns_of_sink(QUARANTINE)
    if missing := [name for name in _OF_A_MARK if name not in columns]:
        message = f"`{QUARANTINE}` cannot hold the mark that a record was replayed: it lacks {', '.join(missing)}"
        place = catalog.statements[QUARANTINE].place()
        raise SqlError(message, place=place, fixes=("add the columns, with the types of docs/reference.md",))
    inserts = []
    for source in (source for source in sources if source.name in places):
        origin = _origin(source, places)
        if source.checks:
            inserts.append(f"{invalid_insert(source, job, columns)}\n  AND ({origin.condition})")
        inserts += _marks(source, origin, job, columns)
    for view in views:
        chosen = [_origin(source, places) for source in sources if source.name in _sources_of(view, catalog, places)]
        if chosen:
            condition = " OR ".join(origin.condition for origin in chosen)
            inserts.append(f"{refused_insert(view, sources, job, columns)}\n  AND ({condition})")
    return inserts


def _origin(source: ValidatedSource, places: Places) -> Origin:
    partition, offset = (source.source.metadata(key) or "" for key in ("partition", "offset"))
    return Origin(source.name, partition, offset, places[source.name])


def _sources_of(view: ScoredView, catalog: Catalog, places: Places) -> list[str]:
    """Return the sources behind a view that scores; raises SqlError where it does not tell which record a row is."""
    call = view.call
    read = call.query or catalog.statements[call.table.text if call.table else ""]
    found = [name for name in behind(read, catalog) if name in places]
    for name in found:
        source = catalog.validated[name].source
        missing = [c for c in map(source.metadata, ("partition", "offset")) if c and c not in view.kept]
        if missing:
            message = f"what model `{call.model.text}` reads does not tell which record of `{name}` a row comes of"
            ways = (f"select {' and '.join(map(quoted, missing))} in it",)
            raise SqlError(Finding(message, call.table.place if call.table else call.place, fixes=ways))
    return found


def _marks(source: ValidatedSource, origin: Origin, job: str, columns: list[str]) -> Iterator[str]:
    """Yield the INSERTs of a source's marks: as many for a record as it stands in quarantine and is not marked."""
    values = {
        "source": literal(source.name),
        "reason": literal(REPLAYED),
        "detail": literal(f"replayed through job {job}"),
        "topic": literal(source.source.option("topic")),
        "partition": quoted(origin.partition),
        "offset": quoted(origin.offset),
        "job": literal(job),
    }
    for count in sorted(set(origin.places.values()) - {0}):
        of_count = [place for place, marks in origin.places.items() if marks == count]
        table = quoted(source.table)
        if count > 1:
            copies = ", ".join(map(str, range(count)))
            table += f" CROSS JOIN UNNEST(ARRAY[{copies}]) AS `_copies` (`_copy`)"
        condition = within(quoted(origin.partition), quoted(origin.offset), of_count)
        yield insert_sql(values, columns, table, condition)
