"""A model from window to window: verdicts on windows and on sums of them, alarms, corrections by late rows.

Two windows of an hour with drift, one after the other, open an alarm. Its drift began with the first:

>>> import numpy as np
>>> from udfs.distributions import bins, count_layout, counts
>>> from udfs.drift import monitor, reference
>>> features = count_layout.Features(("delay",), (bins.Bins(np.array([0], np.float32)),))
>>> profile = reference.Profile("m", "1", features, reference.Keys(), {})
>>> hourly = monitor.LoadedMonitor(monitor.Monitor("m", "1", "", "", ("delay",), (0.1,), ("",), 3600), profile)
>>> far = Comparison("delay", n=1000, nulls=0, reference_n=10_000, reference_nulls=0, d_lo=0.4, d_hi=0.41, p=1e-12)
>>> window = {("(all)", 0): WindowCounts(to_bytes(counts.count(features, [np.zeros(1000, np.float32)])), [far])}
>>> state = DriftState()
>>> [[(c.opens, c.since) for c in add_window(hourly, state, start, window).changes] for start in (7200, 10_800)]
[[], [(True, 7200)]]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift.alarm_levels import earlier_distances, history_of, update_alarm
from udfs.drift.compare import Comparison
from udfs.drift.judge import Judgement, judge
from udfs.drift.reference import LEVELS
from udfs.drift.season import part_of
from udfs.drift.slice_rows import ROWS, judge_rows, slice_rows
from udfs.drift.state import DriftState, OpenWindow
from udfs.drift.window_sums import Key, add_to_sum, compare_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udfs.drift.monitor import LoadedMonitor

__all__ = [
    "LATE",
    "AlarmChange",
    "NewResults",
    "Result",
    "WindowCounts",
    "add_late_rows",
    "add_window",
    "count_dropped_rows",
]

LATE = "(late)"
"""The feature of a result that counts rows too late for their window; its n is their number."""


@dataclass(frozen=True)
class WindowCounts:
    """The merged partial counts of one slice and group of features in a window, and their comparisons."""

    counts: bytes
    comparisons: list[Comparison]


@dataclass(frozen=True)
class Result:
    """A judgement of a window, or of a sum of windows, from `start` to `end` in seconds since 1970.

    `late` is how many of the window's rows came after its first result.
    """

    start: int
    end: int
    judgement: Judgement
    late: int = 0


@dataclass(frozen=True)
class AlarmChange:
    """An alarm that opens (or closes) with a result; `since` is when its drift began, in seconds since 1970."""

    result: Result
    opens: bool
    since: int


@dataclass
class NewResults:
    """The results and changes of alarms that one arrival of counts leads to."""

    results: list[Result] = field(default_factory=list)
    changes: list[AlarmChange] = field(default_factory=list)


def add_window(loaded: LoadedMonitor, state: DriftState, start: int, slices: Mapping[Key, WindowCounts]) -> NewResults:
    """Judge the next window, which starts at `start` in seconds, in all its slices and groups of features.

    Changes `state`. Raises PartialError for counts that are not of the monitor's features.
    """
    new = NewResults()
    size = loaded.monitor.window
    state.latest = start
    # Late rows whose counts came before those of the window itself.
    early = state.open_windows.pop(start, OpenWindow())
    slices = dict(sorted({**slices, **_with_late(loaded, start, slices, early)}.items()))
    counts = {key: monitored.counts for key, monitored in slices.items()}
    comparisons = {key: monitored.comparisons for key, monitored in slices.items()}
    _follow(loaded, state, new, 0, (start, start + size), comparisons, early.late)
    _follow_rows(loaded, state, new, 0, (start, start + size), _rows(loaded, start, comparisons))
    for level in range(1, LEVELS):
        for block, total in add_to_sum(loaded, state, level, start, counts):
            span = (block << level) * size, (block + 1 << level) * size
            _follow(loaded, state, new, level, span, compare_sum(loaded, total), {})
            _follow_rows(loaded, state, new, level, span, {key[0]: parts for key, parts in total.rows.items()})
    if loaded.monitor.allowed_lateness:
        state.open_windows[start] = OpenWindow(counts, comparisons, early.late)
        # One window longer than the allowed lateness: late rows may still be between two operators.
        for old in [o for o in state.open_windows if o + size + loaded.monitor.allowed_lateness <= start]:
            del state.open_windows[old]
    return new


def add_late_rows(loaded: LoadedMonitor, state: DriftState, start: int, key: Key, data: bytes) -> NewResults:
    """Add the counts of rows that came late, but within the allowed lateness, to the results of their window.

    Changes `state`; alarms and sums stay as they are. Rows of a window that is no longer open are only counted.
    Raises PartialError for counts that are not of the monitor's features.
    """
    label, group = key
    if start not in state.open_windows and start <= state.latest:
        return count_dropped_rows(loaded, start, key, data)
    opened = state.open_windows.setdefault(start, OpenWindow())
    before = {key: WindowCounts(opened.counts[key], [])} if key in opened.counts else {}
    added = _with_late(loaded, start, before, OpenWindow({key: data}))[key]
    opened.counts[key], opened.comparisons[key] = added.counts, added.comparisons
    rows = from_bytes(data, loaded.groups[group]).rows
    opened.late[label] = opened.late.get(label, 0) + (0 if group else rows)  # each group of features has the same rows
    names = loaded.groups[group].names
    again = [] if before or group else _judge_rows(loaded, state, 0, _rows(loaded, start, opened.comparisons))
    return NewResults(
        [
            *(
                Result(start, start + loaded.monitor.window, judgement, opened.late[label])
                for judgement in again
                if judgement.label == label
            ),
            *(
                Result(start, start + loaded.monitor.window, judgement, max(opened.late[label], rows))
                for judgement in _judge(loaded, state, 0, opened.comparisons)
                if judgement.label == label and judgement.comparison.feature in names
            ),
        ]
    )


def count_dropped_rows(loaded: LoadedMonitor, start: int, key: Key, data: bytes) -> NewResults:
    """Return a result that has the number of rows that came too late for their window."""
    label, group = key
    if group:
        return NewResults()  # each group of features has the same rows
    rows = from_bytes(data, loaded.groups[group]).rows
    judgement = Judgement(label, Comparison(LATE, rows, 0, 0, 0), "late", None, None, None)
    return NewResults([Result(start, start + loaded.monitor.window, judgement, rows)])


def _with_late(
    loaded: LoadedMonitor, start: int, slices: Mapping[Key, WindowCounts], late: OpenWindow
) -> dict[Key, WindowCounts]:
    """Return the counts that late rows belong to, with the late rows added, and compared again."""
    found = {}
    for (label, group), data in late.counts.items():
        features = loaded.groups[group]
        counts = from_bytes(data, features)
        if (label, group) in slices:
            counts += from_bytes(slices[label, group].counts, features)
        found[label, group] = WindowCounts(to_bytes(counts), loaded.compare_window(group, label, start, counts))
    return found


def _follow(
    loaded: LoadedMonitor,
    state: DriftState,
    new: NewResults,
    level: int,
    span: tuple[int, int],
    comparisons: Mapping[Key, list[Comparison]],
    late: Mapping[str, int],
) -> None:
    """Judge comparisons, and update the alarm of each feature in each slice."""
    for judged in _judge(loaded, state, level, comparisons):
        judgement, opens, since = update_alarm(loaded.profile, state, level, span, judged)
        result = Result(*span, judgement, late.get(judgement.label, 0))
        new.results.append(result)
        if opens is not None:
            new.changes.append(AlarmChange(result, opens, since))


def _follow_rows(
    loaded: LoadedMonitor,
    state: DriftState,
    new: NewResults,
    level: int,
    span: tuple[int, int],
    rows: Mapping[str, Mapping[int, int]],
) -> None:
    """Judge which slices have no rows, and update their alarms; those with rows have a result only in an alarm."""
    for judged in _judge_rows(loaded, state, level, rows):
        judgement, opens, since = update_alarm(loaded.profile, state, level, span, judged)
        result = Result(*span, judgement)
        if judgement.verdict == "drift" or not judgement.comparison.n or opens is not None:
            new.results.append(result)
        if opens is not None:
            new.changes.append(AlarmChange(result, opens, since))


def _judge_rows(
    loaded: LoadedMonitor, state: DriftState, level: int, rows: Mapping[str, Mapping[int, int]]
) -> list[Judgement]:
    profile = loaded.profile
    if profile.absent is None:
        return []
    slices = slice_rows(profile.counts, profile.keys.labels, rows)
    return judge_rows(slices, lambda label: history_of(profile, state, level, label, ROWS).distances)


def _rows(loaded: LoadedMonitor, start: int, comparisons: Mapping[Key, list[Comparison]]) -> dict[str, dict[int, int]]:
    """Return the rows of each slice in a window, by its part of the season."""
    part = part_of(loaded.profile.keys.season, start)
    return {label: {part: cs[0].n + cs[0].nulls} for (label, _), cs in comparisons.items()}


def _judge(
    loaded: LoadedMonitor, state: DriftState, level: int, comparisons: Mapping[Key, list[Comparison]]
) -> list[Judgement]:
    listed = [(label, c) for (label, _), cs in sorted(comparisons.items()) for c in cs]
    d_min = dict(zip(loaded.monitor.features, loaded.monitor.d_min, strict=True))
    past = {(label, c.feature): earlier_distances(loaded.profile, state, level, label, c) for label, c in listed}
    return judge(listed, d_min, past)
