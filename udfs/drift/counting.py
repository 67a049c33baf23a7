"""Counting a batch of scored rows for drift: partial counts of each window and slice, stored with one of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.distributions.counts import count_groups
from udfs.distributions.partial import to_bytes
from udfs.drift.season import part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from udfs.distributions.count_layout import Features
    from udfs.drift.reference import Keys

__all__ = ["EARLIEST", "LATEST", "BatchCounts", "count_batch"]

EARLIEST, LATEST = 631_152_000, 4_102_444_800
"""Event times in seconds since 1970, from 1990 to 2100: rows of any other time are in no window."""


@dataclass(frozen=True)
class BatchCounts:
    """The counts of those rows of a batch that are in one window and slice.

    `row` is the row, by its position in the batch, that the counts are stored with. `start` is the window's start in
    seconds since 1970, `label` the slice's. `partials` has the counts as bytes, for each group of features.
    """

    row: int
    start: int
    label: str
    partials: list[bytes]


def count_batch(
    values: Sequence[NDArray[Any]],
    seconds: NDArray[np.int64],
    slices: NDArray[np.object_] | None,
    *,
    groups: Sequence[Features],
    features: Features,
    keys: Keys,
    window: int,
) -> list[BatchCounts]:
    """Count a batch of n rows by window and slice; store each count with the last row of its window and slice.

    `values` has an array of shape (n,) for each of the `features`, as `udfs.distributions.counts.count` expects it.
    `seconds` since 1970, int64, and `slices`, str or None, have shape (n,). `groups` are the groups of features that
    get partial counts of their own, `keys` has the slices, and `window` is in seconds.
    Rows whose time is before EARLIEST or from LATEST on are left out.
    """
    inside = np.flatnonzero((seconds >= EARLIEST) & (seconds < LATEST))
    if not len(inside):
        return []
    if len(inside) < len(seconds):
        values, seconds = [column[inside] for column in values], seconds[inside]
        slices = None if slices is None else slices[inside]
    codes = seconds // window * len(keys.labels)
    if slices is not None:
        codes += keys.slices.find(slices)
    found, group = _groups(codes)
    last = np.empty(len(found), np.intp)
    last[group] = inside  # of several rows, the last one stays
    counted = count_groups(features, values, group, len(found))
    batch = []
    for code, row, counts in zip(found.tolist(), last.tolist(), counted, strict=True):
        start = code // len(keys.labels) * window
        whole = replace(counts, parts={part_of(keys.season, start): counts.rows})
        partials = [to_bytes(whole.select(some)) for some in groups]
        batch.append(BatchCounts(row, start, keys.labels[code % len(keys.labels)], partials))
    return batch


def _groups(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the different codes, ascending, and which of them each row has; mostly there is only one."""
    if codes.min() == codes.max():
        return codes[:1], np.zeros(len(codes), np.intp)
    return np.unique(codes, return_inverse=True)
