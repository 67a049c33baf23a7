"""Sums of 2, 4, ... windows, each window in one sum of each level. Counts add, so they need no pass over rows.

A sum of two windows of an hour is complete with the second one, and has the rows of both:

>>> import numpy as np
>>> from udfs.distributions import bins, count_layout, counts
>>> from udfs.drift import monitor, reference
>>> features = count_layout.Features(("delay",), (bins.Bins(np.array([0], np.float32)),))
>>> profile = reference.Profile("m", "1", features, reference.Keys(), {})
>>> hourly = monitor.LoadedMonitor(monitor.Monitor("m", "1", "", "", ("delay",), (0.1,), ("",), 3600), profile)
>>> window = {("(all)", 0): to_bytes(counts.count(features, [np.array([-5, 5, 5], np.float32)]))}
>>> state = DriftState()
>>> add_to_sum(hourly, state, level=1, start=7200, counts=window)
[]
>>> [(block, total)] = add_to_sum(hourly, state, level=1, start=10_800, counts=window)
>>> from_bytes(total.counts["(all)", 0], features).cells.tolist(), total.rows["(all)", 0]
([2, 4, 0], {0: 6})
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udfs.distributions.partial import from_bytes, to_bytes
from udfs.drift.compare import Comparison, compare
from udfs.drift.season import part_of
from udfs.drift.state import DriftState, WindowSum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udfs.drift.monitor import LoadedMonitor

__all__ = ["add_to_sum", "compare_sum"]

Key = tuple[str, int]
"""A slice's label and the number of a group of features."""


def add_to_sum(
    loaded: LoadedMonitor, state: DriftState, level: int, start: int, counts: Mapping[Key, bytes]
) -> list[tuple[int, WindowSum]]:
    """Add the window that starts at `start`, in seconds, to the present sum of a level; changes `state`.

    A sum of level l has the 2^l windows whose number, `start // window`, is the same over 2^l: its block.
    Returns the sums that are complete with this window or before it, each with its block.
    Raises PartialError for counts that are not of the monitor's features.
    """
    index = start // loaded.monitor.window
    block = index >> level
    complete = []
    pending = state.sums.get(level)
    if pending is not None and pending.block != block:
        complete.append((pending.block, state.sums.pop(level)))
    total = state.sums.setdefault(level, WindowSum(block))
    part = part_of(loaded.profile.keys.season, start)
    for key, data in counts.items():
        features = loaded.groups[key[1]]
        before = total.counts.get(key)
        added = from_bytes(data, features)
        total.counts[key] = to_bytes(from_bytes(before, features) + added) if before else data
        parts = total.rows.setdefault(key, {})
        parts[part] = parts.get(part, 0) + added.rows
    if (index + 1) % (1 << level) == 0:
        complete.append((block, state.sums.pop(level)))
    return complete


def compare_sum(loaded: LoadedMonitor, total: WindowSum) -> dict[Key, list[Comparison]]:
    """Compare a sum with the reference, mixed as the sum's rows are distributed over the season's parts."""
    return {
        key: compare(loaded.reference(key[1], key[0], total.rows[key]), from_bytes(data, loaded.groups[key[1]]))
        for key, data in sorted(total.counts.items())
    }
