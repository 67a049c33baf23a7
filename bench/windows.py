"""Columns for simulations: a reference in bins, the true mass of each bin, and many windows' distances at once.

Counts of independent values are multinomial, so windows are drawn as counts, without their values. Columns are normal;
a monotone function of a column and of its reference changes no count, so any column without ties gives the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import kolmogorov
from scipy.stats import norm

from udfs.distributions.choose_bins import choose_bins
from udfs.distributions.histogram import histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from udfs.distributions.histogram import Histogram

    Cdf = Callable[[NDArray[np.float64]], NDArray[np.float64]]

__all__ = ["Column", "column", "counts_of", "distances", "for_json", "masses", "p_values"]


@dataclass(frozen=True)
class Column:
    """A fixed reference, and `truth`: the probability of each bin without drift, shape (bins,)."""

    reference: Histogram
    truth: NDArray[np.float64]


def column(generator: np.random.Generator, rows: int, bins: int) -> Column:
    """Draw a standard normal column's reference of so many rows; its bins are chosen from it, as in a job."""
    sample = generator.normal(size=rows).astype(np.float32)
    reference = histogram(choose_bins(lambda: [sample], bins), sample)
    return Column(reference, masses(reference, norm.cdf))


def masses(reference: Histogram, cdf: Cdf) -> NDArray[np.float64]:
    """Return the probability of each bin for a distribution function, shape (bins,)."""
    return np.diff(np.concatenate(([0.0], cdf(reference.bins.positions), [1.0])))


def counts_of(reference: Histogram, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count values of shape (windows, n) into the reference's bins: shape (windows, bins)."""
    windows, bins = len(values), reference.bins.size
    found = np.searchsorted(reference.bins.positions, values.ravel(), side="right").reshape(values.shape)
    found += bins * np.arange(windows)[:, None]
    return np.bincount(found.ravel(), minlength=windows * bins).reshape(windows, bins)


def distances(reference: Histogram, counts: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Return what `ks` gives as `lo`, for windows of n values each: counts of shape (..., bins) give shape (...)."""
    differences = counts / n
    differences -= reference.shares
    np.cumsum(differences, axis=-1, out=differences)
    d: NDArray[np.float64] = np.abs(differences, out=differences).max(axis=-1)
    return d


def p_values(d: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return what `ks` gives as `p`, for many distances at once."""
    root = np.sqrt(n)
    p: NDArray[np.float64] = kolmogorov((root + 0.12 + 0.11 / root) * d)
    return p


def for_json(delays: NDArray[np.float64]) -> list[float | None]:
    """Return numbers, None for infinite ones, which JSON does not have."""
    return [float(delay) if np.isfinite(delay) else None for delay in delays]
