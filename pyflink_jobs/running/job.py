"""Run a job on this machine, from its SQL file to its end."""

from __future__ import annotations

import gc
import signal
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from threading import Event
from typing import TYPE_CHECKING

from pyflink_jobs.errors import JobError, KafkaError
from pyflink_jobs.local import topics
from pyflink_jobs.planning.declarations import Declarations, declare
from pyflink_jobs.planning.flink_errors import read_exception
from pyflink_jobs.planning.planner import PlannedJob, plan_job
from pyflink_jobs.running.broker_watch import BrokerWatch
from pyflink_jobs.running.environment import import_pyflink, table_environment
from pyflink_jobs.running.jvm import flink_log
from pyflink_jobs.running.minicluster import TARGET, MiniCluster, StartingCluster, slots_of
from pyflink_jobs.running.progress import JobCounts, read_counts, read_final_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future

    from pyflink.common import JobClient

    from pyflink_jobs.planning.restricted import Places
    from pyflink_jobs.project.settings import Project

__all__ = ["Outcome", "create_sink_topics", "execute", "refuse_missing_topics", "run_job"]

_SINK_PARTITIONS = 4  # of a topic that a job's first run creates
_POLL = 0.5  # seconds between two looks at a running job


@dataclass(frozen=True)
class Outcome:
    """How a job ended: "FINISHED" or "CANCELED", its final counts, and the seconds from its start to its end."""

    state: str
    counts: JobCounts
    seconds: float


def run_job(
    project: Project,
    name: str,
    *,
    bounded: bool = False,
    parallelism: int | None = None,
    on_progress: Callable[[JobCounts], None] = lambda _: None,
    declarations: Declarations | None = None,
    places: Places | None = None,
    starting: Future[StartingCluster] | None = None,
) -> Outcome:
    """Run a job in a MiniCluster until it ends or Ctrl-C; `bounded` ends it at what is in the topics now.

    `parallelism` is that of the Flink configuration, or else of the settings, if None. `declarations` are the project's
    own, if None. With `places`, only what comes of the records there is written. `starting` is a cluster from
    `early_minicluster` with as many slots; without it, one is started.
    Raises what planning raises, and JobError with the cause where the job fails.
    """
    slots = parallelism or slots_of(project)
    declarations = declarations or declare(project)
    declarations.job(name)

    def run(starting: StartingCluster) -> Outcome:
        options = {**TARGET, "parallelism.default": str(slots), "pipeline.name": name}
        environment = table_environment(project, options)
        planned = plan_job(declarations, name, environment, bounded=bounded, places=places)
        cluster = starting.wait()
        for key, value in cluster.options.items():
            environment.get_config().set(key, value)
        return execute(project, planned, cluster, on_progress)

    if starting:
        import_pyflink()
        return run(starting.result())
    with closing(StartingCluster(project, slots)) as begun:
        return run(begun)


def execute(
    project: Project,
    planned: PlannedJob,
    cluster: MiniCluster,
    on_progress: Callable[[JobCounts], None] = lambda _: None,
    stop: Event | None = None,
) -> Outcome:
    """Submit a planned job to a cluster and follow it to its end; `stop` or Ctrl-C cancels it."""
    refuse_missing_topics(planned.sources)
    create_sink_topics(planned.sinks)
    started = time.monotonic()
    with _interruptible(stop or Event()) as interrupted:
        try:
            client = planned.statements.execute().get_job_client()
        except Exception as error:
            raise _failure(project, planned.name, error) from error
        job_id = str(client.get_job_id())
        counts = _follow(cluster, job_id, client, BrokerWatch(_brokers(planned)), on_progress, interrupted)
        if counts.state == "FAILED":
            try:
                client.get_job_execution_result().result()
            except Exception as error:
                raise _failure(project, planned.name, error) from error
        final = read_final_counts(cluster.url, job_id)
        on_progress(final)
        return Outcome(final.state, final, time.monotonic() - started)


def _follow(
    cluster: MiniCluster,
    job_id: str,
    client: JobClient,
    watch: BrokerWatch,
    on_progress: Callable[[JobCounts], None],
    interrupted: Event,
) -> JobCounts:
    """Return a job's counts when it has ended; it is cancelled if `interrupted` is set or its broker goes."""
    cancelled = False
    while (counts := read_counts(cluster.url, job_id)).state not in ("FINISHED", "CANCELED", "FAILED"):
        on_progress(counts)
        gc.collect(1)  # the automatic collection is off: see prepare_jvm
        if interrupted.wait(_POLL) and not cancelled:
            client.cancel().result()
            cancelled = True
        try:
            watch.look()
        except KafkaError:
            client.cancel().result()
            raise
        if cancelled:
            time.sleep(_POLL)
    return counts


@contextmanager
def _interruptible(event: Event) -> Iterator[Event]:
    """Let Ctrl-C set an event, in place of an exception in the midst of a call to the JVM."""
    before = signal.signal(signal.SIGINT, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def refuse_missing_topics(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Raise KafkaError for a topic of a source that is missing, which Flink would wait for in vain."""
    sources = _topics(tables)
    known = {bootstrap: topics.names(bootstrap) for bootstrap, _ in sources.values()}
    for table, (bootstrap, names) in sources.items():
        there = known[bootstrap]
        for name in names:
            if name not in there:
                near = get_close_matches(name, there, n=1)
                raise KafkaError(
                    f"topic `{name}`, which table `{table}` reads, is not there",
                    facts=(f"{bootstrap} has: {', '.join(there) or 'no topics'}",),
                    ways_out=(
                        *((f"read {near[0]}: 'topic' = '{near[0]}'",) if near else ()),
                        "write records to it first; the demo's: millstream replay flights",
                    ),
                )


def create_sink_topics(tables: Mapping[str, Mapping[str, str]]) -> None:
    """Create the topics of sinks that are not there yet."""
    for bootstrap, names in _topics(tables).values():
        topics.create(bootstrap, dict.fromkeys(names, _SINK_PARTITIONS))


def _brokers(planned: PlannedJob) -> set[str]:
    return {bootstrap for bootstrap, _ in _topics({**planned.sources, **planned.sinks}).values()}


def _topics(tables: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[str, list[str]]]:
    """Return the broker and the topics of each table that names them."""
    return {
        table: (options["properties.bootstrap.servers"], options["topic"].split(";"))
        for table, options in tables.items()
        if "kafka" in options.get("connector", "") and "topic" in options and "properties.bootstrap.servers" in options
    }


def _failure(project: Project, name: str, error: BaseException) -> JobError:
    message = read_exception(error)
    log = project.relative(flink_log(project))
    return JobError(
        f"job `{name}` failed: {message.text}",
        facts=(f"Flink's log is in {log}/",),
        ways_out=("see the whole stack trace: millstream --verbose run ...",),
        detail=message.trace,
    )
