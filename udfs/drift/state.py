"""The state of drift detection for a model: alarms, earlier distances for ranks, sums that are not complete.

>>> state = DriftState(latest=1_700_000_000)
>>> from_bytes(to_bytes(state)) == state
True
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from math import nan
from typing import Any
from zlib import compress, decompress

import numpy as np

from udfs.drift.alarm import Alarm
from udfs.drift.compare import Comparison, from_json, to_json

__all__ = ["AlarmLevel", "DriftState", "FeatureHistory", "OpenWindow", "WindowSum", "from_bytes", "to_bytes"]

_VERSION = 2
_WITHOUT_SIZES = 1  # the version before


@dataclass
class FeatureHistory:
    """A feature in a slice at one level: its alarm, and the distances of windows outside of alarms, oldest first.

    `sizes` are those of the windows and their references together, in the same order; NaN where they are not known.
    `pending` has the distances and sizes of windows with drift that have not opened an alarm yet.
    """

    alarm: Alarm = field(default_factory=Alarm)
    distances: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    pending: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class AlarmLevel:
    """The level at which the alarm of a feature in a slice is open, or None, and the end of its last window.

    Sums that begin before `until`, in seconds, have windows of an alarm that is over: they open none.
    """

    level: int | None = None
    until: int = 0


@dataclass
class WindowSum:
    """A sum of windows that is not complete; `block` is the number of each of its windows over 2^level.

    `counts` has partial counts by slice and group of features, `rows` how many rows lie in each part of the season.
    """

    block: int
    counts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    rows: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)


@dataclass
class OpenWindow:
    """A window that late rows may still correct: its partial counts and comparisons by slice and group of features.

    `late` has the number of late rows by slice.
    """

    counts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    comparisons: dict[tuple[str, int], list[Comparison]] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)


@dataclass
class DriftState:
    """The whole state of a model.

    `histories` goes by slice, feature and level, `alarm_levels` by slice and feature, `sums` by level, `open_windows`
    by the window's start. `latest` is the start of the newest window; times are in seconds since 1970.
    """

    histories: dict[tuple[str, str, int], FeatureHistory] = field(default_factory=dict)
    alarm_levels: dict[tuple[str, str], AlarmLevel] = field(default_factory=dict)
    sums: dict[int, WindowSum] = field(default_factory=dict)
    open_windows: dict[int, OpenWindow] = field(default_factory=dict)
    latest: int = -1


def to_bytes(state: DriftState) -> bytes:
    """Return the state as bytes, for Flink's state: JSON, compressed by zlib."""
    whole = {
        "version": _VERSION,
        "latest": state.latest,
        "followed": [
            [*key, asdict(f.alarm), _numbers_as_text(f.distances), f.pending, _numbers_as_text(f.sizes)]
            for key, f in state.histories.items()
        ],
        "standing": [[*key, s.level, s.until] for key, s in state.alarm_levels.items()],
        "sums": [
            [level, s.block, _blobs(s.counts), [[*key, [*parts.items()]] for key, parts in s.rows.items()]]
            for level, s in state.sums.items()
        ],
        "opened": [
            [start, _blobs(o.counts), [[*key, to_json(cs)] for key, cs in o.comparisons.items()], o.late]
            for start, o in state.open_windows.items()
        ],
    }
    return compress(json.dumps(whole).encode(), level=1)


def from_bytes(data: bytes) -> DriftState:
    """Return the state that `to_bytes` wrote; a new one for no bytes.

    Raises ValueError for bytes of another version.
    """
    if not data:
        return DriftState()
    whole = json.loads(decompress(data))
    if whole["version"] not in (_VERSION, _WITHOUT_SIZES):
        raise ValueError(f"the state of drift detection has version {whole['version']}, expected {_VERSION}")
    state = DriftState(latest=whole["latest"])
    for label, feature, level, alarm, text, pending, *sizes in whole["followed"]:
        earlier = _numbers(text)
        known = _numbers(sizes[0]) if sizes else [nan] * len(earlier)
        late = [(d[0], d[1]) if sizes else (d, nan) for d in pending]
        state.histories[label, feature, level] = FeatureHistory(Alarm(**alarm), earlier, known, late)
    for label, feature, level, until in whole["standing"]:
        state.alarm_levels[label, feature] = AlarmLevel(level, until)
    for level, block, counts, rows in whole["sums"]:
        parts = {(label, group): dict(pairs) for label, group, pairs in rows}
        state.sums[level] = WindowSum(block, _unblob(counts), parts)
    for start, counts, compared, late in whole["opened"]:
        comparisons = {(label, group): from_json(cs) for label, group, cs in compared}
        state.open_windows[start] = OpenWindow(_unblob(counts), comparisons, late)
    return state


def _numbers_as_text(numbers: list[float]) -> str:
    return _text(np.array(numbers, "<f8").tobytes())


def _numbers(text: str) -> list[float]:
    found: list[float] = np.frombuffer(b64decode(text), "<f8").tolist()
    return found


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _blobs(counts: dict[tuple[str, int], bytes]) -> list[tuple[str, int, str]]:
    return [(*key, _text(data)) for key, data in counts.items()]


def _unblob(blobs: list[list[Any]]) -> dict[tuple[str, int], bytes]:
    return {(label, group): b64decode(data) for label, group, data in blobs}
