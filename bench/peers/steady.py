"""The middle of a run, by the times at which the broker appended the output: without start-up and end."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SHARES", "Steady", "steady"]

SHARES = (0.2, 0.8)
"""Between which shares of the output a run is measured."""


@dataclass(frozen=True)
class Steady:
    """So many records were appended from `start` until before `end`, both epoch milliseconds."""

    start: int
    end: int
    records: int

    @property
    def rate(self) -> float:
        """Records per second; NaN where all came within one millisecond."""
        return 1000 * self.records / (self.end - self.start) if self.end > self.start else float("nan")


def steady(appended_before: Callable[[int], int], first: int, last: int) -> Steady:
    """Return the interval in which the output grew from a fifth to four fifths.

    `appended_before` returns the records appended before an epoch millisecond; all were from `first` to `last`.
    A batch is appended as a whole. So the interval begins and ends with a batch, and has exactly those between.
    """
    everything = appended_before(last + 1)
    moments = range(first, last + 2)
    start, end = (moments[bisect_left(moments, share * everything, key=appended_before)] for share in SHARES)
    return Steady(start, end, appended_before(end) - appended_before(start))
