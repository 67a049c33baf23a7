"""Run a job on this machine, from its SQL file to its end."""

from __future__ import annotations

import re
import signal
import time
from collections import Counter
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from threading import Event, Thread
from typing import TYPE_CHECKING

from pyflink_jobs.causes import WORKER_ENDED
from pyflink_jobs.errors import JobError, KafkaError
from pyflink_jobs.planning.compile.failures import calls_that_failed
from pyflink_jobs.planning.compile.plan import PlannedJob, Run, plan_job
from pyflink_jobs.planning.flink.errors import read_exception
from pyflink_jobs.running.environment import import_pyflink, table_environment
from pyflink_jobs.running.fast_start.kept_plan import start
from pyflink_jobs.running.jvm import flink_log, jvm_lives
from pyflink_jobs.running.last_words import last_words
from pyflink_jobs.running.minicluster import TARGET, MiniCluster, StartingCluster, slots_of
from pyflink_jobs.running.progress import JobCounts, read_counts, read_final_counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from pyflink.common import JobClient

    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.broker_watch import BrokerWatch

__all__ = ["Outcome", "execute", "run_job"]

_POLL = 0.5  # seconds between two requests about a running job
_PLANNING = re.compile(r"planner\.delegation\.(PlannerBase|StreamPlanner)\b")
"""In the stack trace of a job that Flink did not plan; one that was not accepted has none."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended: "FINISHED" or "CANCELED", its final counts, and the seconds from its start to its end."""

    state: str
    counts: JobCounts
    seconds: float


def run_job(
    project: Project,
    job: Job,
    kind: Run | None = None,
    *,
    parallelism: int | None = None,
    on_progress: Callable[[JobCounts], None] = lambda _: None,
    starting: Future[StartingCluster] | None = None,
) -> Outcome:
    """Run a job in a MiniCluster until it ends or Ctrl-C; `kind` says what kind of run it is.

    `parallelism` is that of the Flink configuration, or else of the settings, if None. `starting` is a cluster from
    `early_minicluster` with as many slots; without it, one is started.
    Raises what planning raises, and JobError with the cause if the job fails.
    """
    slots = parallelism or slots_of(project)
    kind = kind or Run()

    def run(starting: StartingCluster) -> Outcome:
        options = {**TARGET, "parallelism.default": str(slots), "pipeline.name": job.name}
        environment = table_environment(project, options, bounded=kind.bounded)
        # What `execute` imports needs Kafka's client, most of a second: it passes while the JVM plans.
        Thread(target=import_module, args=["pyflink_jobs.local.topics"], daemon=True).start()
        planned = plan_job(job, environment, kind)
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
    from pyflink_jobs.running.broker_watch import BrokerWatch
    from pyflink_jobs.running.job_topics import brokers, prepare_topics

    prepare_topics(planned.sources, planned.sinks)
    started = time.monotonic()
    with _interruptible(stop or Event()) as interrupted:
        try:
            client = start(project, planned).get_job_client()
        except Exception as error:
            refused = _PLANNING.search(str(error))
            raise (planned.refusal(error) if refused else _failure(project, planned, error)) from error
        job_id = str(client.get_job_id())
        watch = BrokerWatch(brokers({**planned.sources, **planned.sinks}))
        try:
            counts = _follow(cluster, job_id, client, watch, on_progress, interrupted)
        except OSError as error:
            if jvm_lives():
                raise
            raise _ended(project, planned.name) from error
        if counts.state == "FAILED":
            try:
                client.get_job_execution_result().result()
            except Exception as error:
                raise _failure(project, planned, error) from error
        final = replace(read_final_counts(cluster.url, job_id), expired=counts.expired)
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
    """Return a job's counts when it has ended; it is cancelled if `interrupted` is set or its broker stops."""
    cancelled = False
    expired: Counter[tuple[str, int]] = Counter()  # a job that has ended has no metrics any more
    while (counts := read_counts(cluster.url, job_id)).state not in ("FINISHED", "CANCELED", "FAILED"):
        expired |= counts.expired
        on_progress(counts)
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
    return replace(counts, expired=expired)


@contextmanager
def _interruptible(event: Event) -> Iterator[Event]:
    """Let Ctrl-C set an event instead of raising an exception within a call to the JVM."""
    before = signal.signal(signal.SIGINT, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _ended(project: Project, name: str) -> JobError:
    """Return the error of a job whose Flink, in the JVM of this process, is gone."""
    log = flink_log(project)
    words = last_words(log)
    return JobError(
        f"job `{name}` failed: Flink has ended while it ran",
        facts=(*([words] if words else []), f"Flink's log is in {project.relative(log)}/"),
    )


def _failure(project: Project, planned: PlannedJob, error: BaseException) -> JobError:
    message = read_exception(error)
    log = flink_log(project)
    words = last_words(log) if message.text == WORKER_ENDED else ""
    calls = calls_that_failed(planned, message)
    what = f"failed at {calls.what}" if calls else f"failed: {message.text}"
    known = calls.places if calls else ((words,) if words else ())
    return JobError(
        f"job `{planned.name}` {what}",
        facts=(*known, f"Flink's log is in {project.relative(log)}/"),
        fixes=(*(calls.fixes if calls else ()), "see the whole stack trace: millstream --verbose run ..."),
        detail=message.trace,
    )
