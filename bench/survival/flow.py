"""A job that scores a stream of flights: start it, feed it, wait for it, and start its undisturbed twin."""

from __future__ import annotations

import tempfile
import time
from bisect import bisect_left
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError

from bench.survival.feeder import Feeder
from bench.survival.pipeline import JOB, OPTIONS, SINKS, create_topics, pipeline
from bench.survival.reader import Reader, committed
from bench.survival.records import flowing_records
from pyflink_jobs.causes import summarize
from pyflink_jobs.cluster.jobs import (
    cancel,
    first_checkpoint,
    job_named,
    plan_of,
    stop_with_savepoint,
    wait_until_running,
    wait_until_state,
)
from pyflink_jobs.cluster.state_mapping import carry_over
from pyflink_jobs.cluster.submit import prepare, send
from pyflink_jobs.cluster.targets import Target
from pyflink_jobs.rest import Rest

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from bench.survival.site import Site
    from pyflink_jobs.planning.compile.compiled_plan import Plan

__all__ = ["Flow", "flow", "submit"]

_STARTS_WITHIN = 120.0  # seconds
_RECOVERS_WITHIN = 180.0
_SLOWEST = 200.0  # records a second of the undisturbed job, which reads a backlog
_POLL = 0.05


class Flow:
    """A job `job_id` that runs, with its feeder and a reader of its predictions."""

    def __init__(self, site: Site, run: str, rate: float, backlog: int = 0) -> None:
        self.site, self.run = site, run
        create_topics(site.bootstrap, run)
        self.feeder = Feeder(site.bootstrap, run, flowing_records(), rate, site.in_broker_network)
        self.feeder.burst(max(backlog, 1))
        self.job_id = submit(site, run, run)
        self.reader = Reader(site.bootstrap, f"predictions-{run}", site.in_broker_network)

    def wait_for_flights_sent_after(self, moment: float, within: float = _RECOVERS_WITHIN) -> float:
        """Wait until one is scored and committed; return when it was seen. Both are seconds of the Unix epoch."""
        sent, reader = self.feeder.sent, self.reader
        at = bisect_left(reader.times, moment)

        def there() -> bool:
            nonlocal at
            while at < len(reader.times) and not sent.moment(reader.partitions[at], reader.offsets[at]) > moment:
                at += 1
            return at < len(reader.times)

        self.wait_for(there, within, "no flight is scored")
        return reader.times[at]

    def wait_for(self, met: Callable[[], bool], within: float, problem: str) -> None:
        """Wait for a condition; raise RuntimeError, with the job's state, if it is not met in time."""
        deadline = time.monotonic() + within
        while not met():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{problem} within {within:.0f} seconds; {self._state()}")
            time.sleep(_POLL)

    def rescale(self, parallelism: int) -> float:
        """Stop the job with a savepoint, and start it with another parallelism, as `millstream upgrade` does.

        Return when it had stopped: a flight that was sent before that may be scored by the old job.
        """
        rest = Rest(self.site.url)
        job = job_named(rest, self.job_id)
        old = plan_of(rest, job)
        savepoint = stop_with_savepoint(rest, job, within=_RECOVERS_WITHIN)
        stopped = time.time()
        self.job_id = submit(self.site, self.run, self.run, parallelism=parallelism, savepoint=savepoint, old=old)
        return stopped

    def restarts(self) -> int:
        """Return how often the job has restarted from a checkpoint."""
        counts = Rest(self.site.url).get(f"/jobs/{self.job_id}/checkpoints")["counts"]
        return int(counts["restored"])

    def wait_for_restart(self, before: int) -> float:
        """Wait until it has restarted more often than `before`; return the time."""
        self.wait_for(lambda: self.restarts() > before, _RECOVERS_WITHIN, "the job does not restart")
        return time.time()

    def end(self) -> tuple[dict[str, Counter[bytes]], dict[str, Counter[bytes]]]:
        """End the stream; return what was committed by this job and by an undisturbed one, by sink."""
        self.feeder.stop()
        self.site.start_cluster()  # the other job needs slots too
        twin = f"{self.run}-undisturbed"
        within = _RECOVERS_WITHIN + self.feeder.sent.records / _SLOWEST
        twin_id = submit(self.site, self.run, twin, bounded=True)
        wait_until_state(Rest(self.site.url), twin_id, ("FINISHED",), within)
        expected = {name: committed(self.site.bootstrap, f"{name}-{twin}") for name in SINKS}
        self.wait_for_all()
        # Windows end last: two more checkpoints commit them.
        rest = Rest(self.site.url)
        for _ in range(2):
            first_checkpoint(rest, self.job_id, _RECOVERS_WITHIN)
        found = {name: committed(self.site.bootstrap, f"{name}-{self.run}") for name in SINKS}
        self.reader.stop()
        cancel(rest, self.job_id)
        return found, expected

    def wait_for_all(self, within: float = 60) -> None:
        """Wait until as many flights are scored as were sent, or until the time is over."""
        with suppress(RuntimeError):
            self.wait_for(
                lambda: len(self.reader.times) >= self.feeder.sent.flights, within, "not all flights are scored"
            )

    def _state(self) -> str:
        try:
            rest = Rest(self.site.url, patience=5)
            state = rest.get(f"/jobs/{self.job_id}")["state"]
            entries = rest.get(f"/jobs/{self.job_id}/exceptions")["exceptionHistory"]["entries"]
            return f"the job is {state}: {summarize(entries[0]['stacktrace']) if entries else 'no failure'}"
        except (URLError, OSError) as error:
            return f"the cluster does not answer: {error}"


@contextmanager
def flow(site: Site, run: str, rate: float) -> Iterator[Flow]:
    """Start a job and its feeder, and wait for its first scores."""
    flowing = Flow(site, run, rate)
    flowing.feeder.start()
    flowing.wait_for_flights_sent_after(time.time())
    yield flowing


def submit(
    site: Site,
    run: str,
    output: str,
    *,
    bounded: bool = False,
    parallelism: int = 2,
    savepoint: str = "",
    old: Plan | None = None,
) -> str:
    """Submit the job that reads the topics of `run`; return its id when it runs. A `savepoint` is of the plan `old`."""
    with tempfile.TemporaryDirectory(prefix="millstream-") as folder:
        project = pipeline(Path(folder) / "project", site.bootstrap, run, output, bounded=bounded)
        target = Target("survival", url=site.url, parallelism=parallelism, options=OPTIONS)
        prepared = prepare(project, JOB, target, Path(folder))
        if old:
            prepared = replace(prepared, plan=carry_over(old, prepared.plan)[0])
        job_id = send(prepared, Path(folder), savepoint)
        wait_until_running(Rest(site.url), job_id, _STARTS_WITHIN)
    return job_id
