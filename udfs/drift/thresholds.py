"""When a distance is drift: a margin that is valid at any sample size, ranks among earlier windows, q-values.

>>> verdict(0.15, n=100, n_reference=10_000), verdict(0.15, n=10_000, n_reference=10_000)
('stable', 'drift')
>>> q_values([0.01, 0.04, 0.9])
[0.03, 0.06, 0.9]
>>> conformal_p(0.5, [0.1, 0.2, 0.3])
0.25
>>> like_sizes(together(2000, 10_000), [together(60, 10_000), together(3000, 10_000)]).tolist()
[False, True]
"""

from __future__ import annotations

from math import log, pi, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "ALPHA",
    "D_MIN",
    "LEAST_N",
    "LIKE",
    "Verdict",
    "conformal_p",
    "like_sizes",
    "margin",
    "q_values",
    "together",
    "verdict",
]

D_MIN = 0.1
"""The smallest difference of distribution functions that is worth an alarm."""

ALPHA = 1e-3
"""The probability of a false alarm, in one window of one feature."""

LEAST_N = 30
"""Windows with fewer values are "too few": no difference below .35 would be distinguishable from chance."""

LIKE = 2.0
"""Samples whose sizes differ by a larger factor are not compared by rank."""

Verdict = Literal["late", "no reference", "too few", "stable", "drift"]


def verdict(
    d_lo: float, n: int, n_reference: int, d_min: float = D_MIN, alpha: float = ALPHA, noise: float = 0.0
) -> Verdict:
    """Return the verdict on a window of `n` values; `d_lo` is the lower bound of the Kolmogorov-Smirnov distance.

    For a window without drift, or with drift below `d_min`, it is "drift" with a probability of at most `alpha`.
    Raises ValueError for a reference without a value or an `alpha` outside of (0, 1).
    """
    if n < LEAST_N:
        return "too few"
    return "drift" if d_lo > margin(n, n_reference, d_min, alpha, noise) else "stable"


def margin(n: int, n_reference: int, d_min: float = D_MIN, alpha: float = ALPHA, noise: float = 0.0) -> float:
    """Return what a distance must exceed to be drift: `d_min` plus the errors of both samples.

    The errors are those of Dvoretzky, Kiefer and Wolfowitz with the constant of Massart (1990, Ann. Probab. 18,
    1269-1283): an empirical distribution function of n values is off by more than sqrt(ln(2 / a) / 2n) with a
    probability of at most a, for any distribution and any n. Half of `alpha` is for each sample: the margin fails for a
    share of at most `alpha` / 2 of references, and with any other, for at most that share of windows.

    The total variation of text has many differences in it, and is larger by chance: `noise` on average. It is spread
    about that by no more than for two categories, where it is a single difference, half of a normal variable.
    Raises ValueError for a sample without a value or an `alpha` outside of (0, 1).
    """
    if n < 1 or n_reference < 1:
        raise ValueError("a sample without a value has no distribution")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}, expected a number between 0 and 1")
    of_any = d_min + _error(n, alpha / 2) + _error(n_reference, alpha / 2)
    if not noise:
        return of_any
    return max(of_any, d_min + noise + _beyond_mean(alpha) * sqrt(1 / n + 1 / n_reference))


def _beyond_mean(alpha: float) -> float:
    """Return how far the absolute value of a normal variable of sd 1/2 is beyond its mean, with probability alpha."""
    return NormalDist().inv_cdf(1 - alpha / 2) / 2 - 1 / sqrt(2 * pi)


def _error(n: int, alpha: float) -> float:
    return sqrt(log(2 / alpha) / (2 * n))


def q_values(p: Sequence[float]) -> list[float]:
    """Return the q-values of several tests' p-values: of alarms at q <= a, the expected share of false ones is <= a.

    Benjamini and Hochberg (1995, J. R. Stat. Soc. B 57, 289-300). scipy.stats has it too, but its import would take a
    second in each of a job's workers.
    """
    order = np.argsort(p)[::-1]
    scaled = np.array(p)[order] * len(p) / np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return [float(q) for q in found]


def together(n: int, m: int) -> float:
    """Return the size of two samples together, n m / (n + m): near the smaller one; 0 for a sample without a value.

    Without a change, their distance depends on it alone: the Kolmogorov-Smirnov distance of independent values falls
    with its square root (Smirnov, 1939), and so does the variance of each difference of shares.
    """
    return n * m / (n + m) if n and m else 0.0


def like_sizes(size: float, others: Sequence[float]) -> NDArray[np.bool_]:
    """Return which sizes are within a factor of LIKE of `size`, shape (others,); also those that are not known, NaN.

    Small samples are far apart by chance: a distance that is usual among them hides the drift of larger ones.
    """
    sizes = np.asarray(others, float)
    alike: NDArray[np.bool_] = np.isnan(sizes) | ((sizes <= LIKE * size) & (LIKE * sizes >= size))
    return alike


def conformal_p(distance: float, earlier: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the rank of a distance among those of earlier windows as a p-value: (1 + larger or equal) / (1 + all).

    It is valid for any distribution of distances if windows are exchangeable, so also where values within a window
    depend on each other and the textbook p-value is far too small (Vovk, Gammerman and Shafer, 2005, Algorithmic
    Learning in a Random World, chapter 2). With k earlier windows it is at least 1 / (k + 1).
    """
    return (1 + int(np.count_nonzero(np.asarray(earlier) >= distance))) / (1 + len(earlier))
