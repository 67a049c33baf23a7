"""The population stability index of two samples from their histograms over the same bins.

>>> import numpy as np
>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.histogram import histogram
>>> bins = Bins(np.array([1], np.float32))
>>> reference, window = (histogram(bins, np.repeat(np.float32([0, 1]), n)) for n in ([50, 50], [90, 10]))
>>> round(float(psi(reference, window).estimate), 2)
0.85
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from udfs.distributions.distance import Distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.histogram import Histogram

__all__ = ["GROUPS", "psi"]

GROUPS = 10
"""Into how many groups of near-equal reference mass bins are merged. Over 256 bins, it would be .3 without drift."""

_HALF = 0.5  # added to each count (Jeffreys' prior), so that an empty group does not make it infinite


def psi(reference: Histogram, window: Histogram, groups: int = GROUPS) -> Distance:
    """Compare two samples by the sum of (g - f) ln(g / f) over groups of bins, with shares f and g.

    By custom, below .1 is stable and above .25 is a shift (Siddiqi, 2006, Credit Risk Scorecards). It is defined by its
    groups, so it is known exactly: `lo` and `hi` are the estimate. The groups are the reference's, so it is symmetric
    only where both samples lead to the same groups.

    Raises ValueError for a sample without a value.
    """
    if not window.n.all():
        raise ValueError("a sample without a value has no distribution")
    group, there = _groups(reference, groups)
    f, g = (_collapsed(sample.counts, group, there) for sample in (reference, window))
    value = np.sum((g - f) * np.log(g / f), axis=-1)
    return Distance(value, value, value)


@lru_cache
def _groups(reference: Histogram, groups: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the group of each bin, and which groups have a bin: next to a value with much mass, some have none.

    The groups of several samples follow each other.
    """
    shares = reference.shares
    group = np.minimum((np.cumsum(shares, axis=-1) - shares / 2) * groups, groups - 1).astype(np.intp)
    samples = shares[..., 0].size
    group += groups * np.arange(samples).reshape(*shares.shape[:-1], 1)
    there = np.bincount(group[reference.bins.present], minlength=samples * groups) > 0
    return group.reshape(-1), there.reshape(*shares.shape[:-1], groups)


def _collapsed(
    counts: NDArray[np.int64] | NDArray[np.float64], group: NDArray[np.intp], there: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the share of each group that has a bin; 1 for those without, so that they add nothing."""
    sums = np.bincount(group, counts.reshape(-1), there.size).reshape(there.shape) + _HALF * there
    return np.where(there, sums / sums.sum(axis=-1, keepdims=True), 1.0)
