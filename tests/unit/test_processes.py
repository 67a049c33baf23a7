"""Processes end, those that refuse too, and nobody waits for one whose parent does not reap it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from pyflink_jobs.local import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, flush=True)
time.sleep(600)
"""


@pytest.fixture
def parent() -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """Start a process that never reaps its child; yield both."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        first, second = started.stdout.readline(), started.stdout.readline()
        yield psutil.Process(started.pid), psutil.Process(max(int(first), int(second)))
        started.kill()


def test_a_child_that_nobody_reaps_has_ended(
    parent: tuple[psutil.Process, psutil.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    above, child = parent
    killed: list[int] = []
    monkeypatch.setattr(psutil.Process, "kill", lambda self: killed.append(self.pid))
    processes.end(child)
    assert child.status() == psutil.STATUS_ZOMBIE
    assert not processes.running(child)
    assert killed == []
    processes.end(above, child)
    assert not psutil.pid_exists(above.pid)


def test_one_that_does_not_obey_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_ENDS_WITHIN", 0.1)
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        started.stdout.readline()
        process = psutil.Process(started.pid)
        processes.end(process)
        assert not psutil.pid_exists(started.pid)
    processes.end(process)  # it has gone: nothing happens
