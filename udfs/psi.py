"""The population stability index of two samples from their histograms over the same bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from udfs.distance import Distance

if TYPE_CHECKING:
    from udfs.histogram import Histogram

__all__ = ["GROUPS", "psi"]

GROUPS = 10
"""Bins are collapsed into so many groups of near-equal reference mass; of 256 bins it would read .3 without drift."""

_HALF = 0.5  # added to each count (Jeffreys' prior), so that an empty group is no infinity


def psi(reference: Histogram, window: Histogram, groups: int = GROUPS) -> Distance:
    """Compare two samples by sum of (g - f) ln(g / f) over groups of bins, with shares f and g.

    By custom below .1 is stable and above .25 a shift (Siddiqi, 2006, Credit Risk Scorecards). It is defined by its
    groups, so nothing about it is uncertain: `lo` and `hi` are the estimate.

    Raises ValueError for a sample without a value.
    """
    shares = reference.shares
    group = np.minimum((np.cumsum(shares) - shares / 2) * groups, groups - 1).astype(np.intp)
    there = np.bincount(group, minlength=groups) > 0  # a value with much mass leaves groups without a bin
    f, g = (np.bincount(group, sample.counts, groups)[there] + _HALF for sample in (reference, window))
    if not window.n:
        raise ValueError("a sample without a value has no distribution")
    f, g = f / f.sum(), g / g.sum()
    value = float(np.sum((g - f) * np.log(g / f)))
    return Distance(value, value, value)
