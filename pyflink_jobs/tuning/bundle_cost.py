"""What a bundle costs, and which p99 follows from that.

A bundle of n rows takes  c = fixed + n * row,  and its operator waits for it: it takes no other row meanwhile.
Flink looks every bundle.time (T) whether the last bundle ended at least T ago, and only then sends the next one. So
bundles come in cycles of

    C = T * (1 + ceil(c / T)),      n = records per second of a subtask * C

and a row that comes at any moment of a cycle waits for its end and for its bundle: between c and C + c, evenly.

    p99 = rest + c + 0.99 * C

`rest` is all else: Kafka, decoding, the sink. It is measured, as what this formula leaves to explain.
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
"""Values of bundle.time that are considered, in milliseconds."""

_LONGEST = 60.0  # seconds: what takes longer never ends


@dataclass(frozen=True)
class BundleCost:
    """Seconds for a bundle, and for each row in it."""

    fixed: float
    row: float

    def of(self, rows: float) -> float:
        """Return the seconds for a bundle of so many rows."""
        return self.fixed + self.row * rows


@dataclass(frozen=True)
class Cycle:
    """What bundles come to at a steady pace: seconds from one to the next, rows in one, seconds that one takes."""

    seconds: float
    rows: float
    cost: float

    @property
    def p50(self) -> float:
        """The median of what a row waits for, in seconds."""
        return self.cost + 0.5 * self.seconds

    @property
    def p99(self) -> float:
        """The 99th percentile of what a row waits for, in seconds."""
        return self.cost + 0.99 * self.seconds


def fit(seconds: Mapping[int, Sequence[float]]) -> BundleCost:
    """Return the cost that explains best how many seconds bundles of so many rows took.

    Least squares of the relative errors; neither part is negative.

    >>> cost = fit({1000: [0.020], 2000: [0.030]})
    >>> round(cost.fixed, 6), round(cost.row, 9)
    (0.01, 1e-05)
    """
    rows = np.array([size for size, values in seconds.items() for _ in values], np.float64)
    took = np.array([value for values in seconds.values() for value in values], np.float64)
    # Scaled, so that both unknowns are of a size.
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
        # A hair less, so that a cost of exactly one step does not count as two.
        seconds = step * (1 + math.ceil(took / step - 1e-9))
        longer = cost.of(rate * seconds)
        if longer > _LONGEST:
            return None
        if math.isclose(longer, took, rel_tol=1e-9, abs_tol=1e-12):
            return Cycle(seconds, rate * seconds, longer)
        took = longer


def longest_time(cost: BundleCost, rate: float, limit: float) -> tuple[int, bool]:
    """Return the longest bundle.time with a p99 of at most `limit` seconds, and True.

    The longest costs the least. Where none keeps the limit, that with the smallest p99, and False.
    """
    p99 = {time: found.p99 for time in TIMES if (found := cycle(cost, rate, time))}
    good = [time for time, value in p99.items() if value <= limit]
    if good:
        return max(good), True
    return min(p99, key=lambda time: p99[time], default=TIMES[0]), False
