"""Sums of the latest windows: the margin rule where the sizes of windows are not chosen beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from udfs.drift.thresholds import margin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.histogram import Histogram

__all__ = ["LENGTHS", "N", "distances_of_latest", "fires"]

N = 32
"""Values in the smallest window; ADWIN looks for a change as often."""

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""How many of the latest windows are summed."""


def distances_of_latest(reference: Histogram, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the distance of the sum of the latest windows: shape (lengths, windows), 0 where there are too few.

    `counts` has shape (windows, bins).
    """
    below = np.zeros((len(counts) + 1, reference.bins.size), np.int32)
    np.cumsum(np.cumsum(counts, axis=0), axis=1, out=below[1:])
    expected = np.cumsum(reference.shares)
    found = np.zeros((len(LENGTHS), len(counts)))
    for i, length in enumerate(LENGTHS):
        if length <= len(counts):
            differences = (below[length:] - below[:-length]) / (N * length) - expected
            found[i, length - 1 :] = np.abs(differences, out=differences).max(axis=1)
    return found


def fires(found: NDArray[np.float64], n_reference: int, alpha: float) -> NDArray[np.bool_]:
    """Say for each window whether any of its sums is beyond the margin, with d_min 0: shape (windows,)."""
    margins = np.array([margin(N * length, n_reference, 0, alpha) for length in LENGTHS])
    fired: NDArray[np.bool_] = (found > margins[:, None]).any(axis=0)
    return fired
