"""CPU time of a job's processes, and of other machines on the same host."""

from __future__ import annotations

import contextlib
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["CpuMeter", "steal_seconds"]

_EVERY = 0.3  # seconds between two readings: at most this is lost of a process that ends


class CpuMeter:
    """Measures the CPU seconds of this process and its descendants while its block runs.

    Flink's workers end with their job, so they are read all the time. `seconds` has "jvm" and "python": Flink may run
    the workers as processes or as threads of this one.
    """

    def __init__(self) -> None:
        self._first: dict[psutil.Process, float] = {}
        self._last: dict[psutil.Process, float] = {}
        self._kinds: dict[psutil.Process, str] = {}
        self._done = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._first = dict(self._last)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    @property
    def seconds(self) -> dict[str, float]:
        """CPU seconds, user and system, by kind of process."""
        total = {"jvm": 0.0, "python": 0.0}
        for process, last in self._last.items():
            total[self._kinds[process]] += last - self._first.get(process, 0.0)
        return total

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        own = psutil.Process()
        for process in (own, *own.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                self._kinds.setdefault(process, "jvm" if process.name() == "java" else "python")
                self._last[process] = times.user + times.system


def steal_seconds() -> float:
    """Return the CPU seconds since the machine's start that its host gave to other machines; 0 where it is unknown."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))
