"""One job under two profilers: CPU microseconds per record, stage by stage."""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil
from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.peers.append_times import appended_before, create_topic
from bench.peers.contestants import CONTESTANTS, Task
from bench.peers.one_run import PARTITIONS, started
from bench.peers.project_copy import copy_project
from bench.peers.steady import steady
from bench.profile.samples import java_options, java_stages, python_stages, sampling_python
from bench.profile.stages import OTHER, STAGES, stage_of_thread
from bench.profile.thread_trace import ThreadTrace
from bench.records import delete_topic, fill
from pyflink_jobs.errors import JobError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from bench.peers.contestants import Form
    from bench.profile.thread_trace import Thread

__all__ = ["JOBS", "profile", "split"]

_ENDS_WITHIN = 30.0  # seconds
JOBS = ("none", "mlp", "monitored", "gbm")


def profile(root: Path, bootstrap: str, records: int, jobs: tuple[str, ...], form: Form) -> dict[str, object]:
    """Run each job once, Kafka to Kafka, under both profilers; print a table, return its figures for JSON."""
    console = console_for_tables()
    source = fill(bootstrap, records, form=form)
    machine = describe()
    found: dict[str, dict[str, dict[str, float]]] = {}
    with TemporaryDirectory(prefix="millstream-profile-") as scratch, console.status("") as status:
        copy_project(root, Path(scratch) / "project", form, exactly_once=False)
        for job in jobs:
            status.update(job)
            sink = f"scores-{time.time_ns()}"
            task = Task(bootstrap, source, sink, form, exactly_once=False, project=Path(scratch) / "project")
            found[job] = _run(job, task, Path(scratch))
            delete_topic(bootstrap, sink)
    console.print(_table(found, f"CPU µs per record, {records:,} {form.upper()} records x 16 floats, Kafka to Kafka"))
    return {"machine": machine, "records": records, "format": form, "jobs": found}


def _run(job: str, task: Task, folder: Path) -> dict[str, dict[str, float]]:
    """Return CPU microseconds per record, by side and stage, in the middle of a run."""
    create_topic(task.bootstrap, task.sink, PARTITIONS)
    recording, raw, log = (folder / f"{job}.{end}" for end in ("samples", "raw", "log"))
    start = CONTESTANTS[job].start(task)
    start.variables["JAVA_TOOL_OPTIONS"] = java_options(recording)
    began = time.time()
    with started(start, log) as process, ThreadTrace(process.pid) as trace, sampling_python(process.pid, raw):
        process.wait()
        ended = time.time()
        _wait_for_java(process.pid)
    if process.returncode:
        raise JobError(f"{job} failed", facts=tuple(log.read_text(errors="replace").splitlines()[-10:]))
    with appended_before(task.bootstrap, task.sink) as appended:
        middle = steady(appended, int(1000 * began), math.ceil(1000 * ended))
    start_s, end_s = middle.start / 1000, middle.end / 1000
    java, python = java_stages(recording, start_s, end_s), python_stages(raw)
    seconds = split(trace.between(start_s, end_s), java, python)
    return {side: {at: 1e6 * s / middle.records for at, s in stages.items()} for side, stages in seconds.items()}


def _wait_for_java(group: int) -> None:
    """Wait until a process group's JVM has written its samples and ended: it ends shortly after the command."""
    with suppress(psutil.NoSuchProcess):
        java = [one for one in psutil.process_iter(["name"]) if one.info["name"] == "java" and _group(one) == group]
        psutil.wait_procs(java, timeout=_ENDS_WITHIN)


def _group(process: psutil.Process) -> int | None:
    with suppress(ProcessLookupError):
        return os.getpgid(process.pid)
    return None


def split(
    seconds: Mapping[Thread, float], java: Mapping[int, Counter[str]], python: Mapping[int, Counter[str]]
) -> dict[str, dict[str, float]]:
    """Divide the CPU seconds of threads among stages, on the JVM's side and on Python's.

    A Java thread's are shared out as its samples are, a Python process's as those of all its threads.
    """
    found: dict[str, defaultdict[str, float]] = {"jvm": defaultdict(float), "python": defaultdict(float)}
    for thread, used in seconds.items():
        in_java = thread.program == "java"
        side, samples = ("jvm", java.get(thread.tid)) if in_java else ("python", python.get(thread.pid))
        stage = stage_of_thread(thread.name)
        shares = {stage: 1} if stage else samples or {OTHER: 1}
        for name, count in shares.items():
            found[side][name] += used * count / sum(shares.values())
    return {side: dict(stages) for side, stages in found.items()}


def _table(found: Mapping[str, Mapping[str, Mapping[str, float]]], title: str) -> Table:
    table = Table(title=title)
    table.add_column("stage")
    for job in found:
        for side in ("JVM", "Python"):
            table.add_column(f"{job}: {side}", justify="right")
    columns = [sides[side] for sides in found.values() for side in ("jvm", "python")]
    for stage in STAGES:
        table.add_row(stage, *(f"{column[stage]:.2f}" if column.get(stage) else "" for column in columns))
    table.add_section()
    table.add_row("together", *(f"{sum(column.values()):.2f}" for column in columns))
    return table
