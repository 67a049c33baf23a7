"""The aggregate functions that Flink's Python workers run for drift: merge partial counts, follow a model's windows.

Both are general aggregate functions with explicit state. `merging_function` is for a group window, keyed by slice and
group of features. `following_function` is for a GROUP BY without a window, keyed by the model alone: its result after
each bundle of rows has what is new since the bundle before. So of its changelog, only the rows INSERT and UPDATE_AFTER
are to be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyflink.common import Row
from pyflink.table.udf import AggregateFunction, udaf

from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift import state as drift_state
from udfs.drift.compare import from_json, to_json
from udfs.drift.follow_windows import WindowCounts, add_late_rows, add_window, count_dropped_rows
from udfs.drift.record_values import ALERT_FIELDS, RESULT_FIELDS, alert_values, result_values
from udfs.flink.speedups import has_speedups

if TYPE_CHECKING:
    from pyflink.table.udf import FunctionContext, UserDefinedAggregateFunctionWrapper

    from udfs.drift.follow_windows import NewResults
    from udfs.drift.monitor import LoadedMonitor, Monitor
    from udfs.drift.state import DriftState

__all__ = ["MERGED", "following_function", "merging_function"]

MERGED = "ROW<comparisons STRING, counts BYTES>"
"""The SQL type of a merge's result."""

_RESULTS = f"ARRAY<ROW<{', '.join(f'`{name}` {kind}' for name, kind in RESULT_FIELDS.items())}>>"
_ALERTS = f"ARRAY<ROW<{', '.join(f'`{name}` {kind}' for name, kind in ALERT_FIELDS.items())}>>"


def merging_function(monitor: Monitor) -> UserDefinedAggregateFunctionWrapper:
    """Return merge(slice, feature_group, window_start, partial), with `window_start` in seconds."""
    return udaf(_Merge(monitor), name=f"merge_{monitor.model}")


def following_function(monitor: Monitor) -> UserDefinedAggregateFunctionWrapper:
    """Return follow(window_start, arrival, merged).

    `window_start` is in seconds since 1970. `merged` is an array of ROW(slice, feature_group, comparisons, counts). For
    rows in time, `arrival` is 'in time', and `merged` has the whole window. For 'late' rows and rows that are too late,
    `merged` has one element with their counts, without comparisons.
    """
    return udaf(_Follow(monitor), name=f"follow_{monitor.model}")


class _OfMonitor(AggregateFunction):  # type: ignore[misc]  # pyflink ships no types
    """A function that reads the monitor's profile when its worker opens it."""

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self._loaded: LoadedMonitor | None = None

    def open(self, function_context: FunctionContext) -> None:
        if has_speedups(function_context):
            from udfs.flink.without_sampling import skip_sampling

            skip_sampling()
        self._loaded = self.monitor.load()

    @property
    def loaded(self) -> LoadedMonitor:
        assert self._loaded is not None, "Flink calls open() first"  # noqa: S101
        return self._loaded


class _Merge(_OfMonitor):
    def create_accumulator(self) -> list[Any]:
        return ["", 0, 0, b""]  # slice, group, start, counts

    def accumulate(self, accumulator: list[Any], label: str, group: int, start: int, partial: bytes) -> None:
        features = self.loaded.groups[group]
        added = from_bytes(partial, features)
        counts = from_bytes(accumulator[3], features) + added if accumulator[3] else added
        accumulator[:] = [label, group, start, to_bytes(counts)]

    def get_value(self, accumulator: list[Any]) -> Row | None:
        label, group, start, counts = accumulator
        if not counts:
            return None  # Flink also asks for the value of no rows
        compared = self.loaded.compare_window(group, label, start, from_bytes(counts, self.loaded.groups[group]))
        return Row(to_json(compared), counts)

    def get_accumulator_type(self) -> str:
        return "ROW<label STRING, feature_group INT, window_start BIGINT, counts BYTES>"

    def get_result_type(self) -> str:
        return MERGED


class _Follow(_OfMonitor):
    def create_accumulator(self) -> list[Any]:
        return [b"", [], [], False, 0]  # state, results and alerts, whether they were output, a number

    def accumulate(self, accumulator: list[Any], start: int, arrival: str, merged: list[Row]) -> None:
        before, results, alerts, output, number = accumulator
        state = drift_state.from_bytes(before)
        new = self._new_results(state, start, arrival, merged)
        if output:
            results, alerts = [], []
        accumulator[:] = [
            drift_state.to_bytes(state),
            [*results, *(Row(*result_values(result)) for result in new.results)],
            [*alerts, *(Row(*alert_values(change, self.monitor)) for change in new.changes)],
            False,
            number + 1,  # Flink does not output a result that equals the one before
        ]

    def _new_results(self, state: DriftState, start: int, arrival: str, merged: list[Row]) -> NewResults:
        if arrival == "in time":
            slices = {(m[0], m[1]): WindowCounts(m[3], from_json(m[2])) for m in merged}
            return add_window(self.loaded, state, start, slices)
        [(label, group, _, counts)] = merged
        if arrival == "late":
            return add_late_rows(self.loaded, state, start, (label, group), counts)
        return count_dropped_rows(self.loaded, start, (label, group), counts)

    def get_value(self, accumulator: list[Any]) -> Row:
        # Flink asks once before a bundle of rows and once after it, and outputs what it gets: the next row starts over.
        accumulator[3] = True
        return Row(accumulator[1], accumulator[2], accumulator[4])

    def get_accumulator_type(self) -> str:
        return f"ROW<`state` BYTES, `results` {_RESULTS}, `alerts` {_ALERTS}, `output` BOOLEAN, `number` BIGINT>"

    def get_result_type(self) -> str:
        return f"ROW<results {_RESULTS}, alerts {_ALERTS}, number BIGINT>"
