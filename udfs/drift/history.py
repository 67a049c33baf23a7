"""What is remembered goes back one to two blocks of windows: so it can be found again from what these were compared to.

Windows are numbered from 1970, and BLOCK of them are a block. The state after a window is that of a job which began at
the start of the block before the window's own. An alert is a change from the state after one window to that after the
next. So both depend on at most three blocks of windows, however long a job runs and however often it is restarted.

>>> first_window(5 * BLOCK * 3600 + 7, window=3600) == 4 * BLOCK * 3600
True
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from udfs.drift.compared import Compared, from_object
from udfs.drift.follow_windows import AlarmChange, NewResults, Result, add_late_rows, add_window, count_lost_rows
from udfs.drift.state import DriftState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udfs.drift.judge import Judgement
    from udfs.drift.monitor import LoadedMonitor

__all__ = ["BLOCK", "Arrival", "Memory", "first_window", "judge_next"]

BLOCK = 1024
"""Windows: six weeks of hours, almost three years of days."""


@dataclass(frozen=True)
class Arrival:
    """What comes of the window that starts at `start`, in seconds since 1970: a whole window, or what changes it.

    `kind` is "in time" for a window with its sums, "late" for a correction, "lost" for rows that came too late.
    """

    start: int
    kind: str
    compared: tuple[Compared, ...]

    @classmethod
    def unpacked(cls, data: bytes) -> Arrival:
        """Return what WindowHistory.java keeps of one."""
        start, kind, compared = json.loads(zlib.decompress(data))
        return cls(start, kind, tuple(from_object(one) for one in compared))


@dataclass
class Memory:
    """The state of a model after some arrivals; `start` is the last window's, None before the first."""

    state: DriftState
    start: int | None = None

    @classmethod
    def of(cls, loaded: LoadedMonitor, arrivals: Sequence[Arrival], begin: int | None = None) -> Memory:
        """Return the state after arrivals: whole windows in order, then what came late for these.

        Windows before `begin` are left out; by default, those before the memory of the last window begins.
        """
        memory = cls(DriftState())
        if begin is None:
            last = max((one.start for one in arrivals if one.kind == "in time"), default=0)
            begin = first_window(last, loaded.monitor.window)
        for one in arrivals:
            if one.start >= begin:
                memory.judge(loaded, one)
        return memory

    def judge(self, loaded: LoadedMonitor, arrival: Arrival) -> NewResults:
        """Judge the next arrival; changes the state, unless rows are lost."""
        if arrival.kind == "lost":
            return count_lost_rows(loaded, arrival.compared[0])
        if arrival.kind == "late":
            return add_late_rows(loaded, self.state, arrival.compared[0])
        self.start = arrival.start
        return add_window(loaded, self.state, arrival.compared)


def first_window(start: int, window: int) -> int:
    """Return where the memory of the window at `start` begins; all in seconds."""
    return (start // window // BLOCK - 1) * BLOCK * window


def judge_next(
    loaded: LoadedMonitor, memory: Memory, arrival: Arrival, history: Sequence[Arrival]
) -> tuple[Memory, NewResults]:
    """Judge an arrival, with the memory of what came before it; return the memory that has it too.

    `history` is what came before it, from the start of the block before the last window's own: it is read only at the
    first window of a block.
    """
    size = loaded.monitor.window
    begin = first_window(arrival.start, size)
    if arrival.kind != "in time" or memory.start is None or first_window(memory.start, size) == begin:
        return memory, memory.judge(loaded, arrival)
    before = memory.state.open_alarms
    memory = Memory.of(loaded, history, begin)
    new = memory.judge(loaded, arrival)
    span = arrival.start, arrival.start + size
    return memory, replace(new, changes=_changes(before, memory.state.open_alarms, new.changes, span))


Alarms = dict[tuple[str, str], tuple["Judgement", int]]


def _changes(before: Alarms, after: Alarms, found: list[AlarmChange], span: tuple[int, int]) -> list[AlarmChange]:
    """Return which alarms are open after a window and not before it, or the other way; `found` has some of them."""
    known = {(c.result.judgement.label, c.result.judgement.comparison.feature, c.opens): c for c in found}
    changes = []
    for key in sorted(before.keys() ^ after.keys()):
        opens = key in after
        judgement, since = (after if opens else before)[key]
        changes.append(known.get((*key, opens)) or AlarmChange(Result(*span, judgement), opens, since))
    return changes
