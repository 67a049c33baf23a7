"""The first Wasserstein distance of two samples from their histograms over the same bins, with bounds.

>>> import numpy as np
>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.histogram import histogram
>>> bins = Bins(np.arange(1, 8, dtype=np.float32))
>>> reference, window = (histogram(bins, np.array(x, np.float32)) for x in ([1, 2, 3], [3, 4, 5]))
>>> distance = wasserstein(reference, window)
>>> bool(distance.lo <= 2 <= distance.hi)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from udfs.distributions.distance import Distance
from udfs.distributions.histogram import differences, edges_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.histogram import Histogram

__all__ = ["wasserstein"]


def wasserstein(reference: Histogram, window: Histogram) -> Distance:
    """Compare two samples by the area between their distribution functions, in the column's own unit.

    At the edges of bins the difference of the two is known. Inside a bin with the shares f and g, and the difference d
    at its left edge, it lies in [d - g, d + f]: that gives the bounds. The estimate assumes a straight line. Infinite
    values make it infinite. It is symmetric. Definition: Vallender (1974, Theory Probab. Appl. 18, 784-786).

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
    (low, high), (window_low, window_high) = reference.ends, window.ends
    edges = edges_within(reference.bins, np.minimum(low, window_low), np.maximum(high, window_high))
    with np.errstate(invalid="ignore"):
        widths = np.diff(edges, axis=-1)
    widths[np.isnan(widths)] = 0.0  # inf - inf: a bin that nothing of either sample is in
    return widths


def _mean(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the absolute values along straight lines from `left` to `right`."""
    total = np.abs(left) + np.abs(right)
    crossing = left * right < 0
    across = np.divide(left**2 + right**2, total, where=crossing, out=total.copy())
    return across / 2


def _area(widths: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = np.multiply(widths, heights, where=heights > 0, out=np.zeros(heights.shape))  # not 0 x inf
    area: NDArray[np.float64] = parts.sum(axis=-1)
    return area
