"""One bounded run of one job, measured in its own process and JVM, so that no job warms the compiler for the next."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from pyflink_jobs.errors import JobError
from pyflink_jobs.planning.compile.plan import Run, plan_job
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.project.settings import Project
from pyflink_jobs.running.environment import table_environment
from pyflink_jobs.running.job import execute
from pyflink_jobs.running.minicluster import minicluster
from pyflink_jobs.tuning.cpu_meter import CpuMeter, steal_seconds
from pyflink_jobs.tuning.steady_rate import Readings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Figures", "measure"]


@dataclass(frozen=True)
class Figures:
    """The cost of a run, from its submission to its end.

    `cpu` is CPU seconds by kind of process, start-up included. In the middle of the run, `steady` is records per
    second and `steady_us` CPU microseconds per record by kind of process; NaN for a run too short to measure.
    `steal` is the CPU seconds that the machine's host gave to others.
    """

    job: str
    records: int
    seconds: float
    cpu: dict[str, float]
    steady: float
    steady_us: dict[str, float]
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

    Raises what planning and running raise, and JobError if not every record was read.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(_measure, root, job, records, dict(variables)).result()


def _measure(root: Path, job: str, records: int, variables: dict[str, str]) -> Figures:
    os.environ.update(variables)
    project = Project.find(root)
    meter = CpuMeter()
    readings = Readings(meter)
    # Counts are updated as often as they are sampled.
    with minicluster(project, project.settings.parallelism, {"metrics.fetcher.update-interval": "100"}) as cluster:
        planned = plan_job(declare(project).job(job), table_environment(project, cluster.options), Run(bounded=True))
        stolen = steal_seconds()
        with meter:
            outcome = execute(project, planned, cluster, readings)
        stolen = steal_seconds() - stolen
    if (read := outcome.counts.read.total()) != records:
        raise JobError(f"job `{job}` read {read:,} of {records:,} records")
    return Figures(
        job,
        records,
        outcome.seconds,
        meter.seconds,
        readings.rate(records),
        readings.cpu_us(records),
        stolen,
    )
