"""Estimates of quantiles from a histogram, for reports.

>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.histogram import histogram
>>> ten = np.arange(10, dtype=np.float32)
>>> quantiles(histogram(Bins(np.array([0, 100], np.float32)), ten), [0.5]).tolist()
[4.5]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from udfs.distributions.histogram import Histogram

__all__ = ["SHOWN", "quantiles"]

SHOWN = (0.01, 0.05, 0.1, 0.25, 0.4, 0.5, 0.75, 0.9, 0.95, 0.99)
"""The ten quantiles that results and reports have."""


def quantiles(histogram: Histogram, at: Sequence[float] = SHOWN) -> NDArray[np.float64]:
    """Return estimates of quantiles, float64 of shape (len(at),) or (samples, len(at)).

    Each is in the bin of the true quantile; within a bin, values are assumed to be spread evenly.
    Raises ValueError for a sample without a value.
    """
    shares, wanted = histogram.shares, np.asarray(at)
    upto = np.cumsum(shares, axis=-1)
    last = histogram.bins.size - 1 - np.argmax(histogram.counts[..., ::-1] > 0, axis=-1)
    bin_ = np.minimum((upto[..., None, :] < wanted[:, None]).sum(axis=-1), last[..., None])
    starts, ends = histogram.extents
    # A bin of a single value ends at the next float32, which is not in it.
    ends = np.where(histogram.bins.single, starts, ends)
    upto, shares, starts, ends = (
        np.take_along_axis(of_bins, bin_, axis=-1) for of_bins in (upto, shares, starts, ends)
    )
    part = np.clip(1 - (upto - wanted) / shares, 0, 1)
    with np.errstate(invalid="ignore"):  # inf - inf
        estimates = starts + part * (ends - starts)
    return np.where(np.isnan(estimates), starts, estimates)
