"""CPU time of processes and their descendants, over time."""

from __future__ import annotations

import contextlib
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

import numpy as np
import psutil

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["CpuTrace", "at"]

_EVERY = 0.25  # seconds between samples; of a process that ends in between, at most this much is lost


def at(moment: float, times: list[float], seconds: list[float]) -> float:
    """Return the CPU seconds at a moment, interpolated between the samples before and after it."""
    return float(np.interp(moment, times, seconds))


class CpuTrace:
    """Samples, while its block runs, the CPU time of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        self.times: list[float] = []
        """Epoch seconds of the samples."""
        self.seconds: list[float] = []
        """CPU seconds, user and system, at these times; they include processes that have ended."""
        self._root = psutil.Process(pid)
        self._used: dict[psutil.Process, float] = {}
        self._done = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def between(self, start: float, end: float) -> float:
        """Return the CPU seconds that were used between two moments, epoch seconds."""
        return at(end, self.times, self.seconds) - at(start, self.times, self.seconds)

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in (self._root, *self._root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    used = process.cpu_times()
                    self._used[process] = used.user + used.system
        self.times.append(time.time())
        self.seconds.append(sum(self._used.values()))
