"""The cost of a bundle, and the p99 that follows from it.

A bundle of n rows takes  c = fixed + n * row.  Its operator waits for it and accepts no other row in that time.
Flink checks every bundle.time (T) whether the last bundle ended at least T ago, and only then sends the next one. So
bundles are sent in cycles of

    C = T * (1 + ceil(c / T)),      n = records per second of a subtask * C

and a row that arrives at any moment of a cycle waits for the cycle's end and for its bundle: between c and C + c,
uniformly.

    p99 = rest + c + 0.99 * C

`rest` is everything else: Kafka, decoding, the sink. It is the measured delay minus the formula's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["TIMES", "BundleCost", "Cycle", "cycle", "fit", "longest_time"]

TIMES = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
"""The values of bundle.time to choose from, in milliseconds."""

_LONGEST = 60.0  # seconds: longer cycles count as never ending


@dataclass(frozen=True)
class BundleCost:
    """Seconds of a bundle, and of each row in it."""

    fixed: float
    row: float

    def of(self, rows: float) -> float:
        """Return the seconds of a bundle with so many rows."""
        return self.fixed + self.row * rows


@dataclass(frozen=True)
class Cycle:
    """Bundles at a steady rate: seconds from one to the next, rows in one, seconds of one."""

    seconds: float
    rows: float
    cost: float

    @property
    def p50(self) -> float:
        """The median wait of a row, in seconds."""
        return self.cost + 0.5 * self.seconds

    @property
    def p99(self) -> float:
        """The 99th percentile of a row's wait, in seconds."""
        return self.cost + 0.99 * self.seconds


def fit(seconds: Mapping[int, Sequence[float]]) -> BundleCost:
    """Return the cost that fits the measured seconds of bundles by their rows.

    Least squares of the relative errors, with non-negative parts.

    >>> cost = fit({1000: [0.020], 2000: [0.030]})
    >>> round(cost.fixed, 6), round(cost.row, 9)
    (0.01, 1e-05)
    """
    rows = np.array([size for size, values in seconds.items() for _ in values], np.float64)
    took = np.array([value for values in seconds.values() for value in values], np.float64)
    # Scaled, so that both unknowns have the same magnitude.
    scale = rows.mean()
    found, _ = nnls(np.stack([1 / took, rows / scale / took], axis=1), np.ones_like(took))
    return BundleCost(float(found[0]), float(found[1] / scale))


def cycle(cost: BundleCost, rate: float, milliseconds: int) -> Cycle | None:
    """Return the cycle of a subtask that gets `rate` records a second with this bundle.time; None if it cannot keep up.

    >>> cycle(BundleCost(0.012, 0.0), 2000, 5)
    Cycle(seconds=0.02, rows=40.0, cost=0.012)
    """
    step = milliseconds / 1000
    took = cost.fixed
    while True:
        # Slightly less, so that a cost of exactly one step does not count as two.
        seconds = step * (1 + math.ceil(took / step - 1e-9))
        longer = cost.of(rate * seconds)
        if longer > _LONGEST:
            return None
        if math.isclose(longer, took, rel_tol=1e-9, abs_tol=1e-12):
            return Cycle(seconds, rate * seconds, longer)
        took = longer


def longest_time(cost: BundleCost, rate: float, limit: float) -> tuple[int, bool]:
    """Return the longest bundle.time with a p99 of at most `limit` seconds, and True.

    The longest costs the least CPU. If none meets the limit, return the one with the smallest p99, and False.
    """
    p99 = {time: found.p99 for time in TIMES if (found := cycle(cost, rate, time))}
    good = [time for time, value in p99.items() if value <= limit]
    if good:
        return max(good), True
    return min(p99, key=lambda time: p99[time], default=TIMES[0]), False
