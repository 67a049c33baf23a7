"""One bounded run of one job, measured, in a process and a JVM of its own: no job warms the next one's compiler."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from bench.cpu import CpuMeter, steal_seconds
from pyflink_jobs.errors import JobError
from pyflink_jobs.planning.declarations import declare
from pyflink_jobs.planning.planner import plan_job
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from pyflink_jobs.running.minicluster import minicluster

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyflink_jobs.running.progress import JobCounts

__all__ = ["Figures", "measure"]

_STEADY = (0.2, 0.8)  # of the records: start-up lies before, the last bundles after


@dataclass(frozen=True)
class Figures:
    """What a run took, from its submission to its end.

    `steady` is records per second in the middle of the run, NaN for one too short to tell. `cpu` is CPU seconds by
    kind of process; `steal` the CPU seconds that the machine's host gave to others.
    """

    job: str
    records: int
    seconds: float
    steady: float
    cpu: dict[str, float]
    steal: float

    @property
    def rate(self) -> float:
        """Records per second, start-up included."""
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds per record, all processes together."""
        return 1e6 * sum(self.cpu.values()) / self.records


def measure(root: Path, job: str, records: int, variables: Mapping[str, str]) -> Figures:
    """Run a job of the project at `root` over `records` records; `variables` fill the `${NAME}` of its SQL.

    Raises what planning and running raise, and JobError where not each record was read and written.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(_measure, root, job, records, dict(variables)).result()


def _measure(root: Path, job: str, records: int, variables: dict[str, str]) -> Figures:
    os.environ.update(variables)
    project = Project.find(root)
    watch = _Watch()
    # A value is as old as the last look but one, so that each look has a new one.
    with minicluster(project, project.settings.parallelism, {"metrics.fetcher.update-interval": "100"}) as cluster:
        planned = plan_job(declare(project), job, table_environment(project, cluster.options), bounded=True)
        stolen = steal_seconds()
        with CpuMeter() as meter:
            outcome = execute(project, planned, cluster, watch.look)
        stolen = steal_seconds() - stolen
    read, written = outcome.counts.read.total(), outcome.counts.written.total()
    if (read, written) != (records, records):
        raise JobError(f"job `{job}` read {read:,} and wrote {written:,} records of {records:,}")
    return Figures(job, records, outcome.seconds, watch.steady(records), meter.seconds, stolen)


@dataclass
class _Watch:
    """Remembers how many records had been read when."""

    times: list[float] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)

    def look(self, counts: JobCounts) -> None:
        self.times.append(monotonic())
        self.reads.append(counts.read.total())

    def steady(self, records: int) -> float:
        times, reads = np.array(self.times), np.array(self.reads)
        middle = (reads > _STEADY[0] * records) & (reads < _STEADY[1] * records)
        if middle.sum() < 3:  # noqa: PLR2004 - two points make no average
            return float("nan")
        return float(np.polyfit(times[middle], reads[middle], 1)[0])
