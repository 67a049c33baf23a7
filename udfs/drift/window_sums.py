"""Sums of 2, 4, ... windows, each window in one sum of each level. Counts add, so they cost no pass over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift.compare import Comparison, compare
from udfs.drift.season import part_of
from udfs.drift.state import Memory, Sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udfs.drift.counting import LoadedMonitor

__all__ = ["add", "compare_sum"]

Key = tuple[str, int]
"""A slice's label and the number of a group of features."""


def add(
    loaded: LoadedMonitor, memory: Memory, level: int, start: int, counts: Mapping[Key, bytes]
) -> list[tuple[int, Sum]]:
    """Add a window to the sum of its level, 2^level windows from a multiple of that on; changes `memory`.

    Returns the sums that are complete with it or before it, each with its number.
    """
    index = start // loaded.monitor.window
    block = index >> level
    complete = []
    pending = memory.sums.get(level)
    if pending is not None and pending.block != block:
        complete.append((pending.block, memory.sums.pop(level)))
    total = memory.sums.setdefault(level, Sum(block))
    part = part_of(loaded.profile.keys.season, start)
    for key, data in counts.items():
        features = loaded.groups[key[1]]
        before = total.counts.get(key)
        added = from_bytes(data, features)
        total.counts[key] = to_bytes(from_bytes(before, features) + added) if before else data
        parts = total.rows.setdefault(key, {})
        parts[part] = parts.get(part, 0) + added.rows
    if (index + 1) % (1 << level) == 0:
        complete.append((block, memory.sums.pop(level)))
    return complete


def compare_sum(loaded: LoadedMonitor, total: Sum) -> dict[Key, list[Comparison]]:
    """Compare a sum with the reference, in the sum's own proportions of the season's parts."""
    return {
        key: compare(loaded.reference(key[1], key[0], total.rows[key]), from_bytes(data, loaded.groups[key[1]]))
        for key, data in sorted(total.counts.items())
    }
