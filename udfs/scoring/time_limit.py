"""Stop a model call that does not end: one watchdog thread of this process watches all calls.

A call that takes longer than its limit is asked to stop, which ONNX Runtime does between two operators, also in the
body of a Loop. A call that has not stopped after the same time again, at least two seconds, is in a single operator and
cannot be stopped: then this process ends, so that the job restarts instead of standing still.

>>> run_limited(lambda options: 6 * 7, limit=10, what="a model")
42
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from onnxruntime import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EXIT_CODE", "LimitedCalls", "TimeLimitError", "end_process", "run_limited"]

EXIT_CODE = 75
"""The exit code of this process when a call cannot be stopped: a temporary failure in sysexits.h."""


_LEAST_GRACE = 2.0  # seconds: on a busy machine, a call may take a while to stop
_LOGGED = 1.0  # seconds until the log message has left the process
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
        """When the watchdog must check the call."""
        return self.began + self.limit + (self.grace if self.expired else 0)

    @property
    def words(self) -> str:
        """Why the call was stopped."""
        return f"the model did not answer within {self.limit:g} s"

    @property
    def grace(self) -> float:
        """How long the call may take to stop, in seconds."""
        return max(self.limit, _LEAST_GRACE)


class _Watchdog(Thread):
    """A thread that sleeps until the first running call is due.

    It sleeps at most for the shortest limit. A call that begins meanwhile is due after that and need not wake it.
    """

    def __init__(self) -> None:
        super().__init__(name="time limit of model calls", daemon=True)
        self.running: set[_Call] = set()
        self.shortest = math.inf
        self._lock = Lock()
        self._shorter = Event()

    def expect(self, limit: float) -> None:
        """Prepare for calls with this limit, in seconds."""
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
                    _end_worker(call)
                call.expired = True
                call.options.terminate = True
            self._shorter.wait(min([now + self.shortest, *(call.due for call in calls)]) - now)


_watchdog = _Watchdog()


def run_limited(run: Callable[[Any], T], limit: float, what: str) -> T:
    """Return run(options); `options` are the RunOptions that stop the call after `limit` seconds.

    Raises TimeLimitError for a call that was stopped. `what` names the model in the log, if the process has to end.
    """
    if limit < _watchdog.shortest:
        _watchdog.expect(limit)
    call = _Call(limit, what)
    _watchdog.running.add(call)
    try:
        return run(call.options)
    except Exception as error:
        if call.expired:
            raise TimeLimitError(call.words) from error
        raise
    finally:
        _watchdog.running.discard(call)


class LimitedCalls:
    """The calls of one thread, one at a time, each with its limit: cheaper than `run_limited` for each.

    All calls have the same `options`, and the watchdog always knows the one that runs. `close` ends that.

    >>> calls = LimitedCalls(10, "a model")
    >>> calls.run(lambda options: 6 * 7)
    42
    >>> calls.close()
    """

    def __init__(self, limit: float, what: str) -> None:
        self._call = _Call(limit, what, began=math.inf)  # no call, which is never due
        _watchdog.expect(limit)
        _watchdog.running.add(self._call)

    @property
    def options(self) -> RunOptions:
        """The options of all calls, for what else they are to do."""
        return self._call.options

    def run(self, run: Callable[[Any], T]) -> T:
        """Return what `run` returns for the options. Raises TimeLimitError for a call that was stopped."""
        call = self._call
        try:
            while True:
                call.began = monotonic()
                try:
                    return run(call.options)
                except Exception as error:
                    if not call.options.terminate:
                        raise
                    late = monotonic() >= call.began + call.limit
                    call.expired = call.options.terminate = False
                    if late:
                        raise TimeLimitError(call.words) from error
                    # The call before this one ended just as the watchdog stopped it: the flag was for that.
        finally:
            call.began = math.inf

    def close(self) -> None:
        """Let the watchdog forget these calls."""
        _watchdog.running.discard(self._call)


def _end_worker(call: _Call) -> None:
    end_process(
        f"{call.what} did not answer within {call.limit:g} s, and did not stop within another {call.grace:g} s: one "
        "operator of it takes too long. This worker ends, so that the job restarts from its last checkpoint. If that "
        "repeats, raise 'time-limit' in CREATE MODEL, or keep the record from the model."
    )


def end_process(why: str) -> NoReturn:
    """Write a message, and end this process."""
    message = f"millstream: {why}\n"
    if hasattr(sys.stderr, "fileno"):
        sys.stderr.write(message)
        sys.stderr.flush()
    else:  # it belongs to a JVM, and calls Java, which only Java's threads may do
        os.write(2, message.encode())
        if folder := os.environ.get("FLINK_LOG_DIR"):
            Path(folder, "millstream-ended.log").write_text(message, encoding="utf-8")
    # A thread of Flink's worker sends it to Flink's log over a connection.
    sleep(_LOGGED)
    os._exit(EXIT_CODE)
