"""The rate in the middle of a bounded run, without its start-up and its last bundles."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pyflink_jobs.running.progress import JobCounts
    from pyflink_jobs.tuning.cpu_meter import CpuMeter

__all__ = ["Readings"]

_MIDDLE = (0.2, 0.8)  # of the records
_FEWEST = 3  # the fewest readings for an average


@dataclass
class Readings:
    """Readings of a running job, one for each call: the time, the records read, and a meter's CPU seconds.

    Records are those of `source`, or of all sources.
    """

    meter: CpuMeter
    source: str | None = None
    _readings: list[tuple[float, int, dict[str, float]]] = field(default_factory=list)

    def __call__(self, counts: JobCounts) -> None:
        """Take a reading."""
        read = counts.read.total() if self.source is None else counts.read[self.source]
        self._readings.append((monotonic(), read, self.meter.seconds))

    def rate(self, records: int) -> float:
        """Return records per second in the middle of a run over `records`; NaN for a run that is too short."""
        middle = self._middle(records)
        return 1 / _slope([seen for _, seen, _ in middle], [time for time, _, _ in middle])

    def cpu_us(self, records: int) -> dict[str, float]:
        """Return CPU microseconds per record there, by kind of process; NaN for a run that is too short."""
        middle = self._middle(records)
        reads = [seen for _, seen, _ in middle]
        return {kind: 1e6 * _slope(reads, [cpu[kind] for _, _, cpu in middle]) for kind in self.meter.seconds}

    def _middle(self, records: int) -> list[tuple[float, int, dict[str, float]]]:
        return [one for one in self._readings if _MIDDLE[0] * records < one[1] < _MIDDLE[1] * records]


def _slope(reads: list[int], values: list[float]) -> float:
    """Return the growth of `values` per record read: the slope of the line of best fit."""
    if len(set(reads)) < _FEWEST:
        return float("nan")
    return float(np.polyfit(reads, values, 1)[0])
