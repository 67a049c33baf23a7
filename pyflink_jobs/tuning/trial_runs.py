"""Run a job over a sample of its source, again and again in the same warm JVM."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

from pyflink_jobs.errors import JobError
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.connectors.connector import connector_of
from pyflink_jobs.planning.rewrites.dry_run import DryRun
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from pyflink_jobs.tuning.cpu_meter import CpuMeter, steal_seconds
from pyflink_jobs.tuning.steady_rate import Readings
from pyflink_jobs.tuning.worker_memory import WorkerMemory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyflink_jobs.planning.compile.plan import PlannedJob
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.minicluster import MiniCluster
    from pyflink_jobs.running.progress import JobCounts
    from pyflink_jobs.tuning.sample import Sample

__all__ = ["CLUSTER", "Trial", "TrialRuns"]

CLUSTER = {"metrics.fetcher.update-interval": "100"}
"""Options of a cluster for trials: the milliseconds between its counts, so that each poll finds new ones."""

_STOPPED = "CANCELED"


@dataclass(frozen=True)
class Trial:
    """The measurements of a bounded run over a sample.

    `rate` is records per second and `cpu_us` CPU microseconds per record by kind of process: in the middle of the run
    if it is `steady`; otherwise the run was too short, and they include its start-up.
    `workers` is the largest memory of all Python workers together, in bytes; `steal` the CPU seconds that the
    machine's host gave to other machines.
    """

    records: int
    seconds: float
    rate: float
    cpu_us: dict[str, float]
    steady: bool
    workers: int
    steal: float

    @property
    def us(self) -> float:
        """CPU microseconds per record, all processes together."""
        return sum(self.cpu_us.values())


@dataclass
class TrialRuns:
    """A project's job, the sample that it is run over, and the cluster that runs it."""

    project: Project
    job: Job
    sample: Sample
    cluster: MiniCluster

    def run(self, options: Mapping[str, str], longest: float = math.inf) -> Trial:
        """Run the job over the sample with some options of Flink, which override the project's.

        After the `longest` seconds the run is cancelled, once it has read something.
        Raises what planning and running raise, and KeyboardInterrupt if the run was stopped by Ctrl-C.
        """
        with self.planned(options, self.sample.reads) as planned:
            meter, memory = CpuMeter(), WorkerMemory()
            readings = Readings(meter, self.sample.source)
            stop, long_enough = Event(), Event()  # Ctrl-C also sets the first
            started = time.monotonic()

            def on_counts(counts: JobCounts) -> None:
                readings(counts)
                memory.read()
                if counts.read[self.sample.source] and time.monotonic() - started > longest:
                    long_enough.set()
                    stop.set()

            stolen = steal_seconds()
            with meter:
                outcome = execute(self.project, planned, self.cluster, on_counts, stop)
            if outcome.state == _STOPPED and not long_enough.is_set():
                raise KeyboardInterrupt
            stolen = steal_seconds() - stolen
        read = outcome.counts.read[self.sample.source]
        if not read:
            raise JobError(f"job `{self.job.name}` has read none of the {self.sample.records:,} records of its sample")
        rate, cpu_us = readings.rate(read), readings.cpu_us(read)
        steady = not math.isnan(rate)
        if not steady:
            rate = read / outcome.seconds
            cpu_us = {kind: 1e6 * spent / read for kind, spent in meter.seconds.items()}
        return Trial(read, outcome.seconds, rate, cpu_us, steady, memory.largest, stolen)

    @contextmanager
    def planned(
        self, options: Mapping[str, str], reads: Mapping[str, str], *, bounded: bool = True
    ) -> Iterator[PlannedJob]:
        """Plan the job with sinks apart from its own, and delete what it has written to them when the block ends."""
        dry_run = DryRun(self.sample.source, reads, f"millstream-tune-{uuid4().hex[:8]}")
        environment = table_environment(
            self.project, {**self.cluster.options, "pipeline.name": f"tune {self.job.name}", **options}
        )
        planned = plan_job(self.job, environment, Run(bounded=bounded, dry_run=dry_run))
        try:
            yield planned
        finally:
            for sink in planned.sinks.values():
                connector_of(sink).delete([sink])
