"""Find the records for which a job's own INSERTs would write a row if it ran now; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from pyflink_jobs.errors import JobError, MillstreamError
from pyflink_jobs.parsing.insert import read_insert
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.companions.only_records import origins
from pyflink_jobs.planning.compile.load import LoadedJob, Run, load_job
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job_topics import refuse_missing_topics
from pyflink_jobs.running.minicluster import minicluster

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.companion import Places
    from pyflink_jobs.planning.companions.only_records import Origin
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.project.settings import Project

__all__ = ["Place", "emitted"]

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset of a record."""

_MANY = 100_000  # places; a condition for more of them takes Flink longer to plan than to pass more rows on


def emitted(project: Project, job_name: str, places: Collection[Place]) -> set[Place]:
    """Return those of `places` for which a job's own INSERTs would write a row.

    The job runs once, bounded, in a MiniCluster, over what is in its topics now. Raises what planning raises, SqlError
    if a sink does not say which record a row results from, and JobError where Flink fails.
    """
    job = declare(project).job(job_name)
    slots = project.settings.parallelism
    with minicluster(project, slots) as cluster:
        options = {**cluster.options, "parallelism.default": str(slots), "pipeline.name": job_name}
        try:
            return _emitted(project, job, places, options)
        except MillstreamError:
            raise
        except Exception:  # noqa: BLE001 - what Flink cannot plan in one step, it may plan in two
            return _emitted_apart(project, job, places, options)


def _emitted_apart(project: Project, job: Job, places: Collection[Place], options: dict[str, str]) -> set[Place]:
    try:
        return _emitted(project, job, places, options, apart=True)
    except MillstreamError:
        raise
    except Exception as error:
        message = read_exception(error)
        raise JobError(
            f"it cannot be found out which records job `{job.name}` filters: {message.text}",
            facts=(f"{len(places):,} records have no result: they are missing, or filtered by the job's query",),
            fixes=("see the whole stack trace: millstream --verbose audit ...",),
            detail=message.trace,
        ) from error


def _emitted(
    project: Project, job: Job, places: Collection[Place], options: dict[str, str], *, apart: bool = False
) -> set[Place]:
    environment = table_environment(project, options, bounded=True)
    loaded = LoadedJob.of(job, environment)
    loaded.catalog.apart = apart
    load_job(loaded, job, Run(bounded=True))
    wanted: dict[str, dict[tuple[str, int, int], int]] = {}
    for topic in {place[0] for place in places}:
        for name, o in loaded.sources.items():
            if connector_of(o).reads(o, topic):
                wanted.setdefault(name, {}).update(dict.fromkeys((p for p in places if p[0] == topic), 0))
    queries = _queries(job, loaded, wanted)
    if not queries:
        return set()
    refuse_missing_topics(loaded.sources)
    return _run("\nUNION ALL\n".join(queries), environment) & set(places)


def _queries(job: Job, loaded: LoadedJob, wanted: Places) -> list[str]:
    """Return a query for each INSERT of a job and each source it reads: topic, partition and offset of its rows."""
    catalog = loaded.catalog
    queries = []
    for statement in job.own:
        if statement.kind == "CREATE VIEW":
            catalog.load(statement)
            continue
        query = replace(statement, text=catalog.expanded(statement))
        insert = read_insert(query, catalog.columns_to_write(statement.name or ""))
        for origin in origins(job, statement, insert, catalog, wanted):
            topic = quoted(origin.topic) if origin.topic else literal(loaded.sources[origin.source]["topic"])
            columns = f"{topic}, {quoted(origin.partition)}, {quoted(origin.offset)}"
            queries.append(insert.select(columns, _condition(origin)))
    return queries


def _condition(origin: Origin) -> str:
    """Return the condition that a row is made from a source's places; of many, from any record between them."""
    if len(origin.places) <= _MANY:
        return origin.condition
    partition, offset = quoted(origin.partition), quoted(origin.offset)
    offsets: dict[int, list[int]] = defaultdict(list)
    for _, number, at in origin.places:
        offsets[number].append(at)
    spans = [f"({partition} = {n} AND {offset} BETWEEN {min(of)} AND {max(of)})" for n, of in offsets.items()]
    return " OR ".join(spans)


def _run(query: str, environment: TableEnvironment) -> set[Place]:
    """Run a query to its end and return its rows, without those that it retracted."""
    columns: Any = environment.sql_query(query).to_pandas()  # in Arrow batches: a row at a time takes milliseconds each
    return set(zip(*(columns[name].tolist() for name in columns), strict=True))
