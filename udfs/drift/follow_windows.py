"""Follow a model from window to window: verdicts on windows and on sums of them, alarms, corrections by late rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift.alarm_levels import earlier, take
from udfs.drift.compare import Comparison
from udfs.drift.judge import Judgement, judge
from udfs.drift.reference import LEVELS
from udfs.drift.state import Memory, Open
from udfs.drift.window_sums import Key, add, compare_sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udfs.drift.counting import LoadedMonitor

__all__ = ["LATE", "Change", "NewResults", "Result", "WindowCounts", "late", "lost", "window"]

LATE = "(late)"
"""The feature of a result that tells of rows too late for their window; its n is how many."""


@dataclass(frozen=True)
class WindowCounts:
    """What the merge of one slice and group of features gave for a window."""

    counts: bytes
    comparisons: list[Comparison]


@dataclass(frozen=True)
class Result:
    """A judgement of a window, or of a sum of windows, from `start` to `end` in seconds; `late` rows came after it."""

    start: int
    end: int
    judgement: Judgement
    late: int = 0


@dataclass(frozen=True)
class Change:
    """An alarm that opened or closed with a result; `since` is when its drift began, in seconds."""

    result: Result
    opens: bool
    since: int


@dataclass
class NewResults:
    """What is to be told of one arrival."""

    results: list[Result] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def window(loaded: LoadedMonitor, memory: Memory, start: int, slices: Mapping[Key, WindowCounts]) -> NewResults:
    """Take the next window, with all its slices and groups of features; changes `memory`, and says what is new."""
    new = NewResults()
    size = loaded.monitor.window
    memory.latest = start
    # Late rows that have overtaken the result of their window.
    early = memory.opened.pop(start, Open())
    slices = dict(sorted({**slices, **_with_late(loaded, start, slices, early)}.items()))
    counts = {key: monitored.counts for key, monitored in slices.items()}
    comparisons = {key: monitored.comparisons for key, monitored in slices.items()}
    _follow(loaded, memory, new, 0, (start, start + size), comparisons, early.late)
    for level in range(1, LEVELS):
        for block, total in add(loaded, memory, level, start, counts):
            span = (block << level) * size, (block + 1 << level) * size
            _follow(loaded, memory, new, level, span, compare_sum(loaded, total), {})
    if loaded.monitor.allowed_lateness:
        memory.opened[start] = Open(counts, comparisons, early.late)
        # One window longer than need be: what is late in time may be on its way for a while.
        for old in [o for o in memory.opened if o + size + loaded.monitor.allowed_lateness <= start]:
            del memory.opened[old]
    return new


def late(loaded: LoadedMonitor, memory: Memory, start: int, key: Key, data: bytes) -> NewResults:
    """Add the counts of rows that came late, but within the allowed lateness, to the results of their window.

    Alarms and sums stay as they are.
    """
    label, group = key
    if start not in memory.opened and start <= memory.latest:
        return lost(loaded, start, key, data)
    opened = memory.opened.setdefault(start, Open())
    before = {key: WindowCounts(opened.counts[key], [])} if key in opened.counts else {}
    added = _with_late(loaded, start, before, Open({key: data}))[key]
    opened.counts[key], opened.comparisons[key] = added.counts, added.comparisons
    rows = from_bytes(data, loaded.groups[group]).rows
    opened.late[label] = opened.late.get(label, 0) + (0 if group else rows)  # each group of features has the same rows
    names = loaded.groups[group].names
    return NewResults(
        [
            Result(start, start + loaded.monitor.window, judgement, max(opened.late[label], rows))
            for judgement in _judge(loaded, memory, 0, opened.comparisons)
            if judgement.label == label and judgement.comparison.feature in names
        ]
    )


def lost(loaded: LoadedMonitor, start: int, key: Key, data: bytes) -> NewResults:
    """Say how many rows came too late for their window."""
    label, group = key
    if group:
        return NewResults()  # each group of features has the same rows
    rows = from_bytes(data, loaded.groups[group]).rows
    judgement = Judgement(label, Comparison(LATE, rows, 0, 0, 0), "late", None, None, None)
    return NewResults([Result(start, start + loaded.monitor.window, judgement, rows)])


def _with_late(
    loaded: LoadedMonitor, start: int, slices: Mapping[Key, WindowCounts], late: Open
) -> dict[Key, WindowCounts]:
    """Return what late rows are part of, added and compared anew."""
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
    memory: Memory,
    new: NewResults,
    level: int,
    span: tuple[int, int],
    comparisons: Mapping[Key, list[Comparison]],
    late: Mapping[str, int],
) -> None:
    """Judge what was compared, and follow the alarm of each feature in each slice."""
    for judged in _judge(loaded, memory, level, comparisons):
        judgement, opens, since = take(loaded.profile, memory, level, span, judged)
        result = Result(*span, judgement, late.get(judgement.label, 0))
        new.results.append(result)
        if opens is not None:
            new.changes.append(Change(result, opens, since))


def _judge(
    loaded: LoadedMonitor, memory: Memory, level: int, comparisons: Mapping[Key, list[Comparison]]
) -> list[Judgement]:
    listed = [(label, c) for (label, _), cs in sorted(comparisons.items()) for c in cs]
    d_min = dict(zip(loaded.monitor.features, loaded.monitor.d_min, strict=True))
    past = {(label, c.feature): earlier(loaded.profile, memory, level, label, c.feature) for label, c in listed}
    return judge(listed, d_min, past)
