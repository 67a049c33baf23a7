"""What Flink's Python workers hold, which Flink itself does not know."""

from __future__ import annotations

import contextlib

import psutil

__all__ = ["WorkerMemory"]


class WorkerMemory:
    """Looks, when told, at the Python processes that this one has started; `largest` is the most they held, in bytes.

    Pages that processes share count in parts (PSS, on Linux): that is what a container's limit counts.
    """

    def __init__(self) -> None:
        self.largest = 0

    def look(self) -> None:
        """Look once."""
        held = 0
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.name() != "java":
                    memory = process.memory_full_info()
                    held += getattr(memory, "pss", memory.rss)
        self.largest = max(self.largest, held)
