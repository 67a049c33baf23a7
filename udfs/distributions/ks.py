"""The Kolmogorov-Smirnov distance of two samples from their histograms over the same bins, with bounds.

>>> import numpy as np
>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.histogram import histogram
>>> bins = Bins(np.array([1, 2, 3], np.float32))
>>> reference, window = (histogram(bins, np.array(x, np.float32)) for x in ([0, 1, 2, 3], [2, 2, 3, 3]))
>>> float(ks(reference, window).lo)
0.5
"""

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
    """Compare two samples by D = max |F - G|, the largest difference of their distribution functions.

    At the edges of bins the difference is known: the largest of those is `lo`, and the estimate. Inside a bin with the
    shares f and g, and the difference d at its left edge, it is between d - g and d + f. That gives `hi`, which is at
    most lo + max f. Inside a bin of a single value the difference does not change. D is symmetric and at most 1.

    `p` is two-sided and asymptotic, with the correction of Stephens (1970, J. R. Stat. Soc. B 32, 115-122), as if the
    reference were known without error; `udfs.drift.thresholds.margin` adds the reference's error.

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
