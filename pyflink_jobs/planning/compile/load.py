"""Load what a job reads and writes into a catalog."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.connectors.table_options import options_of, reset_options, set_options
from pyflink_jobs.planning.flink.catalog import Catalog
from pyflink_jobs.planning.formats import with_fast_formats
from pyflink_jobs.planning.rewrites.dry_run import dry_run_sink

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.companion import Places
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.planning.rewrites.dry_run import DryRun

__all__ = ["LoadedJob", "Run", "load_job"]


@dataclass(frozen=True)
class Run:
    """What kind of run a job is loaded for.

    A `bounded` run ends with what is in its sources when it starts. With `places` it replays: only what results from
    those records is written, and it keeps from what belongs to the running job. With a `dry_run` it reads and writes
    what that says.
    """

    bounded: bool = False
    places: Places | None = None
    dry_run: DryRun | None = None


@dataclass(frozen=True)
class LoadedJob:
    """What a job needs, in a catalog: `sources` and `sinks` are the options of its tables, by their own names."""

    catalog: Catalog
    sources: dict[str, dict[str, str]] = field(default_factory=dict)
    sinks: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, environment: TableEnvironment) -> Self:
        """Return a job's catalog with nothing loaded yet."""
        return cls(Catalog(environment, job.models, job.statements, job.validated))


def load_job(loaded: LoadedJob, job: Job, run: Run) -> None:
    """Load what a job reads and writes, but not its own statements.

    Raises SqlError, ModelError or ContractError with all findings that concern the job.
    """
    job.refuse_findings()
    environment = loaded.catalog.environment
    for statement in job.needed:
        loaded.catalog.load(statement)
        if statement.kind == "CREATE TABLE":
            # At once: a view that calls a model keeps the tables as they are when it is loaded.
            _set_options(loaded, job, statement.name or "", run)
    if run.bounded:
        # Each partition ends, so none can fall idle for good; one that is slow must not make others' rows late.
        environment.get_config().set("table.exec.source.idle-timeout", "0 s")


def _set_options(loaded: LoadedJob, job: Job, name: str, run: Run) -> None:
    """Give a table the options of this kind of run."""
    environment = loaded.catalog.environment
    table = job.validated[name].table if name in job.validated else name
    options = options_of(environment, table)
    connector = connector_of(options)
    if connector.messages:
        fast, replaced = with_fast_formats(options)
        set_options(environment, table, fast)
        reset_options(environment, table, replaced)
    if name in job.written:
        set_options(environment, table, connector.writing(options, replays=run.places is not None))
        if run.dry_run:
            dry_run_sink(environment, table, run.dry_run)
            options = options_of(environment, table)
        loaded.sinks[name] = options
        return
    remembered = run.places is None and run.dry_run is None
    changed = connector.reading(options, bounded=run.bounded, remembered=remembered)
    if run.dry_run and name == run.dry_run.source:
        changed |= run.dry_run.reads
    set_options(environment, table, changed)
    if any(key in changed for key in connector.alternatives):
        reset_options(environment, table, [k for k in connector.alternatives if k in options and k not in changed])
    loaded.sources[name] = options
