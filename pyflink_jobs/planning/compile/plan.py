"""Plan a job: expand the statements of what is loaded, hand them to Flink."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyflink_jobs.errors import MillstreamError, SqlError
from pyflink_jobs.parsing.tokens import quoted
from pyflink_jobs.planning.companions.drift import KEEP_TIME, drift_inserts, functions_of_monitor, view_with_plain_join
from pyflink_jobs.planning.companions.drift_sql import ALERTS, DRIFT
from pyflink_jobs.planning.companions.only_records import restricted_insert
from pyflink_jobs.planning.companions.quarantine import quarantine_inserts
from pyflink_jobs.planning.compile.load import load_job
from pyflink_jobs.planning.flink.catalog import Catalog, ScoredView, sql_error
from pyflink_jobs.planning.flink.errors import read_exception

if TYPE_CHECKING:
    from pyflink.table import StatementSet, TableEnvironment

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.companions.only_records import Places
    from pyflink_jobs.planning.declarations import Declarations
    from pyflink_jobs.planning.rewrites.dry_run import DryRun
    from pyflink_jobs.planning.rewrites.validated_source import ValidatedSource

__all__ = ["PlannedJob", "check_plans", "plan_job"]

_LOST_TIME = "*ROWTIME* -> TIMESTAMP"  # how Flink's planner puts it that it has made a plain timestamp of event time


@dataclass(frozen=True)
class PlannedJob:
    """A job that Flink has accepted: its INSERT statements as Flink gets them, and the views made for them.

    `needed` are the statements it was planned from, its own among them.
    `sources` and `sinks` are the options of the tables it reads and writes, by name; `functions` has a digest of what
    each Python function is made for, by name.
    """

    name: str
    environment: TableEnvironment
    statements: StatementSet
    inserts: list[str]
    validated: list[ValidatedSource]
    views: list[ScoredView]
    sources: dict[str, dict[str, str]]
    sinks: dict[str, dict[str, str]]
    functions: dict[str, str]
    needed: list[Statement]


def plan_job(
    declarations: Declarations,
    name: str,
    environment: TableEnvironment,
    *,
    bounded: bool = False,
    places: Places | None = None,
    dry_run: DryRun | None = None,
) -> PlannedJob:
    """Load a job and what it reads into `environment`, and plan its INSERT statements.

    With `places` it replays: only what comes of the records there is written. With a `dry_run` it reads and writes
    what that says. Raises what `load_job` raises.
    """
    replays = places is not None
    loaded = load_job(declarations, name, environment, bounded=bounded, replays=replays, dry_run=dry_run)
    statements, inserts = _add_inserts(name, loaded.statements, loaded.catalog, places)
    validated = [source for source_name, source in declarations.validated.items() if source_name in loaded.names]
    views = loaded.catalog.views
    functions = _digests(views)
    return PlannedJob(
        name,
        environment,
        statements,
        inserts,
        validated,
        views,
        loaded.sources,
        loaded.sinks,
        functions,
        loaded.statements,
    )


def _digests(views: list[ScoredView]) -> dict[str, str]:
    """Return digests of what functions are made for, wherever their files lie."""
    digests = {}
    for number, view in enumerate(views, 1):
        digests[f"score_{view.call.model.text}"] = _digest(replace(view.model.spec, path=""))
        if monitored := view.model.monitored:
            digest = _digest(replace(monitored.monitor, reference=""))
            digests |= dict.fromkeys(functions_of_monitor(monitored, number), digest)
    return digests


def _digest(made_for: object) -> str:
    return hashlib.sha256(repr(made_for).encode()).hexdigest()


def _add_inserts(
    name: str, statements: list[Statement], catalog: Catalog, places: Places | None = None
) -> tuple[StatementSet, list[str]]:
    """Return a job's INSERT statements as one set, which becomes one Flink job, and their expanded texts.

    `statements` are the job's own, and those that it needs, which are in the catalog. The INSERTs of the monitors of
    the models that they call stand at the end. With `places` there are none of monitors.
    """
    planned = catalog.environment.create_statement_set()
    inserts = []
    for statement in statements:
        if statement.kind == "CREATE VIEW" and statement not in catalog.statements.values():
            catalog.load(statement)
        if statement.kind != "INSERT INTO":
            continue
        text = catalog.expanded(statement)
        if places is not None and (text := restricted_insert(statement, text, catalog, places)) == "":
            continue
        try:
            planned.add_insert_sql(text)
        except Exception as error:
            raise sql_error(statement, error) from error
        inserts.append(text)
    scoring = catalog.views_behind(statements)
    monitored = scoring if places is None else []
    generated = [text for view in monitored for text in drift_inserts(catalog, view, name)]
    if scoring or places is not None:
        generated += quarantine_inserts(name, statements, scoring, catalog, places)
    for text in generated:
        try:
            planned.add_insert_sql(text)
        except Exception as error:
            sink = next(s for table, s in catalog.statements.items() if f"INSERT INTO {quoted(table)} " in text)
            message = read_exception(error)
            raise SqlError(message.text, place=sink.place(), detail=message.trace) from error
        inserts.append(text)
    return planned, inserts


def check_plans(declarations: Declarations, environment: TableEnvironment) -> list[Finding]:
    """Load everything a project declares and plan every job; return all findings.

    A statement that reads one with a finding is passed over: its own mistakes show once that one is mended.
    """
    findings: list[Finding] = []
    broken = set(declarations.broken)
    placed = {finding.place for finding in declarations.findings}
    readers = [*declarations.created, *(statement for job in declarations.jobs.values() for statement in job)]
    catalog = Catalog(environment, declarations.models, readers, declarations.validated)
    for statement in declarations.created:
        if statement.kind == "CREATE MODEL" and statement.name in declarations.broken:
            continue
        if statement.mentions(broken) or any(p and p.file == statement.file for p in placed):
            broken.add(statement.name or "")
            continue
        try:
            catalog.load(statement)
        except MillstreamError as error:
            findings += error.findings
            broken.add(statement.name or "")
    for name, job in declarations.jobs.items():
        if any(s.mentions(broken) or any(p and p.file == s.file for p in placed) for s in job):
            continue
        try:
            needed = declarations.needed(job)
            statements, _ = _add_inserts(name, [*needed, *job], catalog)
            _explain(statements, job, catalog)
        except MillstreamError as error:
            findings += error.findings
    return findings


def _explain(statements: StatementSet, job: list[Statement], catalog: Catalog) -> None:
    try:
        statements.explain()
    except Exception as error:
        message = read_exception(error)
        for table in (DRIFT, ALERTS):
            if f".{table}' do not match" in message.text:
                place = catalog.statements[table].place()
                raise SqlError(message.text, place=place, detail=message.trace) from error
        if _LOST_TIME in message.text and (view := view_with_plain_join(catalog)):
            lost = f"a join in `{view.name}` loses event time, which a monitor behind it needs"
            raise SqlError(lost, place=view.place(), fixes=KEEP_TIME, detail=message.trace) from error
        raise sql_error(job[0], error) from error
