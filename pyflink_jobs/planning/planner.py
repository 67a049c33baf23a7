"""Plan a job: load what it needs into a catalog, expand its statements, hand them to Flink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, MillstreamError, SqlError
from pyflink_jobs.planning.catalog import Catalog, ScoredView, sql_error
from pyflink_jobs.planning.drift_sql import ALERTS, DRIFT
from pyflink_jobs.planning.flink_errors import read_exception
from pyflink_jobs.planning.quarantine_sql import QUARANTINE, refused_insert, unknown_columns, unsound_insert
from pyflink_jobs.planning.watching import KEEP_TIME, drift_inserts, view_with_plain_join
from pyflink_jobs.project.tokens import quoted

if TYPE_CHECKING:
    from pyflink.table import StatementSet, TableEnvironment

    from pyflink_jobs.planning.declarations import Declarations
    from pyflink_jobs.planning.guarded import GuardedSource
    from pyflink_jobs.project.sqlfile import Statement

__all__ = ["PlannedJob", "check_plans", "plan_job"]

_PYTHON_STATE = {
    # On the heap, Flink 2.3 gives all Python state of a subtask one key object. It changes with each key, so a
    # checkpoint holds the state of the last key alone (docs/decisions/007). RocksDB writes keys down at once.
    "state.backend.type": "rocksdb",
    # Operators that share a worker share the server that it asks for state. When a job is cancelled, the first of them
    # to close frees its RocksDB while the worker goes on asking: the JVM dies. With one each, the server ends first.
    "python.fn-execution.memory.managed": "false",
}
"""What a job needs whose Python functions keep state."""

_LOST_TIME = "*ROWTIME* -> TIMESTAMP"  # how Flink's planner puts it that it has made a plain timestamp of event time


@dataclass(frozen=True)
class PlannedJob:
    """A job that Flink has accepted: its INSERT statements as Flink gets them, and the views made for them.

    `sources` and `sinks` are the options of the tables it reads and writes, by name.
    """

    name: str
    environment: TableEnvironment
    statements: StatementSet
    inserts: list[str]
    guarded: list[GuardedSource]
    views: list[ScoredView]
    sources: dict[str, dict[str, str]]
    sinks: dict[str, dict[str, str]]


def plan_job(
    declarations: Declarations, name: str, environment: TableEnvironment, *, bounded: bool = False
) -> PlannedJob:
    """Load a job and what it reads into `environment`.

    `bounded` makes Kafka sources end at the offsets that are the newest when the job starts.
    Raises SqlError, ModelError or ContractError with all findings that concern the job.
    """
    job = declarations.job(name)
    needed = declarations.needed(job)
    declarations.refuse_findings([*job, *needed])
    catalog = Catalog(environment, declarations.models, [*needed, *job], declarations.guarded)
    for statement in needed:
        catalog.load(statement)
    names = {s.name or "": _read_as(s.name or "", declarations) for s in needed if s.kind == "CREATE TABLE"}
    tables = {name: _options(environment, table) for name, table in names.items()}
    sinks = {statement.name for statement in job if statement.kind == "INSERT INTO"} | {DRIFT, ALERTS, QUARANTINE}
    sources = {table: options for table, options in tables.items() if table not in sinks}
    if bounded:
        # Each partition ends, so none can fall idle for good; one that is slow must not make others' rows late.
        environment.get_config().set("table.exec.source.idle-timeout", "0 s")
    if any(statement.kind == "CREATE MODEL" and _is_watched(statement, declarations) for statement in needed):
        for key, value in _PYTHON_STATE.items():
            environment.get_config().set(key, value)
    for table, options in sources.items():
        if bounded and options.get("connector") in ("kafka", "upsert-kafka"):
            environment.execute_sql(f"ALTER TABLE {quoted(names[table])} SET ('scan.bounded.mode' = 'latest-offset')")
    statements, inserts = _add_inserts(name, [*needed, *job], catalog)
    written = {table: tables[table] for table in tables if table in sinks}
    guarded = [source for source_name, source in declarations.guarded.items() if source_name in tables]
    return PlannedJob(name, environment, statements, inserts, guarded, catalog.views, sources, written)


def _read_as(name: str, declarations: Declarations) -> str:
    """Return the name of the table that reads a source's topic."""
    return declarations.guarded[name].table if name in declarations.guarded else name


def _is_watched(statement: Statement, declarations: Declarations) -> bool:
    model = declarations.models.get(statement.name or "")
    return model is not None and model.monitored is not None


def _options(environment: TableEnvironment, table: str) -> dict[str, str]:
    from pyflink.table.catalog import ObjectPath  # noqa: PLC0415 - PyFlink is slow to import

    catalog = environment.get_catalog(environment.get_current_catalog())
    return dict(catalog.get_table(ObjectPath(environment.get_current_database(), table)).get_options())


def _add_inserts(name: str, statements: list[Statement], catalog: Catalog) -> tuple[StatementSet, list[str]]:
    """Return a job's INSERT statements as one set, which becomes one Flink job, and their expanded texts.

    `statements` are the job's own, and those that it needs, which are in the catalog. The INSERTs of the monitors of
    the models that they call stand at the end.
    """
    planned = catalog.environment.create_statement_set()
    inserts = []
    for statement in statements:
        if statement.kind == "CREATE VIEW" and statement not in catalog.statements.values():
            catalog.load(statement)
        if statement.kind != "INSERT INTO":
            continue
        text = catalog.expanded(statement)
        try:
            planned.add_insert_sql(text)
        except Exception as error:
            raise sql_error(statement, error) from error
        inserts.append(text)
    scoring = catalog.views_behind(statements)
    generated = [text for view in scoring for text in drift_inserts(catalog, view, name)]
    generated += _quarantine_inserts(name, statements, scoring, catalog) if scoring else []
    for text in generated:
        try:
            planned.add_insert_sql(text)
        except Exception as error:
            sink = next(s for table, s in catalog.statements.items() if f"INSERT INTO {quoted(table)} " in text)
            message = read_exception(error)
            raise SqlError(message.text, place=sink.place(), detail=message.trace) from error
        inserts.append(text)
    return planned, inserts


def _quarantine_inserts(name: str, statements: list[Statement], views: list[ScoredView], catalog: Catalog) -> list[str]:
    """Return the INSERTs of unsound records of the sources that the job reads, and of rows that a model refuses."""
    if QUARANTINE not in catalog.statements:
        return []
    columns = catalog.columns_of_sink(QUARANTINE)
    if findings := unknown_columns(catalog.statements[QUARANTINE], columns):
        raise SqlError(findings)
    sources = [catalog.guarded[s.name or ""] for s in statements if s.name in catalog.guarded]
    return [
        *(unsound_insert(source, name, columns) for source in sources if source.checks),
        *(refused_insert(view, sources, name, columns) for view in views),
    ]


def check_plans(declarations: Declarations, environment: TableEnvironment) -> list[Finding]:
    """Load everything a project declares and plan every job; return all findings.

    A statement that reads one with a finding is passed over: its own mistakes show once that one is mended.
    """
    findings: list[Finding] = []
    broken = set(declarations.broken)
    placed = {finding.place for finding in declarations.findings}
    readers = [*declarations.created, *(statement for job in declarations.jobs.values() for statement in job)]
    catalog = Catalog(environment, declarations.models, readers, declarations.guarded)
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
            raise SqlError(lost, place=view.place(), ways_out=KEEP_TIME, detail=message.trace) from error
        raise sql_error(job[0], error) from error
