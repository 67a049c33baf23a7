"""Ending the processes that Millstream has started on this machine."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic, sleep

import psutil

__all__ = ["end", "running"]

_ENDS_WITHIN = 20.0  # seconds until a process is killed
_LOOKS = 0.02  # seconds between two looks


def end(*processes: psutil.Process) -> None:
    """Terminate the processes, and kill those that do not end. psutil signals no other process with the same id."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in processes:
        if not _ends(process):
            with suppress(psutil.NoSuchProcess):
                process.kill()
            _ends(process)


def running(process: psutil.Process) -> bool:
    """Return whether the process has not ended; a zombie has: its parent, or a container's first process, is slow."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ends(process: psutil.Process) -> bool:
    """Wait, not for ever, until the process has ended; return whether it has."""
    deadline = monotonic() + _ENDS_WITHIN
    while running(process):
        if monotonic() > deadline:
            return False
        sleep(_LOOKS)
    with suppress(psutil.TimeoutExpired):
        process.wait(0)  # a child of this process leaves no zombie
    return True
