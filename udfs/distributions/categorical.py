"""Total variation and the chi-square test of two samples of categories, from their counts.

>>> import numpy as np
>>> from udfs.distributions.categories import Categories, count_categories
>>> names = Categories(("JFK", "LGA"))
>>> reference, window = (count_categories(names, np.array(x, object)) for x in (["JFK", "LGA"], ["JFK", "EWR"]))
>>> total_variation(reference, window).lo
0.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from udfs.distributions.distance import Distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from udfs.distributions.categories import CategoryCounts

__all__ = ["CHANGED", "FEWEST", "REST", "changed", "noise", "total_variation"]

CHANGED = 10
"""How many categories a result names."""

REST = "(rest)"
"""The name of all categories that are not counted one by one."""

_ROUNDING = 1e-9

FEWEST = 5.0
"""Categories with fewer expected values are pooled for the test (Cochran, 1954, Biometrics 10, 417-451)."""


def noise(reference: CategoryCounts, window: CategoryCounts) -> float:
    """Return about what the total variation of two samples of one distribution is on average.

    It is half the sum of the absolute differences of shares. That of a share f has the variance f (1 - f) (1/n + 1/m),
    so it is on average the root of 2/pi of that, as a normal variable; and at most 2 f (1 - f), less for a rare one.
    Where there are nearly as many categories as values the sum is large. f is taken from the reference; the share of
    what the reference has not seen is that of the categories it has seen once (Good, 1953, Biometrika 40, 237-264).

    Raises ValueError for a sample without a value.
    """
    f, m, n = reference.shares, float(reference.n), float(window.n)
    spread = f * (1 - f)
    once = float(np.sum((reference.counts > 0) & (reference.counts <= 1))) / m
    return float(np.minimum(2 * spread, np.sqrt(2 / np.pi * spread * (1 / m + 1 / n))).sum() + once) / 2


def total_variation(reference: CategoryCounts, window: CategoryCounts) -> Distance:
    """Compare two samples by half the sum of |f - g| over all categories, with shares f and g.

    That is the largest difference of the shares that any set of categories has; it is symmetric and at most 1. Of the
    rest, only the total shares F and G are known: it adds at least |F - G| / 2, which gives `lo` and the estimate, and
    at most (F + G) / 2, which gives `hi`.

    `p` is that of the chi-square test for two samples, with rare categories pooled in groups of about the same
    frequency, each just large enough for the test; 1 where one group is left.

    Raises ValueError for a sample without a value.
    """
    f, g = reference.shares, window.shares
    lo = float(np.abs(f - g).sum() / 2)
    return Distance(lo, lo, lo + float(min(f[-1], g[-1])), _p_value(reference.counts, window.counts))


def changed(
    reference: CategoryCounts, window: CategoryCounts, most: int = CHANGED
) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]:
    """Return the categories whose shares differ most, the most first, and their shares in the window and before.

    Raises ValueError for a sample without a value.
    """
    before, now = reference.shares.tolist(), window.shares.tolist()
    pairs = dict(zip((*reference.categories.names, REST), zip(now, before, strict=True), strict=True))
    for name, count in window.new.items():
        share = count / float(window.n)
        pairs[name] = share, 0.0
        pairs[REST] = max(pairs[REST][0] - share, 0.0), pairs[REST][1]
    order = sorted(pairs, key=lambda name: (-abs(pairs[name][0] - pairs[name][1]), name))[:most]
    order = [name for name in order if abs(pairs[name][0] - pairs[name][1]) > _ROUNDING]
    return tuple(order), tuple(pairs[name][0] for name in order), tuple(pairs[name][1] for name in order)


def _p_value(reference: NDArray[Any], window: NDArray[Any]) -> float:
    from scipy.special import chdtrc

    both = reference + window
    smaller = min(reference.sum(), window.sum()) / both.sum()
    rare = both * smaller < FEWEST
    # By the frequency in both samples: without a change, it says nothing of the difference between them.
    order = np.argsort(-both[rare], kind="stable")
    starts = _groups(both[rare][order] * smaller)
    rows = [counts[~rare] for counts in (reference, window)]
    if starts:
        pooled = [np.add.reduceat(counts[rare][order], starts) for counts in (reference, window)]
        rows = [np.append(row, few) for row, few in zip(rows, pooled, strict=True)]
    table = np.array(rows)
    table = table[:, table.any(axis=0)]
    if table.shape[1] == 1:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = ((table - expected) ** 2 / expected).sum()
    return float(chdtrc(table.shape[1] - 1, statistic))


def _groups(expected: NDArray[Any]) -> list[int]:
    """Return where each group of neighbours with at least FEWEST expected values starts; the last has the rest."""
    starts = [0] if len(expected) else []
    total = 0.0
    left = float(expected.sum())
    for index, one in enumerate(expected.tolist()):
        if total >= FEWEST and left >= FEWEST:
            starts.append(index)
            total = 0.0
        total += one
        left -= one
    return starts
