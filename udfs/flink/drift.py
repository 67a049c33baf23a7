"""The functions that Flink's Python workers run for drift: compare counts with the reference, judge windows.

Neither keeps state: what `judge` remembers between two calls, it can be given again. Both are row functions: they run
for each window, not for each record.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pyflink.common import Row
from pyflink.table.udf import ScalarFunction, udf

from udfs.drift.compared import from_json, to_json
from udfs.drift.history import Arrival, Memory, judge_next
from udfs.drift.record_values import ALERT_FIELDS, RESULT_FIELDS, alert_values, result_values
from udfs.flink.speedups import has_speedups

if TYPE_CHECKING:
    from pyflink.table.udf import FunctionContext, UserDefinedScalarFunctionWrapper

    from udfs.drift.follow_windows import NewResults
    from udfs.drift.monitor import LoadedMonitor, Monitor

__all__ = ["comparing_function", "judging_function"]

_RESULTS = f"ARRAY<ROW<{', '.join(f'`{name}` {kind}' for name, kind in RESULT_FIELDS.items())}>>"
_ALERTS = f"ARRAY<ROW<{', '.join(f'`{name}` {kind}' for name, kind in ALERT_FIELDS.items())}>>"

_memories: dict[str, tuple[str, Memory]] = {}
"""By function: what it remembers, and the name of that. Not in the function itself, which Beam may drop when idle."""


def comparing_function(monitor: Monitor) -> UserDefinedScalarFunctionWrapper:
    """Return compare(level, window_start, slice, feature_group, counts, late), with `window_start` in seconds.

    Its result is ROW(full, brief): `udfs.drift.compared.Compared` as JSON, for a result and for the windows after it.
    """
    result = "ROW<`full` STRING, `brief` STRING>"
    return udf(_Compare(monitor), result_type=result, name=f"compare_{monitor.model}")


def judging_function(monitor: Monitor, name: str) -> UserDefinedScalarFunctionWrapper:
    """Return judge(follows, memory, history, window_start, arrival, compared), of a row of WindowHistory.java.

    `name` is the function's, one for each call of a model. Its result is ROW(results, alerts).
    """
    result = f"ROW<`results` {_RESULTS}, `alerts` {_ALERTS}>"
    return udf(_Judge(monitor, name), result_type=result, name=name)


@lru_cache(maxsize=8)
def _load(monitor: Monitor) -> LoadedMonitor:
    return monitor.load()


class _OfMonitor(ScalarFunction):  # type: ignore[misc]  # pyflink ships no types
    """A function that reads the monitor's profile when its worker opens it."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor

    def open(self, function_context: FunctionContext) -> None:
        if has_speedups(function_context):
            from udfs.flink.without_sampling import skip_sampling

            skip_sampling()
        _load(self.monitor)


class _Compare(_OfMonitor):
    def eval(self, level: int, start: int, label: str, group: int, counts: bytes, late: int) -> Row:
        compared = _load(self.monitor).compare(level, start, label, group, counts, late)
        return Row(to_json(compared), to_json(compared.brief))


class _Judge(_OfMonitor):
    def __init__(self, monitor: Monitor, name: str) -> None:
        super().__init__(monitor)
        self.name = name

    def eval(
        self,
        follows: str,
        memory: str,
        history: list[bytes],
        start: int,
        kind: str,
        compared: list[str],
    ) -> Row:
        loaded = _load(self.monitor)
        arrival = Arrival(start, kind, tuple(map(from_json, compared)))
        if not follows:  # lost rows, which change nothing
            return self._row(Memory.of(loaded, ()).judge(loaded, arrival))
        known = [Arrival.unpacked(data) for data in history[1:]]  # the first element says that it is there
        before = Memory.of(loaded, known) if history else self._remembered(follows)
        after, found = judge_next(loaded, before, arrival, known)
        _memories[self.name] = memory, after
        return self._row(found)

    def _remembered(self, follows: str) -> Memory:
        name, memory = _memories.pop(self.name, ("", None))
        if memory is None or name != follows:
            # Flink starts the whole job again when a worker ends, and a history comes first.
            raise RuntimeError(f"{self.name}: this worker does not remember the windows before this one")
        return memory

    def _row(self, new: NewResults) -> Row:
        results = [Row(*result_values(result)) for result in new.results]
        return Row(results, [Row(*alert_values(change, self.monitor)) for change in new.changes])
