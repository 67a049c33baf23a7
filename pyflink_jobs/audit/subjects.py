"""What can be audited of a job: its sources, with the sinks whose rows say which record they are; and what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.audit.sinks import find_sinks
from pyflink_jobs.errors import Finding, ProjectError, SqlError
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.rewrites.validated_source import is_readable_log
from pyflink_jobs.planning.system_tables import QUARANTINE

if TYPE_CHECKING:
    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.planning.declarations import Declarations, Job
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["Subject", "find_subjects", "quarantine_table", "scoring_jobs"]

_NEEDED = ("reason", "topic", "partition", "offset", "job")  # columns of quarantine
_COLUMNS = {"partition": "INT", "offset": "BIGINT", "topic": "STRING"}  # of a source of several topics, all three
_MODE = "scan.startup.mode"


@dataclass(frozen=True)
class Subject:
    """A source that a job reads, and those of the job's sinks whose rows say which of its records they are."""

    job: str
    source: ValidatedSource
    sinks: tuple[SourceTable, ...]


def scoring_jobs(declarations: Declarations, name: str | None) -> list[Job]:
    """Return the job of that name, or all that score. Raises ProjectError if there is none or it does not score."""
    wanted = sorted(declarations.jobs) if name is None else [name]
    found = [job for job in map(declarations.job, wanted) if job.calls]
    if not found:
        message = "no job in sql/jobs/ scores" if name is None else f"job `{name}` does not score"
        raise ProjectError(message, fixes=("audit a job that calls ML_PREDICT",))
    return found


def quarantine_table(declarations: Declarations) -> SourceTable:
    """Return the table `quarantine`. Raises SqlError if there is none or it lacks columns that an audit needs."""
    table = declarations.tables.get(QUARANTINE)
    if not table:
        ways = (f"declare it in sql/sinks/{QUARANTINE}.sql",)
        raise SqlError(f"nothing can be accounted for: there is no table `{QUARANTINE}`", fixes=ways)
    names = [column.name for column in table.columns]
    if lacking := [name for name in _NEEDED if name not in names]:
        message = f"nothing can be accounted for: `{QUARANTINE}` does not say which record was quarantined"
        raise SqlError(message, place=table.statement.place(), fixes=(f"add its columns {', '.join(lacking)}",))
    if not is_readable_log(table) or len(connector_of(table.values).names(table.values)) != 1:
        message = f"nothing can be accounted for: `{QUARANTINE}` is no topic of JSON in Kafka"
        raise SqlError(
            message, place=table.statement.place(), fixes=("write 'connector' = 'kafka', 'format' = 'json'",)
        )
    return table


def find_subjects(declarations: Declarations, job: Job, *, since: bool) -> tuple[list[Subject], list[Finding]]:
    """Return what can be audited of a job that scores, and findings on what cannot.

    `since` is whether only records from a given time on count. Raises ContractError for mistakes in the job's SQL.
    """
    job.refuse_findings()
    sources = [source for source in job.validated.values() if source.checks]
    found, findings = [], []
    for validated in sources:
        problems = _problems(validated, sources, since=since)
        if not problems:
            sinks, problems = find_sinks(declarations, job, validated.name, validated.position)
            found += [Subject(job.name, validated, sinks)] if sinks else []
        findings += problems
    if not sources:
        message = f"job `{job.name}` cannot be accounted for: it reads no source whose invalid records go to quarantine"
        ways = ("read JSON by a table with 'connector' = 'kafka', or give a source's columns rules",)
        findings.append(Finding(message, job.own[0].place(), fixes=ways))
    return found, findings


def _problems(validated: ValidatedSource, sources: list[ValidatedSource], *, since: bool) -> list[Finding]:
    """Return why a source cannot be audited, empty if it can."""
    source, name = validated.source, validated.name
    place = source.statement.place()
    if not validated.is_checked:
        message = f"`{name}` cannot be accounted for: its records are not JSON or Avro in Kafka"
        return [Finding(message, place, fixes=("write 'connector' = 'kafka', 'format' = 'json'",))]
    if "" in validated.position:
        message = f"`{name}` cannot be accounted for: its rows do not say which records they are"
        lacking = dict(zip(_COLUMNS, validated.position, strict=False))
        columns = ", ".join(
            f"{name}_{key} {_COLUMNS[key]} METADATA FROM '{key}' VIRTUAL"
            for key, column in lacking.items()
            if not column
        )
        ways = (f"add the columns {columns}; and columns of the same names to the sink, and to the views between",)
        return [Finding(message, place, fixes=ways)]
    same = [other for other in sources if other is not validated and set(other.position) & set(validated.position)]
    if same:
        message = f"`{name}` cannot be accounted for: its columns for partition and offset have the names of others"
        facts = (f"{same[0].source.statement.place()}: `{same[0].name}` has {', '.join(same[0].position)}",)
        return [Finding(message, place, facts, ("give them names of their own",))]
    mode = source.option(_MODE) or "group-offsets"
    if mode != "earliest-offset" and not since:
        message = f"`{name}` cannot be accounted for: it is not read from its first record on"
        facts = (f"'{_MODE}' is '{mode}'",)
        return [
            Finding(message, place, facts, (f"write '{_MODE}' = 'earliest-offset'", "say from when on: --from TIME"))
        ]
    return []
