"""Windows judged one after the other, as in a job: what the Java functions between the Python ones do is done here."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift.compared import from_json, to_json
from udfs.drift.history import Arrival, Memory, first_window, judge_next
from udfs.drift.reference import LEVELS
from udfs.drift.season import part_of
from udfs.drift.state import DriftState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udfs.distributions.counts import Counts
    from udfs.drift.compared import Compared
    from udfs.drift.follow_windows import NewResults
    from udfs.drift.monitor import LoadedMonitor

__all__ = ["JudgedWindows"]

Key = tuple[str, int]
"""A slice and a group of features."""


@dataclass
class JudgedWindows:
    """A monitor with what it remembers. All that is remembered goes through bytes, as in Flink."""

    loaded: LoadedMonitor
    memory: Memory = field(default_factory=lambda: Memory(DriftState()))
    history: list[Arrival] = field(default_factory=list)
    windows: dict[int, dict[Key, bytes]] = field(default_factory=dict)
    sums: dict[tuple[int, int], dict[Key, bytes]] = field(default_factory=dict)
    late_rows: dict[tuple[int, Key], int] = field(default_factory=dict)

    def window(self, start: int, counts: Mapping[Key, Counts]) -> NewResults:
        """Judge the next window, from its counts by slice and group of features, and the sums that are complete."""
        window = {key: self._bytes(start, c) for key, c in counts.items()}
        self.windows[start] = window
        size = self.loaded.monitor.window
        complete = [at for at in self.sums if at[1] + (size << at[0]) <= start]
        for level in range(1, LEVELS):
            begin = start // (size << level) * (size << level)
            own = self.sums.setdefault((level, begin), {})
            for key, data in window.items():
                own[key] = self._add(key, own.get(key), data)
            complete += [(level, begin)] if begin + (size << level) == start + size else []
        compared = [self._compared(0, start, key, data) for key, data in window.items()]
        for at in complete:
            compared += [self._compared(*at, key, data) for key, data in self.sums.pop(at).items()]
        return self._judge(Arrival(start, "in time", tuple(compared)))

    def late(self, start: int, key: Key, counts: Counts) -> NewResults:
        """Correct a window by rows that came late."""
        window = self.windows.setdefault(start, {})
        window[key] = self._add(key, window.get(key), self._bytes(start, counts))
        self.late_rows[start, key] = self.late_rows.get((start, key), 0) + counts.rows
        late = self.late_rows[start, key]
        return self._judge(Arrival(start, "late", (self._compared(0, start, key, window[key], late),)))

    def lost(self, start: int, key: Key, counts: Counts) -> NewResults:
        """Count rows that came too late."""
        compared = self._compared(0, start, key, self._bytes(start, counts), counts.rows)
        return self._judge(Arrival(start, "lost", (compared,)))

    def restart(self) -> None:
        """Let the monitor find again what it remembers."""
        self.memory = Memory.of(self.loaded, self.history)

    def _judge(self, arrival: Arrival) -> NewResults:
        self.memory, new = judge_next(self.loaded, self.memory, arrival, self.history)
        if arrival.kind == "in time":
            begin = first_window(arrival.start, self.loaded.monitor.window)
            self.history = [one for one in self.history if one.start >= begin]
        if arrival.kind != "lost":
            brief = [json.loads(to_json(c.brief)) for c in arrival.compared]
            data = zlib.compress(json.dumps([arrival.start, arrival.kind, brief]).encode())
            self.history.append(Arrival.unpacked(data))
        return new

    def _compared(self, level: int, start: int, key: Key, data: bytes, late: int = 0) -> Compared:
        return from_json(to_json(self.loaded.compare(level, start, *key, data, late)))

    def _bytes(self, start: int, counts: Counts) -> bytes:
        return to_bytes(replace(counts, parts={part_of(self.loaded.profile.keys.season, start): counts.rows}))

    def _add(self, key: Key, before: bytes | None, data: bytes) -> bytes:
        features = self.loaded.groups[key[1]]
        return to_bytes(from_bytes(before, features) + from_bytes(data, features)) if before else data
