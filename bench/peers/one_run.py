"""One run of one contestant: a separate process, monitored from outside."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.peers.append_times import appended_before, create_topic
from bench.peers.cpu_trace import CpuTrace
from bench.peers.steady import steady
from pyflink_jobs.errors import JobError
from pyflink_jobs.tuning.cpu_meter import steal_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.peers.contestants import Contestant, Start, Task

__all__ = ["PARTITIONS", "Figures", "measure", "started"]

PARTITIONS = 4
"""Of the topic that a contestant writes."""
_SHORTEST = 1000  # milliseconds of a steady state; CPU time is sampled four times a second


@dataclass(frozen=True)
class Figures:
    """The cost of a run.

    `seconds` are from the start of the process to its end. Between a fifth and four fifths of the output, `steady` is
    records per second, `cpu_us` the contestant's and `broker_us` the broker's CPU microseconds per record; NaN for a
    run too short to measure. `steal` is the CPU seconds that the machine's host gave to others.
    """

    contestant: str
    seconds: float
    steady: float
    cpu_us: float
    broker_us: float
    steal: float


def measure(contestant: Contestant, task: Task, records: int, broker: int, log: Path) -> Figures:
    """Run a contestant over `records` records, next to the broker with that process id; its output goes to `log`.

    Raises UnavailableError if it cannot run, JobError if it fails or does not write each record.
    """
    start = contestant.start(task)
    create_topic(task.bootstrap, task.sink, PARTITIONS)
    stolen, began = steal_seconds(), time.time()
    with started(start, log) as process, CpuTrace(process.pid) as own, CpuTrace(broker) as brokers:
        code = process.wait()
        ended = time.time()
    stolen = steal_seconds() - stolen
    if code:
        raise JobError(f"{contestant.name} failed", facts=tuple(log.read_text(errors="replace").splitlines()[-10:]))
    with appended_before(task.bootstrap, task.sink) as appended:
        written = appended(math.ceil(1000 * ended) + 1)
        middle = steady(appended, int(1000 * began), math.ceil(1000 * ended))
    # A transaction adds a marker to each partition, which counts as a record here.
    if written < records or (written > records and not task.exactly_once):
        raise JobError(f"{contestant.name} wrote {written:,} scores of {records:,} records")
    long_enough = middle.end - middle.start >= _SHORTEST
    start_s, end_s = middle.start / 1000, middle.end / 1000

    def microseconds(trace: CpuTrace) -> float:
        return 1e6 * trace.between(start_s, end_s) / middle.records if long_enough else math.nan

    rate = middle.rate if long_enough else math.nan
    return Figures(contestant.name, ended - began, rate, microseconds(own), microseconds(brokers), stolen)


@contextmanager
def started(start: Start, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process; it and its descendants end with the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            start.arguments,
            env=os.environ | start.variables,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
