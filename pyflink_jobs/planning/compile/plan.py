"""Plan a job: its stages one after the other, in Flink."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pyflink_jobs.errors import MillstreamError, SqlError
from pyflink_jobs.planning.companions.event_time import KEEP_TIME, LOST_TIME, view_with_plain_join
from pyflink_jobs.planning.compile.failures import find_failing_calls, job_statements
from pyflink_jobs.planning.compile.load import LoadedJob, Run
from pyflink_jobs.planning.compile.stages import Planning, insert_error, insert_stages, stages
from pyflink_jobs.planning.flink.catalog import Catalog
from pyflink_jobs.planning.flink.errors import read_exception

if TYPE_CHECKING:
    from pyflink.table import StatementSet, TableEnvironment

    from pyflink_jobs.errors import Finding
    from pyflink_jobs.parsing.statements import Statement
    from pyflink_jobs.planning.declarations import Declarations, Job
    from pyflink_jobs.planning.scored_view import ScoredView

__all__ = ["PlannedJob", "Run", "check_plans", "plan_job"]


@dataclass(frozen=True)
class PlannedJob:
    """A job that Flink has accepted: its INSERT statements as Flink gets them, and the views made for them.

    `sources` and `sinks` are the options of the tables it reads and writes, by name; `functions` has a digest of what
    each Python function is made for, by name.
    """

    job: Job
    environment: TableEnvironment
    statements: StatementSet
    inserts: list[str]
    views: list[ScoredView]
    sources: dict[str, dict[str, str]]
    sinks: dict[str, dict[str, str]]
    functions: dict[str, str]
    planning: Planning = field(repr=False)

    def refusal(self, error: BaseException) -> SqlError:
        """Return why Flink's planner refuses the INSERTs: it sees a whole plan only when that is asked for."""
        return _refusal(self.planning, error)

    @property
    def name(self) -> str:
        """The job's name."""
        return self.job.name


def plan_job(job: Job, environment: TableEnvironment, run: Run | None = None) -> PlannedJob:
    """Load a job and what it reads into `environment`, and plan its INSERT statements; `run` says for what.

    Raises SqlError, ModelError or ContractError with all findings that concern the job.
    """
    loaded = LoadedJob.of(job, environment)
    planning = Planning(job, run or Run(), loaded, environment.create_statement_set())
    for stage in stages(job):
        stage.apply(planning)
    views = loaded.catalog.views
    return PlannedJob(
        job,
        environment,
        planning.statements,
        [text for _, text in planning.inserts],
        views,
        loaded.sources,
        loaded.sinks,
        _digests(views),
        planning,
    )


def _digests(views: list[ScoredView]) -> dict[str, str]:
    """Return digests of what functions are made for, wherever their files are."""
    digests = {}
    for number, view in enumerate(views, 1):
        anywhere = replace(view.model.spec, samples=None).moved(lambda _path, _sha256: "")
        digests[f"score_{view.call.model.text}"] = _digest(anywhere)
        for addition in view.model.additions.values():
            digests |= {name: _digest(made_for) for name, made_for in addition.functions(number).items()}
    return digests


def _digest(made_for: object) -> str:
    return hashlib.sha256(repr(made_for).encode()).hexdigest()


def check_plans(declarations: Declarations, environment: TableEnvironment) -> list[Finding]:
    """Load everything a project declares and plan every job; return all findings.

    A statement that reads one with a finding is passed over: its own mistakes show once that one is fixed.
    """
    findings: list[Finding] = []
    broken = set(declarations.broken)
    placed = {finding.place.file for finding in declarations.findings if finding.place}
    readers = [*declarations.created, *(statement for job in declarations.jobs.values() for statement in job.own)]
    catalog = Catalog(environment, declarations.models, readers, declarations.validated)
    for statement in declarations.created:
        if statement.kind == "CREATE MODEL" and statement.name in declarations.broken:
            continue
        if statement.mentions(broken) or statement.file in placed:
            broken.add(statement.name or "")
            continue
        try:
            catalog.load(statement)
        except MillstreamError as error:
            findings += error.findings
            broken.add(statement.name or "")
    loaded = [(statement, "") for statement in declarations.created if statement.name not in broken]
    for job in declarations.jobs.values():
        if any(s.mentions(broken) or s.file in placed for s in job.own):
            continue
        try:
            planning = Planning(job, Run(), LoadedJob(catalog), environment.create_statement_set())
            for stage in insert_stages(job):
                stage.apply(planning)
            _explain(planning)
            loaded += job_statements(job.own, [text for _, text in planning.inserts])
        except MillstreamError as error:
            findings += error.findings
    return findings + [finding for _, finding in find_failing_calls(environment, loaded, declarations.validated)]


def _explain(planning: Planning) -> None:
    try:
        planning.statements.explain()
    except Exception as error:
        raise _refusal(planning, error) from error


def _refusal(planning: Planning, error: BaseException) -> SqlError:
    """Return the error for a job whose statements Flink accepts, and whose plan it does not."""
    message, catalog = read_exception(error), planning.loaded.catalog
    if LOST_TIME in message.trace and (view := view_with_plain_join(catalog)):
        lost = f"a join in `{view.name}` loses event time, which a monitor behind it needs"
        return SqlError(lost, place=view.place(), fixes=KEEP_TIME, detail=message.trace)
    return insert_error(_refused(planning), error, catalog.environment, "")


def _refused(planning: Planning) -> Statement:
    """Return the first INSERT that Flink does not plan by itself; the job's first one if it is all of them together."""
    for statement, text in planning.inserts:
        alone = planning.loaded.catalog.environment.create_statement_set()
        try:
            alone.add_insert_sql(text)
            alone.explain()
        except Exception:  # noqa: BLE001 - the whole set's error is what is reported
            return statement
    return planning.job.own[0]
