"""`millstream run`: its Python workers are forks of one process, and Ctrl-C ends it cleanly."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import psutil

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.command_line import call
from tests.monitored_project import events, line, monitored_project
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def forks_of(process: int) -> list[psutil.Process]:
    """Return the processes that the template has forked."""
    [template] = [p for p in psutil.Process(process).children() if "worker_template" in " ".join(p.cmdline())]
    return template.children()


def test_workers_are_forks_and_ctrl_c_ends_them_with_their_job(
    kafka: str, topic: Callable[[str], str], tmp_path: Path
) -> None:
    names = {kind: topic(kind) for kind in ("events", "scored", "drift", "alerts")}
    monitored_project(tmp_path, kafka, names)
    topics.create(kafka, {names["events"]: 1, names["scored"]: 1, names["drift"]: 1})
    send_records(kafka, names["events"], map(line, events(500)))
    with subprocess.Popen(
        call(tmp_path, "run", "score", "--parallelism", "1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        wait_until(lambda: topics.read(kafka, names["drift"], limit=1) or job.poll() is not None)
        wait_until(lambda: len(topics.read(kafka, names["scored"])) == 500 or job.poll() is not None)
        assert job.poll() is None
        forks = forks_of(job.pid)
        assert len(forks) == 3  # one scores, two follow drift
        job.send_signal(signal.SIGINT)
        out, err = job.communicate()
    assert "score stopped after" in out
    assert "500 events" in out
    assert "Traceback" not in err
    assert job.returncode == 0
    psutil.wait_procs(forks)
