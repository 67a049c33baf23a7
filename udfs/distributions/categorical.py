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

__all__ = ["FEWEST", "total_variation"]

FEWEST = 5.0
"""Categories with fewer expected values are pooled for the test (Cochran, 1954, Biometrics 10, 417-451)."""


def total_variation(reference: CategoryCounts, window: CategoryCounts) -> Distance:
    """Compare two samples by half the sum of |f - g| over all categories, with shares f and g.

    That is the largest difference of the shares that any set of categories has; it is symmetric and at most 1. Of the
    rest, only the total shares F and G are known: it adds at least |F - G| / 2, which gives `lo` and the estimate, and
    at most (F + G) / 2, which gives `hi`.

    `p` is that of the chi-square test for two samples, with rare categories pooled; 1 where one category is left.

    Raises ValueError for a sample without a value.
    """
    f, g = reference.shares, window.shares
    lo = float(np.abs(f - g).sum() / 2)
    return Distance(lo, lo, lo + float(min(f[-1], g[-1])), _p_value(reference.counts, window.counts))


def _p_value(reference: NDArray[Any], window: NDArray[Any]) -> float:
    from scipy.special import chdtrc

    both = reference + window
    smaller = min(reference.sum(), window.sum()) / both.sum()
    rare = both * smaller < FEWEST
    table = np.array([[*counts[~rare], counts[rare].sum()] for counts in (reference, window)])
    table = table[:, table.any(axis=0)]
    if table.shape[1] == 1:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = ((table - expected) ** 2 / expected).sum()
    return float(chdtrc(table.shape[1] - 1, statistic))
