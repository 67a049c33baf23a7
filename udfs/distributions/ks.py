"""The Kolmogorov-Smirnov distance of two samples from their histograms over the same bins, with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from udfs.distributions.distance import Distance
from udfs.distributions.histogram import differences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.histogram import Histogram

__all__ = ["ks"]


def ks(reference: Histogram, window: Histogram) -> Distance:
    """Compare two samples by the largest difference of their distribution functions.

    At the edges of bins the difference is known: the largest is `lo`, and the estimate. Inside bin j, with shares f and
    g and the difference d at its left edge, it is at most d + f and at least d - g; that gives `hi`, which is never
    above lo + max f. In a bin of one value alone nothing can hide.

    `p` is two-sided and asymptotic, with the correction of Stephens (1970, J. R. Stat. Soc. B 32, 115-122). It takes
    the reference for known without error; the reference's own error is the alarm rule's to add.

    Raises ValueError for a sample without a value.
    """
    f, g = reference.shares, window.shares
    left, right = differences(reference, window)
    lo = np.abs(right).max(axis=-1)
    inside = np.maximum(left + f, g - left)
    hidden = np.where(reference.bins.single, 0.0, inside).max(axis=-1)
    return Distance(lo, lo, np.maximum(lo, hidden), _p_values(lo, window.n))


def _p_values(d: NDArray[np.float64], n: NDArray[np.int64]) -> NDArray[np.float64]:
    from scipy.special import kolmogorov

    root = np.sqrt(n)
    p: NDArray[np.float64] = kolmogorov((root + 0.12 + 0.11 / root) * d)
    return p
