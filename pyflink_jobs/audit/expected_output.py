"""Ask which records' results a job's own INSERTs would write if it ran now; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from pyflink_jobs.parsing.insert import read_insert
from pyflink_jobs.parsing.tokens import literal, quoted
from pyflink_jobs.planning.companions.only_records import origins
from pyflink_jobs.planning.compile.load import LoadedJob, load_job
from pyflink_jobs.planning.declarations import declare
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job_topics import refuse_missing_topics
from pyflink_jobs.running.minicluster import minicluster

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyflink.table import TableEnvironment

    from pyflink_jobs.planning.companions.only_records import Origin, Places
    from pyflink_jobs.project.settings import Project

__all__ = ["Place", "emitted"]

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition and offset of a record."""

_MANY = 100_000  # places; a condition for more of them takes Flink longer to plan than to pass more rows on


def emitted(project: Project, job_name: str, places: Collection[Place]) -> set[Place]:
    """Return those of `places` for which a job's own INSERTs would write a row.

    The job runs once, bounded, in a MiniCluster, over what is in its topics now. Raises what planning raises, and
    SqlError where a sink does not tell which record a row comes of.
    """
    declarations = declare(project)
    declarations.job(job_name)
    slots = project.settings.parallelism
    with minicluster(project, slots) as cluster:
        options = {**cluster.options, "parallelism.default": str(slots), "pipeline.name": job_name}
        environment = table_environment(project, options, bounded=True)
        loaded = load_job(declarations, job_name, environment, bounded=True)
        topics = {options.get("topic", ""): name for name, options in loaded.sources.items()}
        wanted: dict[str, dict[tuple[int, int], int]] = defaultdict(dict)
        for topic, number, offset in places:
            if topic in topics:
                wanted[topics[topic]][number, offset] = 0
        queries = _queries(loaded, wanted)
        if not queries:
            return set()
        refuse_missing_topics(loaded.sources)
        return _run("\nUNION ALL\n".join(queries), environment) & set(places)


def _queries(loaded: LoadedJob, wanted: Places) -> list[str]:
    """Return a query for each INSERT of a job and each source it reads: topic, partition and offset of its rows."""
    catalog = loaded.catalog
    queries = []
    for statement in loaded.statements:
        if statement.kind == "CREATE VIEW" and statement not in catalog.statements.values():
            catalog.load(statement)
        if statement.kind != "INSERT INTO":
            continue
        query = replace(statement, text=catalog.expanded(statement))
        insert = read_insert(query, catalog.columns_to_write(statement.name or ""))
        for origin in origins(statement, insert, catalog, wanted):
            topic = literal(loaded.sources[origin.source]["topic"])
            columns = f"{topic}, {quoted(origin.partition)}, {quoted(origin.offset)}"
            queries.append(insert.select(columns, _condition(origin)))
    return queries


def _condition(origin: Origin) -> str:
    """Return the condition that a row comes of a source's places; where they are many, of any record between them."""
    if len(origin.places) <= _MANY:
        return origin.condition
    partition, offset = quoted(origin.partition), quoted(origin.offset)
    offsets: dict[int, list[int]] = defaultdict(list)
    for number, at in origin.places:
        offsets[number].append(at)
    spans = [f"({partition} = {n} AND {offset} BETWEEN {min(of)} AND {max(of)})" for n, of in offsets.items()]
    return " OR ".join(spans)


def _run(query: str, environment: TableEnvironment) -> set[Place]:
    """Run a query to its end and return its rows; one that was taken back in the end is none."""
    columns: Any = environment.sql_query(query).to_pandas()  # in Arrow batches: a row at a time takes milliseconds each
    return set(zip(*(columns[name].tolist() for name in columns), strict=True))
