"""The sinks of a job that can be audited: their rows have the partition and offset of a source's record."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, Place
from pyflink_jobs.parsing.brackets import top_level
from pyflink_jobs.parsing.insert import read_insert
from pyflink_jobs.parsing.ml_predict import all_calls
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.rewrites.validated_source import is_readable_log

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.declarations import Declarations, Job

__all__ = ["find_sinks"]


def find_sinks(
    declarations: Declarations, job: Job, source: str, columns: tuple[str, ...]
) -> tuple[tuple[SourceTable, ...], list[Finding]]:
    """Return the sinks that a job writes scored rows of a source to, and findings on those that cannot be audited.

    `columns` are the names of the source's columns for partition and offset, and of several topics for the topic: a
    sink must have all.
    """
    found: dict[str | None, SourceTable] = {}
    findings: list[Finding] = []
    for insert in _inserts(job, source, scoring=True):
        table = job.tables.get(insert.name or "")
        problem = _of_insert(insert, table, source, columns) or _of_others(declarations, job, source, insert)
        if problem:
            findings.append(problem)
        elif table:
            found[insert.name] = table
    return tuple(found.values()), findings


def _inserts(job: Job, source: str, *, scoring: bool) -> list[Statement]:
    """Return the INSERTs of a job that read a source, directly or through views: all, or those that score."""
    found = []
    for insert in job.inserts:
        read = job.read_by(insert)
        scores = any(map(all_calls, [insert, *read]))
        if source in {statement.name for statement in read} and (scores or not scoring):
            found.append(insert)
    return found


def _of_others(declarations: Declarations, job: Job, source: str, insert: Statement) -> Finding | None:
    """Return the finding for another job that writes rows of the same source to the same sink."""
    for name in sorted(declarations.jobs.keys() - {job.name}):
        for statement in _inserts(declarations.jobs[name], source, scoring=False):
            if statement.name == insert.name:
                message = f"`{insert.name}` cannot be accounted for: job `{name}` writes to it as well"
                return Finding(message, statement.place(), fixes=("give each job a sink of its own",))
    return None


def _of_insert(insert: Statement, table: SourceTable | None, source: str, columns: tuple[str, ...]) -> Finding | None:
    """Return why an INSERT or its sink cannot be audited."""
    if table is None:
        message = f"`{insert.name}` cannot be accounted for: its columns are not its own"
        return Finding(message, insert.place(), fixes=("write its CREATE TABLE with all columns",))
    if place := _grouped(insert):
        message = f"`{insert.name}` cannot be accounted for to the record: its rows are groups of records"
        return Finding(message, place, fixes=("write the single rows to a sink as well",))
    return _of_table(table, source, columns, insert)


def _of_table(table: SourceTable, source: str, columns: tuple[str, ...], insert: Statement) -> Finding | None:
    """Return why a sink cannot be audited."""
    name, place = table.statement.name, table.statement.place()
    connector = connector_of(table.values)
    if table.option("connector") in connector.versioned:
        message = f"`{name}` cannot be accounted for: it keeps the newest row of each key, so results are overwritten"
        ways = ("write the rows to a table with 'connector' = 'kafka' as well, and audit that",)
        return Finding(message, place, fixes=ways)
    if not is_readable_log(table) or len(connector.names(table.values)) != 1:
        message = f"`{name}` cannot be accounted for: it is no topic of JSON in Kafka"
        ways = ("write the rows to one as well: 'connector' = 'kafka', 'format' = 'json'",)
        return Finding(message, place, fixes=ways)
    there = [column.name for column in table.columns]
    written = read_insert(insert, there).columns
    kinds = dict(zip(columns, ("INT", "BIGINT", "STRING"), strict=False))
    lacking = [f"{column} {kind}" for column, kind in kinds.items() if column not in there]
    if not lacking and set(columns) <= set(written):
        return None
    message = f"`{name}` cannot be accounted for: its rows do not say which record of `{source}` they are"
    facts = (f"`{source}` has {' and '.join(columns)}",)
    if not lacking:
        return Finding(message, insert.place(), facts, ("name them behind INSERT INTO, and select them",))
    ways = (f"add {', '.join(lacking)} to its columns, and to what {insert.file} selects for it",)
    return Finding(message, place, facts, ways)


def _grouped(insert: Statement) -> Place | None:
    """Return the place of the GROUP BY in the outermost query of an INSERT."""
    words = pairwise(top_level(insert.tokens))
    return next((insert.place(a.start) for a, b in words if a.says("GROUP") and b.says("BY")), None)
