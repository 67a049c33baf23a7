"""The memory of Flink's Python workers, which Flink itself does not report."""

from __future__ import annotations

import contextlib

import psutil

__all__ = ["WorkerMemory"]


class WorkerMemory:
    """Reads the memory of the Python processes that this one has started; `largest` is the most they had, in bytes.

    Shared pages count in part for each process (PSS, on Linux), as in a container's limit.
    """

    def __init__(self) -> None:
        self.largest = 0

    def read(self) -> None:
        """Take a reading."""
        held = 0
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.name() != "java":
                    memory = process.memory_full_info()
                    held += getattr(memory, "pss", memory.rss)
        self.largest = max(self.largest, held)
