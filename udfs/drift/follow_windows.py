"""A model from window to window: verdicts on windows and on sums of them, alarms, corrections by late rows.

Two windows of an hour with drift, one after the other, open an alarm. Its drift began with the first:

>>> from udfs.distributions import count_layout
>>> from udfs.drift import monitor, reference
>>> from udfs.drift.compared import Compared
>>> from udfs.drift.state import DriftState
>>> profile = reference.Profile("m", "1", count_layout.Features((), ()), reference.Keys(), {})
>>> hourly = monitor.LoadedMonitor(monitor.Monitor("m", "1", "", "", ("delay",), (0.1,), ("",), 3600), profile)
>>> far = Comparison("delay", n=1000, nulls=0, reference_n=10_000, reference_nulls=0, d_lo=0.4, d_hi=0.41, p=1e-12)
>>> state = DriftState()
>>> windows = (Compared(0, start, "(all)", 0, {0: 1000}, (far,)) for start in (7200, 10_800))
>>> [[(c.opens, c.since) for c in add_window(hourly, state, [window]).changes] for window in windows]
[[], [(True, 7200)]]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from udfs.drift.alarm_levels import earlier_distances, history_of, update_alarm
from udfs.drift.compare import Comparison
from udfs.drift.judge import Judgement, judge
from udfs.drift.slice_rows import ROWS, judge_rows, slice_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from udfs.drift.compared import Compared
    from udfs.drift.monitor import LoadedMonitor
    from udfs.drift.state import DriftState

__all__ = ["LATE", "AlarmChange", "NewResults", "Result", "add_late_rows", "add_window", "count_lost_rows"]

LATE = "(late)"
"""The feature of a result that counts rows too late for their window; its n is their number."""


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


def add_window(loaded: LoadedMonitor, state: DriftState, compared: Iterable[Compared]) -> NewResults:
    """Judge the next window in all its slices and groups of features, then the sums that end with it; changes `state`.

    A sum whose last windows have no row comes with the next window.
    """
    new = NewResults()
    size = loaded.monitor.window
    start = 0
    ordered = sorted(compared, key=lambda c: (c.level, c.start, c.label, c.group))
    for (level, begin), several in groupby(ordered, key=lambda c: (c.level, c.start)):
        found = {(c.label, c.group): c for c in several}
        span = begin, begin + (size << level)
        _follow(loaded, state, new, level, span, found)
        _follow_rows(loaded, state, new, level, span, found)
        if level == 0:
            start = begin
            if loaded.monitor.allowed_lateness:
                state.open_windows[begin] = found
    # One window longer than the allowed lateness: late rows may still be between two operators.
    for old in [o for o in state.open_windows if o + size + loaded.monitor.allowed_lateness <= start]:
        del state.open_windows[old]
    return new


def add_late_rows(loaded: LoadedMonitor, state: DriftState, corrected: Compared) -> NewResults:
    """Correct a window by what is compared of one slice and group of features with the rows that came late.

    Changes `state`; alarms and distances stay as they are.
    """
    label, group = corrected.label, corrected.group
    window = state.open_windows.setdefault(corrected.start, {})
    first = (label, group) not in window
    window[label, group] = corrected
    names = [c.feature for c in corrected.comparisons]
    rows = _judge_rows(loaded, state, 0, window) if first and not group else []
    judged = [j for j in _judge(loaded, state, 0, window) if j.comparison.feature in names]
    span = corrected.start, corrected.start + loaded.monitor.window
    return NewResults([Result(*span, j, corrected.late) for j in (*rows, *judged) if j.label == label])


def count_lost_rows(loaded: LoadedMonitor, lost: Compared) -> NewResults:
    """Return a result that has the number of rows that came too late for their window."""
    if lost.group:
        return NewResults()  # each group of features has the same rows
    judgement = Judgement(lost.label, Comparison(LATE, lost.late, 0, 0, 0), "late", None, None, None)
    return NewResults([Result(lost.start, lost.start + loaded.monitor.window, judgement, lost.late)])


def _follow(
    loaded: LoadedMonitor,
    state: DriftState,
    new: NewResults,
    level: int,
    span: tuple[int, int],
    window: Mapping[tuple[str, int], Compared],
) -> None:
    """Judge comparisons, and update the alarm of each feature in each slice."""
    late = {label: compared.late for (label, _), compared in window.items()}
    for judged in _judge(loaded, state, level, window):
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
    window: Mapping[tuple[str, int], Compared],
) -> None:
    """Judge which slices have no rows, and update their alarms; those with rows have a result only in an alarm."""
    for judged in _judge_rows(loaded, state, level, window):
        judgement, opens, since = update_alarm(loaded.profile, state, level, span, judged)
        result = Result(*span, judgement)
        if judgement.verdict == "drift" or not judgement.comparison.n or opens is not None:
            new.results.append(result)
        if opens is not None:
            new.changes.append(AlarmChange(result, opens, since))


def _judge_rows(
    loaded: LoadedMonitor, state: DriftState, level: int, window: Mapping[tuple[str, int], Compared]
) -> list[Judgement]:
    profile = loaded.profile
    if profile.absent is None:
        return []
    rows = {label: compared.rows for (label, _), compared in window.items()}
    slices = slice_rows(profile.counts, profile.keys.labels, rows)
    return judge_rows(slices, lambda label: history_of(profile, state, level, label, ROWS).distances)


def _judge(
    loaded: LoadedMonitor, state: DriftState, level: int, window: Mapping[tuple[str, int], Compared]
) -> list[Judgement]:
    listed = [(label, c) for (label, _), compared in sorted(window.items()) for c in compared.comparisons]
    d_min = dict(zip(loaded.monitor.features, loaded.monitor.d_min, strict=True))
    past = {(label, c.feature): earlier_distances(loaded.profile, state, level, label, c) for label, c in listed}
    return judge(listed, d_min, past)
