"""What a program can do with a project: load, check, plan, run and submit. `millstream` calls the same functions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.errors import Finding, MillstreamError
from pyflink_jobs.project.settings import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from pyflink.table import TableEnvironment

    from pyflink_jobs.cluster.submit_job import Submitted
    from pyflink_jobs.planning.checks.absent_columns import Absent
    from pyflink_jobs.planning.compile.explanation import Explanation
    from pyflink_jobs.running.job import Outcome
    from pyflink_jobs.running.minicluster import StartingCluster
    from pyflink_jobs.running.progress import JobCounts

__all__ = ["Checked", "check", "load_project", "plan", "planning_environment", "run", "submit"]

# PyFlink and numpy are imported where they are used, so that `import pyflink_jobs` takes no time.

_TOO_LONG = "grows beyond 64 KB"
"""What Java's compiler says of a method with very many constants: then methods are split, as in a run."""


@dataclass(frozen=True)
class Checked:
    """The findings of a check, and how much was checked; `detail` is the Java stack trace of an error, or empty.

    `warnings` are about what works, but not as well as it might, and about columns that no record has.
    """

    findings: list[Finding]
    statements: int = 0
    models: int = 0
    jobs: int = 0
    detail: str = ""
    warnings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are no findings."""
        return not self.findings


def load_project(folder: Path | str | None = None) -> Project:
    """Return the project in `folder`, or the nearest one in the current folder and those above it.

        project = pyflink_jobs.load_project("churn")

    Raises ProjectError where there is none, or a setting is unknown or of the wrong type.
    """
    return Project.find(None if folder is None else Path(folder))


def check(
    project: Project, *, offline: bool = False, environment: Callable[[], TableEnvironment] | None = None
) -> Checked:
    """Compare every model with its ONNX file, load all SQL into a Flink catalog, and plan every job.

        for finding in pyflink_jobs.check(project).findings:
            print(finding)

    With `offline`, only what needs no JVM and no Kafka is checked. `environment` returns where to plan; the command
    line gives one that starts in the meantime. Raises nothing for a mistake in the project: each is a finding.
    """
    from pyflink_jobs.planning.checks.transactions import check_transactions
    from pyflink_jobs.planning.declare import declare

    try:
        declarations = declare(project)
    except MillstreamError as error:
        return Checked(error.findings, detail=error.detail)
    findings = [*declarations.findings, *check_transactions(declarations, offline=offline)]
    absent: list[Absent] = []
    detail = ""
    if not offline:
        from pyflink_jobs.planning.checks.absent_columns import absent_columns
        from pyflink_jobs.planning.compile.plan import check_plans
        from pyflink_jobs.running.environment import table_environment

        sources = {name: table for job in declarations.jobs.values() for name, table in job.sources.items()}
        absent = absent_columns(sources.values())
        findings += [each.finding for each in absent if each.near]
        try:
            place = environment() if environment else planning_environment(project)
            planned = check_plans(declarations, place)
            if any(_TOO_LONG in str(finding) for finding in planned):
                planned = check_plans(declarations, table_environment(project))
            findings += planned
        except MillstreamError as error:
            findings += error.findings
            detail = error.detail
    warnings = [warning for model in declarations.models.values() for warning in model.warnings]
    warnings += [each.finding for each in absent if not each.near]
    warnings += [finding for finding in findings if finding.warning]
    findings = [finding for finding in findings if not finding.warning]
    counts = len(declarations.created), len(declarations.models), len(declarations.jobs)
    return Checked(findings, *counts, detail, tuple(warnings))


def plan(project: Project, job: str) -> Explanation:
    """Plan a job and return its stages, its expanded SQL and Flink's plan; nothing runs.

        print(pyflink_jobs.plan(project, "score").sql)

    Raises ProjectError for an unknown job, and SqlError or ContractError where it cannot be planned.
    """
    from pyflink_jobs.planning.compile.explanation import explain_job
    from pyflink_jobs.planning.declare import declare
    from pyflink_jobs.running.environment import table_environment

    declared = declare(project).job(job)  # an unknown name is reported before the JVM starts
    try:
        return explain_job(declared, planning_environment(project))
    except MillstreamError as error:
        if _TOO_LONG not in f"{error}{error.detail}":
            raise
    return explain_job(declared, table_environment(project))


def run(
    project: Project,
    job: str,
    *,
    bounded: bool = False,
    parallelism: int | None = None,
    on_progress: Callable[[JobCounts], None] = lambda _: None,
    starting: Future[StartingCluster] | None = None,
) -> Outcome:
    """Run a job on this machine until Ctrl-C; with `bounded`, until it has read what is in its topics now.

        outcome = pyflink_jobs.run(project, "score", bounded=True)
        print(outcome.state, outcome.counts.written)

    Call it from the main thread, which gets Ctrl-C. `parallelism` is the project's if None; `on_progress` gets the
    counts twice a second. `starting` is a MiniCluster that is starting already; the command line gives one.
    Raises what `plan` raises, KafkaError for a missing topic or broker, and JobError where the job fails.
    """
    from pyflink_jobs.planning.compile.load import Run
    from pyflink_jobs.planning.declare import declare
    from pyflink_jobs.running.job import run_job

    return run_job(
        project,
        declare(project).job(job),
        Run(bounded=bounded),
        parallelism=parallelism,
        on_progress=on_progress,
        starting=starting,
    )


def submit(
    project: Project,
    job: str,
    *,
    target: str = "local",
    savepoint: str = "",
    ship_env: bool = False,
    within: float = 300,
    on_step: Callable[[str], None] = lambda _: None,
) -> Submitted:
    """Send a job to a cluster, with its models and code, and return when it runs.

        submitted = pyflink_jobs.submit(project, "score", target="production")
        print(submitted.url, submitted.id)

    The job begins with the state of `savepoint`, if there is one. With `ship_env` the workers get this Python
    environment. It must run `within` so many seconds. `on_step` gets a few words for each step.
    Raises what `plan` raises, ProjectError for an unknown target, ClusterError for one that does not answer, and
    JobError where the job is running already or does not start.
    """
    from pyflink_jobs.cluster.submit_job import submit_job

    return submit_job(project, job, target, savepoint, ship_env=ship_env, within=within, on_step=on_step)


def planning_environment(project: Project) -> TableEnvironment:
    """Return an environment to plan in; what is planned there does not run."""
    from pyflink_jobs.running.environment import table_environment

    # Of the generated code only that of constants is compiled. To split its long methods would be a tenth of the time.
    return table_environment(project, {"table.generated-code.max-length": str(2**31 - 1)})
