"""One bounded run of one job, measured, in a process and a JVM of its own: no job warms the next one's compiler."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
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
_FEWEST = 3  # looks that make an average


@dataclass(frozen=True)
class Figures:
    """What a run took, from its submission to its end.

    `cpu` is CPU seconds by kind of process, start-up included. In the middle of the run, `steady` is records per
    second and `steady_us` CPU microseconds per record by kind of process; NaN for a run too short to tell.
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

    Raises what planning and running raise, and JobError where not each record was read.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(_measure, root, job, records, dict(variables)).result()


def _measure(root: Path, job: str, records: int, variables: dict[str, str]) -> Figures:
    os.environ.update(variables)
    project = Project.find(root)
    meter = CpuMeter()
    looks: list[tuple[float, int, dict[str, float]]] = []

    def look(counts: JobCounts) -> None:
        looks.append((monotonic(), counts.read.total(), meter.seconds))

    # A count is then as old as the look before it, so that each look has a new one.
    with minicluster(project, project.settings.parallelism, {"metrics.fetcher.update-interval": "100"}) as cluster:
        planned = plan_job(declare(project), job, table_environment(project, cluster.options), bounded=True)
        stolen = steal_seconds()
        with meter:
            outcome = execute(project, planned, cluster, look)
        stolen = steal_seconds() - stolen
    if (read := outcome.counts.read.total()) != records:
        raise JobError(f"job `{job}` read {read:,} of {records:,} records")
    middle = [look for look in looks if _STEADY[0] * records < look[1] < _STEADY[1] * records]
    reads = [seen for _, seen, _ in middle]
    return Figures(
        job,
        records,
        outcome.seconds,
        meter.seconds,
        1 / _slope(reads, [time for time, _, _ in middle]),
        {kind: 1e6 * _slope(reads, [cpu[kind] for _, _, cpu in middle]) for kind in meter.seconds},
        stolen,
    )


def _slope(reads: list[int], values: list[float]) -> float:
    """Return by how much `values` grow per record read: the slope of the line through all of them."""
    if len(set(reads)) < _FEWEST:
        return float("nan")
    return float(np.polyfit(reads, values, 1)[0])
