"""CPU time of the threads of a process and its descendants, over time."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from threading import Thread as PythonThread
from typing import TYPE_CHECKING, Self

import numpy as np
import psutil

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Thread", "ThreadTrace"]

_EVERY = 0.5  # seconds between samples


@dataclass(frozen=True)
class Thread:
    """A thread by the system's numbers; `program` is the file that its process runs."""

    pid: int
    tid: int
    program: str
    name: str


class ThreadTrace:
    """Samples, while its block runs, the CPU time of each thread of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._looks: list[tuple[float, dict[Thread, float]]] = []
        self._names: dict[tuple[int, int], Thread] = {}
        self._done = Event()
        self._watching = PythonThread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._watching.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._watching.join()

    def between(self, start: float, end: float) -> dict[Thread, float]:
        """Return the CPU seconds of each thread between two moments, epoch seconds.

        Of a thread that has ended, the seconds since the last look at it are lost.
        """
        times = [moment for moment, _ in self._looks]
        found = {}
        for thread in {thread for _, used in self._looks for thread in used}:
            seconds = np.maximum.accumulate([used.get(thread, 0.0) for _, used in self._looks])
            found[thread] = float(np.interp(end, times, seconds) - np.interp(start, times, seconds))
        return found

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        used: dict[Thread, float] = {}
        with suppress(psutil.NoSuchProcess):
            for process in (self._root, *self._root.children(recursive=True)):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    for one in process.threads():
                        used[self._named(process, one.id)] = one.user_time + one.system_time
        self._looks.append((time.time(), used))

    def _named(self, process: psutil.Process, tid: int) -> Thread:
        """Return a thread with its names when it is first seen."""
        if (process.pid, tid) not in self._names:
            with suppress(OSError):  # it may end meanwhile
                name = Path(f"/proc/{process.pid}/task/{tid}/comm").read_text().strip()
                self._names[process.pid, tid] = Thread(process.pid, tid, Path(process.exe()).name, name)
        return self._names.get((process.pid, tid), Thread(process.pid, tid, "", ""))
