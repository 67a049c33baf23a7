"""Compare a window with its reference, column by column."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from udfs.categorical import total_variation
from udfs.categories import CategoryCounts
from udfs.ks import ks
from udfs.psi import psi
from udfs.quantiles import quantiles
from udfs.wasserstein import wasserstein

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udfs.counts import Counts
    from udfs.histogram import Histogram

__all__ = ["Comparison", "compare", "from_json", "to_json"]


@dataclass(frozen=True)
class Comparison:
    """What became of a feature in a window: `n` values and `nulls` of it, against those of the reference.

    `d_lo` and `d_hi` are the bounds of the Kolmogorov-Smirnov distance, for text those of the total variation, and `p`
    is the test's. They are None where either side has no value. `psi`, `wasserstein` and the quantiles are for numbers.
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

    @property
    def null_shift(self) -> float:
        """The difference of the shares of NULL; 0 where either side has no row."""
        rows, reference_rows = self.n + self.nulls, self.reference_n + self.reference_nulls
        if not rows or not reference_rows:
            return 0.0
        return abs(self.nulls / rows - self.reference_nulls / reference_rows)


def to_json(comparisons: Sequence[Comparison]) -> str:
    """Return comparisons as text."""
    return json.dumps([asdict(c) for c in comparisons])


def from_json(text: str) -> list[Comparison]:
    """Return what `to_json` wrote."""
    return [_comparison(values) for values in json.loads(text)]


def _comparison(values: dict[str, Any]) -> Comparison:
    kept: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Comparison(**kept)


def compare(reference: Counts | None, window: Counts) -> list[Comparison]:
    """Compare all columns of a window; `reference` is None where there is none for it."""
    return [
        _column(name, reference.column(index) if reference else None, window.column(index))
        for index, name in enumerate(window.features.names)
    ]


def _column(name: str, reference: Histogram | CategoryCounts | None, window: Histogram | CategoryCounts) -> Comparison:
    reference_n, reference_nulls = (reference.n, reference.nulls) if reference else (0, 0)
    sizes = name, window.n, window.nulls, reference_n, reference_nulls
    if isinstance(window, CategoryCounts):
        if not isinstance(reference, CategoryCounts) or not reference.n or not window.n:
            return Comparison(*sizes)
        distance = total_variation(reference, window)
        return Comparison(*sizes, distance.lo, distance.hi, distance.p)
    now = _shown(window)
    if reference is None or isinstance(reference, CategoryCounts) or not reference.n or not window.n:
        return Comparison(*sizes, quantiles=now)
    distance = ks(reference, window)
    area = wasserstein(reference, window).estimate
    index = psi(reference, window).estimate
    return Comparison(
        *sizes, distance.lo, distance.hi, distance.p, index, area if isfinite(area) else None, now, _shown(reference)
    )


def _shown(sample: Histogram) -> tuple[float | None, ...]:
    """Return the quantiles that are shown; None for infinite ones, for JSON has no such number."""
    return tuple(float(q) if isfinite(q) else None for q in quantiles(sample)) if sample.n else ()
