"""Keep a worker process within its memory limit: refuse an allocation that is too large, detect slow growth.

ONNX Runtime allocates the memory of all calls in a process from one arena, which may use half of the limit. An
allocation beyond that fails inside the call, like any other reason to refuse a row. A limit of the operating system
(RLIMIT_DATA, RLIMIT_AS) would also apply to other allocations of the process: Arrow and gRPC end the process where
memory is refused, and thread stacks count even where they are not used.

All other memory is checked by the resident size of the process: before each batch, or every second where rows are
scored one by one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from threading import Lock, Thread
from time import sleep

import onnxruntime

from udfs.scoring.time_limit import end_process

__all__ = [
    "WorkerMemoryError",
    "bounded_options",
    "check_memory",
    "failure_text",
    "release_after",
    "resident_bytes",
    "watch_memory",
]

_STATM = Path("/proc/self/statm")  # Linux; on other systems slow growth is not detected
_SHARE = 2  # the arena may use one half of the limit
_arena: list[int] = []
_watching: list[Thread] = []
_lock = Lock()
_REFUSED = re.compile(r"smaller than requested bytes of (\d+)")


class WorkerMemoryError(RuntimeError):
    """A worker process that has grown beyond its memory limit."""


def bounded_options(bound: int) -> onnxruntime.SessionOptions:
    """Return options for a session whose calls share half of `bound` bytes with all other sessions of this process.

    The first bound in a process is the one that counts: all models of a job have the same.
    """
    if not _arena:
        onnxruntime.create_and_register_allocator(
            onnxruntime.OrtMemoryInfo(
                "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
            ),
            # Grow by the requested size, not by powers of two: else the limit would be reached at half of it.
            onnxruntime.OrtArenaCfg({"max_mem": bound // _SHARE, "arena_extend_strategy": 1}),
        )
        _arena.append(bound)
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A model's weights stay: they count for the whole process, not for its calls.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return options


def release_after(options: onnxruntime.RunOptions) -> None:
    """Let a call release its memory when it ends, so that the next call may use the same amount."""
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")


def failure_text(error: Exception) -> str:
    """Return why a call failed. Where the arena refused memory, without how much was free: that differs."""
    text = " ".join(str(error).split())
    if refused := _REFUSED.search(text):
        return (
            f"the model asked for {int(refused[1]):,} bytes at once, and all its calls together may hold "
            f"{_arena[0] // _SHARE:,}: half of worker_memory"
        )
    return text


def check_memory(bound: int) -> None:
    """Raise WorkerMemoryError where this process holds more than `bound` bytes; without /proc, do nothing."""
    if (held := resident_bytes()) > bound:
        raise WorkerMemoryError(
            f"this Python worker holds {held / 2**20:,.0f} MiB, more than the {bound / 2**20:,.0f} MiB it may: the job "
            "restarts from its last checkpoint, with a new worker, if its restart strategy allows; if that repeats, "
            "raise worker_memory in [tool.millstream], or look for what grows"
        )


def resident_bytes() -> int:
    """Return how much memory this process holds; 0 without /proc."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def watch_memory(bound: int, every: float = 1.0) -> None:
    """End this process when it holds more than `bound` bytes; a thread of its own looks `every` so many seconds.

    For a process whose memory a new worker would not give back. The first bound in a process is the one that counts.
    """
    with _lock:
        if _watching:
            return
        _watching.append(Thread(target=_watch, args=(bound, every), name="memory limit", daemon=True))
        _watching[0].start()


def _watch(bound: int, every: float) -> None:
    while True:
        sleep(every)
        if (held := resident_bytes()) > bound:
            end_process(
                f"this process holds {held / 2**20:,.0f} MiB, more than the {bound / 2**20:,.0f} MiB that Java and "
                "worker_memory allow. It ends, so that the job restarts from its last checkpoint. If that repeats, "
                "raise worker_memory in [tool.millstream], or look for what grows."
            )
