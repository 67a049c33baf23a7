"""How often each bin of a numeric column was hit: what windows and references are compared by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from udfs.shares import Shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.bins import Bins

__all__ = ["Histogram", "differences", "histogram"]


@dataclass(frozen=True, eq=False)
class Histogram(Shares):
    """Counts of a sample in `bins`, int64 of shape (bins,), and how many values were NULL or NaN.

    `least` and `most` are the ends of the sample; +inf and -inf where it has no value.
    """

    bins: Bins
    counts: NDArray[np.int64] | NDArray[np.float64]
    nulls: int
    least: np.float32
    most: np.float32

    @property
    def extents(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where each bin starts and ends within the sample, each of shape (bins,), in the column's own unit."""
        inner = np.clip(self.bins.positions, float(self.least), float(self.most))
        return np.append(float(self.least), inner), np.append(inner, float(self.most))

    def __add__(self, other: Histogram) -> Histogram:
        """Return the histogram of both samples together. Raises ValueError for other bins."""
        if self.bins.digest != other.bins.digest:
            raise ValueError("two histograms of different bins cannot be added")
        ends = min(self.least, other.least), max(self.most, other.most)
        return Histogram(self.bins, self.counts + other.counts, self.nulls + other.nulls, *ends)


def histogram(bins: Bins, values: NDArray[np.float32]) -> Histogram:
    """Count values of shape (n,), contiguous; NaN stands for NULL."""
    counts = bins.count(values)
    least, most = np.float32(np.inf), np.float32(-np.inf)
    if counts[-1] < len(values):
        least, most = np.fmin.reduce(values), np.fmax.reduce(values)
    return Histogram(bins, counts[:-1], int(counts[-1]), least, most)


def differences(reference: Histogram, window: Histogram) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the reference's distribution function less the window's, at each bin's left and right edge.

    Both of shape (bins,). Raises ValueError for a sample without a value.
    """
    right = np.cumsum(reference.shares - window.shares)
    right[-1] = 0.0  # both have come to 1; what is left is rounding
    return np.concatenate(([0.0], right[:-1])), right
