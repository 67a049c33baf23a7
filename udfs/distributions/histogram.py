"""A histogram: how many values of a numeric column are in each bin. Windows and references are compared by it.

>>> from udfs.distributions.bins import Bins
>>> bins = Bins(np.array([0, 10], np.float32))
>>> batches = histogram(bins, np.array([-1, 5], np.float32)), histogram(bins, np.array([20, np.nan], np.float32))
>>> both = batches[0] + batches[1]
>>> both.counts.tolist(), both.nulls, float(both.most)
([1, 1, 1], 1, 20.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from udfs.distributions.padded_bins import PaddedBins
from udfs.distributions.shares import Shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.bins import Bins

__all__ = ["Histogram", "differences", "edges_within", "histogram"]


@dataclass(frozen=True, eq=False)
class Histogram(Shares):
    """Counts of a sample in `bins`, of shape (bins,), and how many values were NULL or NaN.

    `least` and `most` are the ends of the sample; +inf and -inf where it has no value. There may be several samples at
    once, of shape (samples, bins) and (samples,), each of another column; they are compared in pairs.
    """

    bins: Bins | PaddedBins
    counts: NDArray[np.int64] | NDArray[np.float64]
    nulls: int | NDArray[np.int64]
    least: np.float32 | NDArray[np.float32]
    most: np.float32 | NDArray[np.float32]

    @cached_property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`least` and `most`, float64 of shape (1,) or (samples, 1), to be broadcast along the bins."""
        return np.asarray(self.least, float)[..., None], np.asarray(self.most, float)[..., None]

    @property
    def extents(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where each bin starts and ends within the sample, both of `counts`' shape, in the column's own unit."""
        edges = edges_within(self.bins, *self.ends)
        return edges[..., :-1], edges[..., 1:]

    def take(self, rows: NDArray[np.intp]) -> Histogram:
        """Return some of several samples, by their position. Raises TypeError for a single sample."""
        if not isinstance(self.bins, PaddedBins):
            raise TypeError("a histogram of a single sample has no rows to select")
        if len(rows) == len(self.counts):
            return self
        bins = PaddedBins(tuple(self.bins.columns[row] for row in rows))
        sides = (np.asarray(side)[rows] for side in (self.nulls, self.least, self.most))
        return Histogram(bins, self.counts[rows, : bins.size], *sides)

    def __add__(self, other: Histogram) -> Histogram:
        """Return the histogram of both samples together. Raises ValueError for other bins."""
        if self.bins.digest != other.bins.digest:
            raise ValueError("two histograms of different bins cannot be added")
        ends = np.minimum(self.least, other.least), np.maximum(self.most, other.most)
        return Histogram(self.bins, self.counts + other.counts, self.nulls + other.nulls, *ends)


def histogram(bins: Bins, values: NDArray[np.float32]) -> Histogram:
    """Return the histogram of values, float32 of shape (n,) and contiguous, with NaN for NULL."""
    counts = bins.count(values)
    least, most = np.float32(np.inf), np.float32(-np.inf)
    if counts[-1] < len(values):
        least, most = np.fmin.reduce(values), np.fmax.reduce(values)
    return Histogram(bins, counts[:-1], int(counts[-1]), least, most)


def edges_within(bins: Bins | PaddedBins, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of bins within two ends of shape (..., 1), and the ends themselves: shape (..., bins + 1)."""
    inner = np.clip(bins.positions, low, high)
    edges = np.empty((*inner.shape[:-1], inner.shape[-1] + 2))
    edges[..., :1], edges[..., 1:-1], edges[..., -1:] = low, inner, high
    return edges


def differences(reference: Histogram, window: Histogram) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the reference's distribution function less the window's, at the left and at the right edge of each bin.

    Both have the shape of the counts. Raises ValueError for a sample without a value.
    """
    edges = np.zeros((*window.counts.shape[:-1], reference.bins.size + 1))
    np.cumsum(reference.shares - window.shares, axis=-1, out=edges[..., 1:])
    edges[..., -1] = 0.0  # both functions are 1 there; what is left is rounding
    return edges[..., :-1], edges[..., 1:]
