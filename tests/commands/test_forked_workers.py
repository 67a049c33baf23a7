"""The Python workers of `millstream run` are forks of one process, and each operator of a monitored model has one."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import psutil

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.command_line import call
from tests.monitored_project import events, line, monitored_project

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {kind: f"{kind}-forked" for kind in ("events", "scored", "drift", "alerts")}


def forks_of(process: int) -> list[psutil.Process]:
    """Return the processes that the template has forked."""
    [template] = [p for p in psutil.Process(process).children() if "worker_template" in " ".join(p.cmdline())]
    return template.children()


def test_workers_are_forks_and_end_with_their_job(kafka: str, tmp_path: Path) -> None:
    monitored_project(tmp_path, kafka, NAMES)
    topics.create(kafka, {"events-forked": 1, "scored-forked": 1, "drift-forked": 1})
    send_records(kafka, "events-forked", map(line, events(500)))
    with subprocess.Popen(
        call(tmp_path, "run", "score", "--parallelism", "1"), stdout=subprocess.PIPE, text=True
    ) as job:
        while not topics.read(kafka, "drift-forked", limit=1):
            assert job.poll() is None
        forks = forks_of(job.pid)
        assert len(forks) == 3  # one scores, two follow drift
        job.send_signal(signal.SIGINT)
        out, _ = job.communicate()
    assert "score stopped after" in out
    assert job.returncode == 0
    psutil.wait_procs(forks)
