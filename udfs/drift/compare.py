"""Compare a window with its reference, column by column.

>>> from udfs.distributions.bins import Bins
>>> from udfs.distributions.count_layout import Features
>>> from udfs.distributions.counts import count
>>> features = Features(("delay",), (Bins(np.array([0, 15], np.float32)),))
>>> reference, window = (count(features, [np.array(x, np.float32)]) for x in ([-3, 5, 5, 20], [20, 20, 20, np.nan]))
>>> [found] = compare(reference, window)
>>> found.n, found.nulls, found.d_lo
(3, 1, 0.75)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from udfs.distributions.categorical import changed, noise, total_variation
from udfs.distributions.categories import CategoryCounts
from udfs.distributions.ks import ks
from udfs.distributions.psi import psi
from udfs.distributions.quantiles import quantiles
from udfs.distributions.wasserstein import wasserstein
from udfs.drift.thresholds import together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from udfs.distributions.counts import Counts
    from udfs.distributions.histogram import Histogram

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """A feature in a window against the reference; `n` is how many values it has, `nulls` how many are NULL.

    `d_lo` and `d_hi` are the bounds of the Kolmogorov-Smirnov distance, or of the total variation for text; `p` is the
    p-value of its test. They are None where either side has no value. Only numbers have `psi`, `wasserstein` (in the
    column's own unit) and quantiles (those of SHOWN). Only text has `noise`: what its distance is without a change, on
    average (see `udfs.distributions.categorical.noise`); and `categories`: those that changed most, with their shares
    in the window and in the reference.
    """

    feature: str
    n: int
    nulls: int
    reference_n: int
    reference_nulls: int
    d_lo: float | None = None
    d_hi: float | None = None
    p: float | None = None
    psi: float | None = None
    wasserstein: float | None = None
    quantiles: tuple[float | None, ...] = ()
    reference_quantiles: tuple[float | None, ...] = ()
    noise: float = 0.0
    categories: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    reference_shares: tuple[float, ...] = ()

    @property
    def brief(self) -> Comparison:
        """The same without what only a result shows: all that later windows need of it."""
        sizes = self.n, self.nulls, self.reference_n, self.reference_nulls
        return Comparison(self.feature, *sizes, self.d_lo, p=self.p, noise=self.noise)

    @property
    def size(self) -> float:
        """The size of both samples together: see `udfs.drift.thresholds.together`."""
        return together(self.n, self.reference_n)

    @property
    def null_shift(self) -> float:
        """The difference of the shares of NULL; 0 where either side has no row."""
        rows, reference_rows = self.n + self.nulls, self.reference_n + self.reference_nulls
        if not rows or not reference_rows:
            return 0.0
        return abs(self.nulls / rows - self.reference_nulls / reference_rows)


def compare(reference: Counts | None, window: Counts) -> list[Comparison]:
    """Compare all columns of a window with the reference, in their order; `reference` is None where there is none."""
    features = window.features
    numbers = _numbers(reference, window) if features.numbers else iter(())
    return [
        next(numbers) if index in features.numbers else _text(reference, window, index)
        for index in range(len(features.names))
    ]


def _text(reference: Counts | None, window: Counts, index: int) -> Comparison:
    then, now = reference.column(index) if reference else None, window.column(index)
    of_reference = (int(then.n), int(then.nulls)) if then else (0, 0)
    sizes = window.features.names[index], int(now.n), int(now.nulls), *of_reference
    if not isinstance(then, CategoryCounts) or not isinstance(now, CategoryCounts) or not then.n or not now.n:
        return Comparison(*sizes)
    distance = total_variation(then, now)
    d_lo, d_hi, p = _finite(np.array([distance.lo, distance.hi, distance.p], float))
    names, shares, reference_shares = changed(then, now)
    return Comparison(
        *sizes,
        d_lo,
        d_hi,
        p,
        noise=noise(then, now),
        categories=names,
        shares=shares,
        reference_shares=reference_shares,
    )


def _numbers(reference: Counts | None, window: Counts) -> Iterator[Comparison]:
    """Yield the comparisons of the numeric columns, which are computed all at once."""
    names = [window.features.names[index] for index in window.features.numbers]
    then, now = reference.numbers if reference else None, window.numbers
    sizes = now.n, now.nulls, then.n if then else 0 * now.n, then.nulls if then else 0 * now.n
    tests = np.full((len(names), 5), np.nan)
    shown_then: list[tuple[float | None, ...]] = [()] * len(names)
    if then:
        both = np.flatnonzero(now.n * then.n)
        tests[both] = _tests(then.take(both), now.take(both)) if len(both) else 0
        shown_then = [shown if n else () for shown, n in zip(_shown(then), now.n, strict=True)]
    columns = [np.asarray(size).tolist() for size in sizes]
    for name, n, nulls, then_n, then_nulls, row, shown, reference_shown in zip(
        names, *columns, tests, _shown(now), shown_then, strict=True
    ):
        d_lo, d_hi, p, index, area = _finite(row)
        yield Comparison(name, n, nulls, then_n, then_nulls, d_lo, d_hi, p, index, area, shown, reference_shown)


def _tests(reference: Histogram, window: Histogram) -> NDArray[np.float64]:
    """Return d_lo, d_hi, p, psi and wasserstein of each column, float64 of shape (columns, 5)."""
    distance = ks(reference, window)
    index, area = psi(reference, window).estimate, wasserstein(reference, window).estimate
    return np.column_stack([np.asarray(each, float) for each in (distance.lo, distance.hi, distance.p, index, area)])


def _shown(sample: Histogram) -> list[tuple[float | None, ...]]:
    """Return the quantiles of each column; () for a column without a value."""
    shown: list[tuple[float | None, ...]] = [()] * len(sample.counts)
    known = np.flatnonzero(sample.n)
    if len(known):
        for row, found in zip(known, quantiles(sample.take(known)), strict=True):
            shown[row] = tuple(_finite(found))
    return shown


def _finite(numbers: NDArray[np.float64]) -> list[float | None]:
    """Return numbers, with None for infinity and NaN, which JSON does not have."""
    return [number if isfinite(number) else None for number in numbers.tolist()]
