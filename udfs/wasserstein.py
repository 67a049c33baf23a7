"""The first Wasserstein distance of two samples from their histograms over the same bins, with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from udfs.distance import Distance
from udfs.histogram import differences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.histogram import Histogram

__all__ = ["wasserstein"]


def wasserstein(reference: Histogram, window: Histogram) -> Distance:
    """Compare two samples by the area between their distribution functions, in the column's own unit.

    At the edges of bins the difference of the two is known; inside bin j, with shares f and g and the difference d at
    its left edge, it lies in [d - g, d + f]. That gives the bounds; the estimate takes it for a straight line. Infinite
    values make it infinite. For the definition see Vallender (1974, Theory Probab. Appl. 18, 784-786).

    Raises ValueError for a sample without a value.
    """
    f, g = reference.shares, window.shares
    left, right = differences(reference, window)
    widths = _widths(reference, window)
    most = np.maximum(np.abs(left + f), np.abs(left - g))
    least = np.maximum(np.maximum(left - g, -left - f), 0.0)
    return Distance(_area(widths, _mean(left, right)), _area(widths, least), _area(widths, most))


def _widths(reference: Histogram, window: Histogram) -> NDArray[np.float64]:
    """Return how much of each bin lies between the ends of both samples together."""
    low = float(min(reference.least, window.least))
    high = float(max(reference.most, window.most))
    ends = np.concatenate(([low], np.clip(reference.bins.positions, low, high), [high]))
    with np.errstate(invalid="ignore"):  # inf - inf: a bin that nothing of either sample is in
        return np.nan_to_num(np.diff(ends), posinf=np.inf)


def _mean(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the absolute values along straight lines from `left` to `right`."""
    total = np.abs(left) + np.abs(right)
    crossing = (left * right < 0) & (total > 0)
    across = (left**2 + right**2) / np.where(crossing, total, 1.0)
    return np.where(crossing, across, total) / 2


def _area(widths: NDArray[np.float64], heights: NDArray[np.float64]) -> float:
    return float(np.sum(widths[heights > 0] * heights[heights > 0]))
