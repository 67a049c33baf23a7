"""Quantiles for people to look at, from a histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from udfs.histogram import Histogram

__all__ = ["SHOWN", "quantiles"]

SHOWN = (0.01, 0.05, 0.1, 0.25, 0.4, 0.5, 0.75, 0.9, 0.95, 0.99)
"""The ten that are shown."""


def quantiles(histogram: Histogram, at: Sequence[float] = SHOWN) -> NDArray[np.float64]:
    """Return estimates of quantiles, shape (len(at),): straight lines within bins.

    Each lies in the bin that the true one is in. Raises ValueError for a sample without a value.
    """
    upto = np.cumsum(histogram.shares)
    starts, ends = histogram.extents
    bin_ = np.minimum(np.searchsorted(upto, at), np.flatnonzero(histogram.counts)[-1])
    part = 1 - (upto[bin_] - at) / histogram.shares[bin_]
    # A bin of one value alone ends at the next float32, which nobody has seen.
    ends = np.where(histogram.bins.single, starts, ends)
    with np.errstate(invalid="ignore"):  # inf - inf
        estimates = starts[bin_] + np.clip(part, 0, 1) * (ends[bin_] - starts[bin_])
    return np.where(np.isnan(estimates), starts[bin_], estimates)
