"""Stop a model call that does not end: one thread of this process watches over all calls.

A call that outlasts its limit is told to stop, which ONNX Runtime does between two operators, also in the body of a
Loop. One that has not stopped after the same time again, two seconds at the least, sits in a single operator, out of
reach: then this process ends, for a job that restarts is better than one that stands still.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

from onnxruntime import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXIT_CODE", "TimeLimitError", "run_limited"]

EXIT_CODE = 75
"""What this process ends with when a call cannot be stopped: sysexits.h calls it a temporary failure."""


_LEAST_GRACE = 2.0  # seconds: a busy machine must not end a process that is about to stop
_LOGGED = 1.0  # seconds until what is logged has left the process
T = TypeVar("T")


class TimeLimitError(Exception):
    """A model call that did not end in time."""


@dataclass(eq=False)
class _Call:
    limit: float
    what: str
    options: RunOptions = field(default_factory=RunOptions)
    began: float = field(default_factory=monotonic)
    expired: bool = False

    @property
    def due(self) -> float:
        """When the watch must look at it."""
        return self.began + self.limit + (self.grace if self.expired else 0)

    @property
    def grace(self) -> float:
        """How long it may take to stop, in seconds."""
        return max(self.limit, _LEAST_GRACE)


class _Watch(Thread):
    """It sleeps until the first running call is due; a call that begins meanwhile need not wake it.

    For it sleeps no longer than the shortest limit, and a new call is due after that.
    """

    def __init__(self) -> None:
        super().__init__(name="time limit of model calls", daemon=True)
        self.running: set[_Call] = set()
        self.shortest = math.inf
        self._lock = Lock()
        self._shorter = Event()

    def expect(self, limit: float) -> None:
        """Be ready for calls of this limit, in seconds."""
        with self._lock:
            if limit < self.shortest:
                self.shortest = limit
                self._shorter.set()
            if not self.is_alive():
                self.start()

    def run(self) -> None:
        while True:
            self._shorter.clear()
            now = monotonic()
            calls = [*self.running]  # one step of the interpreter, so it needs no lock
            for call in calls:
                if now < call.due:
                    continue
                if call.expired:
                    _end_process(call)
                call.expired = True
                call.options.terminate = True
            self._shorter.wait(min([now + self.shortest, *(call.due for call in calls)]) - now)


_watch = _Watch()


def run_limited(run: Callable[[Any], T], limit: float, what: str) -> T:
    """Return run(options), where `options` are the RunOptions that stop it when `limit` seconds are over.

    Raises TimeLimitError where they are; `what` is the model in words, should the process have to end.
    """
    if limit < _watch.shortest:
        _watch.expect(limit)
    call = _Call(limit, what)
    _watch.running.add(call)
    try:
        return run(call.options)
    except Exception as error:
        if call.expired:
            raise TimeLimitError(f"the model did not answer within {limit:g} s") from error
        raise
    finally:
        _watch.running.discard(call)


def _end_process(call: _Call) -> None:
    sys.stderr.write(
        f"millstream: {call.what} did not answer within {call.limit:g} s, and did not stop within another "
        f"{call.grace:g} s: one operator of it takes too long. This worker ends, so that the job restarts from its "
        "last checkpoint. If that repeats, raise 'time-limit' in CREATE MODEL, or keep the record from the model.\n"
    )
    sys.stderr.flush()
    # Flink's worker sends what is written there to Flink's log, over a connection and from a thread of its own.
    sleep(_LOGGED)
    os._exit(EXIT_CODE)
