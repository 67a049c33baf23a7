"""`millstream run`: its Python workers are forks, or with the setting `speedups` off, Flink's own; Ctrl-C ends it."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local import topics
from pyflink_jobs.local.send import send_records
from tests.command_line import call
from tests.monitored_project import events, line, monitored_project
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def workers_of(process: int) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return the workers of a command that the template has forked, and those that Flink has started."""
    below = psutil.Process(process).children(recursive=True)
    # A fork has its template's command line.
    templates = {p for p in below if "worker_template" in " ".join(p.cmdline())}
    forks = [fork for template in templates for fork in template.children()]
    started = [p for p in below if p.cmdline()[1:3] == ["-m", "pyflink.fn_execution.beam.beam_boot"]]
    return forks, started


@pytest.mark.parametrize("speedups", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_slot_has_one_worker_and_ctrl_c_ends_it_with_its_job(
    kafka: str, topic: Callable[[str], str], tmp_path: Path, *, speedups: bool
) -> None:
    names = {kind: topic(kind) for kind in ("events", "scored", "drift", "alerts")}
    settings = monitored_project(tmp_path, kafka, names).root / "pyproject.toml"
    settings.write_text(f"{settings.read_text()}speedups = {str(speedups).lower()}\n")
    topics.create(kafka, {names["events"]: 1, names["scored"]: 1, names["drift"]: 1})
    send_records(kafka, names["events"], map(line, events(500)))
    with subprocess.Popen(
        call(tmp_path, "run", "score", "--parallelism", "1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as job:
        wait_until(lambda: topics.read(kafka, names["drift"], limit=1) or job.poll() is not None)
        wait_until(lambda: len(topics.read(kafka, names["scored"])) == 500 or job.poll() is not None)
        assert job.poll() is None
        forks, started = workers_of(job.pid)
        assert (len(forks), len(started)) == (
            (1, 0) if speedups else (0, 1)
        )  # scores, drift's comparisons and its alarms
        job.send_signal(signal.SIGINT)
        out, err = job.communicate()
    assert "score stopped after" in out
    assert "500 events" in out
    assert "Traceback" not in err
    assert job.returncode == 0
    psutil.wait_procs([*forks, *started])
