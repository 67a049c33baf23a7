"""The stages of planning a job, as data: what each does is known before Flink is asked, and `explain` prints it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from pyflink_jobs.errors import SqlError
from pyflink_jobs.planning.companion import companions
from pyflink_jobs.planning.companions.only_records import restricted_insert
from pyflink_jobs.planning.compile.load import load_job
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.flink.catalog import sql_error
from pyflink_jobs.planning.flink.changes import words_of_changes
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.planning.formats import format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyflink.table import StatementSet, TableEnvironment

    from pyflink_jobs.parsing.create_table import SourceTable
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.companion import Companion
    from pyflink_jobs.planning.compile.load import LoadedJob, Run
    from pyflink_jobs.planning.declarations import Job

__all__ = ["Planning", "Stage", "insert_error", "insert_stages", "stages"]


@dataclass(frozen=True)
class Planning:
    """A job while it is planned: what is loaded, its INSERTs so far as one set, and their texts with where they are.

    Of an INSERT that Millstream adds that is its table's statement.
    """

    job: Job
    run: Run
    loaded: LoadedJob
    statements: StatementSet
    inserts: list[tuple[Statement, str]] = field(default_factory=list)

    def add(self, statement: Statement, text: str) -> None:
        """Add an INSERT; raises SqlError at `statement`."""
        try:
            self.statements.add_insert_sql(text)
        except Exception as error:
            raise insert_error(statement, error, self.loaded.catalog.environment, text) from error
        self.inserts.append((statement, text))


@dataclass(frozen=True)
class Stage:
    """A stage: its name, what it does in a few lines, and the function that does it."""

    name: str
    lines: tuple[str, ...]
    apply: Callable[[Planning], None]


def stages(job: Job) -> list[Stage]:
    """Return all stages in order."""
    return [Stage("load", tuple(_loaded(job)), _load), *insert_stages(job)]


def insert_stages(job: Job) -> list[Stage]:
    """Return the stages that follow when a job's tables, models and views are loaded."""
    own = tuple(f"{insert.name}: {insert.place()}" for insert in job.inserts)
    more = [Stage(one.name, tuple(one.describe(job)), partial(_add, companion=one)) for one in companions()]
    return [Stage("insert", own, _insert), *(stage for stage in more if stage.lines)]


def _loaded(job: Job) -> Iterator[str]:
    for statement in job.needed:
        name = statement.name or ""
        if name in job.tables:
            yield f"{'write' if name in job.written else 'read'} {name}: {_table(job.tables[name])}"
        elif name in job.models:
            spec = job.models[name].spec
            weights = "".join(f", {part.name} {part.sha256[:12]}" for part in spec.data)
            yield f"model {name}: version {spec.version}, sha256 {spec.sha256[:12]}{weights}"
        else:
            yield f"{statement.kind.removeprefix('CREATE ').lower()} {name}: {statement.place()}"


def _table(table: SourceTable) -> str:
    """Return where a table is, and the format that reads or writes it."""
    options = table.values
    known = format_of(options)
    names = ", ".join(connector_of(options).names(options))
    words = [options.get("connector", ""), names, known.name or options.get("format", "")]
    return " ".join(word for word in words if word)


def _load(planning: Planning) -> None:
    load_job(planning.loaded, planning.job, planning.run)


def _insert(planning: Planning) -> None:
    """Add the job's own INSERTs; of a replay only what results from its records."""
    catalog, places = planning.loaded.catalog, planning.run.places
    for statement in planning.job.own:
        if statement.kind == "CREATE VIEW":
            catalog.load(statement)
            continue
        text = catalog.expanded(statement)
        if places is not None:
            text = restricted_insert(planning.job, statement, text, catalog, places)
        if text:
            planning.add(statement, text)


def _add(planning: Planning, companion: Companion) -> None:
    """Add the INSERTs of a companion."""
    job, catalog = planning.job, planning.loaded.catalog
    for insert in companion.inserts(job, catalog.views_of(job.calls), catalog, planning.run.places):
        planning.add(catalog.statements[insert.table], insert.text)


def insert_error(statement: Statement, error: BaseException, environment: TableEnvironment, text: str) -> SqlError:
    """Return Flink's complaint about an INSERT: at its line and column, or at the table that Millstream writes."""
    message = read_exception(error)
    if found := words_of_changes(message.text):
        words, ways = found
        return SqlError(words, place=statement.place(), fixes=ways, detail=message.trace)
    if statement.kind == "INSERT INTO":
        return sql_error(statement, error, environment, text)
    return SqlError(message.text, place=statement.place(), fixes=message.fixes, detail=message.trace)
