"""What is remembered of a model's earlier windows: alarms, distances for ranks, sums that are not complete."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from typing import Any
from zlib import compress, decompress

import numpy as np

from udfs.drift.alarm import Alarm
from udfs.drift.compare import Comparison, from_json, to_json

__all__ = ["Followed", "Memory", "Open", "Standing", "Sum", "from_bytes", "to_bytes"]

_VERSION = 1


@dataclass
class Followed:
    """A feature in a slice at one level: its alarm, and the distances of windows without one, oldest first.

    `pending` are those of windows with drift that have not opened an alarm yet.
    """

    alarm: Alarm = field(default_factory=Alarm)
    distances: list[float] = field(default_factory=list)
    pending: list[float] = field(default_factory=list)


@dataclass
class Standing:
    """A feature in a slice at all levels: the one at which its alarm is open, or None, and up to when it ever was.

    Sums that reach back behind `until`, in seconds, hold windows of an alarm that is over: they open none.
    """

    level: int | None = None
    until: int = 0


@dataclass
class Sum:
    """Windows that are being summed: which ones, by their number over 2^level; by slice and group of features, what.

    `rows` says how many of them lie in each part of the season.
    """

    block: int
    counts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    rows: dict[tuple[str, int], dict[int, int]] = field(default_factory=dict)


@dataclass
class Open:
    """A window that late rows may still correct: by slice and group of features, its counts and comparisons."""

    counts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    comparisons: dict[tuple[str, int], list[Comparison]] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)


@dataclass
class Memory:
    """All of it: by slice, feature and level; by slice and feature; by level; by the window's start in seconds.

    `latest` is the start of the newest window.
    """

    followed: dict[tuple[str, str, int], Followed] = field(default_factory=dict)
    standing: dict[tuple[str, str], Standing] = field(default_factory=dict)
    sums: dict[int, Sum] = field(default_factory=dict)
    opened: dict[int, Open] = field(default_factory=dict)
    latest: int = -1


def to_bytes(memory: Memory) -> bytes:
    """Return it as bytes, for Flink's state."""
    whole = {
        "version": _VERSION,
        "latest": memory.latest,
        "followed": [
            [*key, asdict(f.alarm), _text(np.array(f.distances, "<f8").tobytes()), f.pending]
            for key, f in memory.followed.items()
        ],
        "standing": [[*key, s.level, s.until] for key, s in memory.standing.items()],
        "sums": [
            [level, s.block, _blobs(s.counts), [[*key, [*parts.items()]] for key, parts in s.rows.items()]]
            for level, s in memory.sums.items()
        ],
        "opened": [
            [start, _blobs(o.counts), [[*key, to_json(cs)] for key, cs in o.comparisons.items()], o.late]
            for start, o in memory.opened.items()
        ],
    }
    return compress(json.dumps(whole).encode(), level=1)


def from_bytes(data: bytes) -> Memory:
    """Return what `to_bytes` wrote; nothing is remembered where there are no bytes.

    Raises ValueError for bytes of another version.
    """
    if not data:
        return Memory()
    whole = json.loads(decompress(data))
    if whole["version"] != _VERSION:
        raise ValueError(f"the state of drift detection has version {whole['version']}, expected {_VERSION}")
    memory = Memory(latest=whole["latest"])
    for label, feature, level, alarm, distances, pending in whole["followed"]:
        earlier = np.frombuffer(b64decode(distances), "<f8").tolist()
        memory.followed[label, feature, level] = Followed(Alarm(**alarm), earlier, pending)
    for label, feature, level, until in whole["standing"]:
        memory.standing[label, feature] = Standing(level, until)
    for level, block, counts, rows in whole["sums"]:
        parts = {(label, group): dict(pairs) for label, group, pairs in rows}
        memory.sums[level] = Sum(block, _unblob(counts), parts)
    for start, counts, compared, late in whole["opened"]:
        comparisons = {(label, group): from_json(cs) for label, group, cs in compared}
        memory.opened[start] = Open(_unblob(counts), comparisons, late)
    return memory


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _blobs(counts: dict[tuple[str, int], bytes]) -> list[tuple[str, int, str]]:
    return [(*key, _text(data)) for key, data in counts.items()]


def _unblob(blobs: list[list[Any]]) -> dict[tuple[str, int], bytes]:
    return {(label, group): b64decode(data) for label, group, data in blobs}
