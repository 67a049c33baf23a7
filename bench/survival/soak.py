"""A job for a long time near its capacity: whether it keeps up, memory grows, anything is lost or scored twice."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

import numpy as np
import psutil

from bench.survival.flow import Flow, flow
from bench.survival.reader import committed
from bench.survival.tally import places
from pyflink_jobs.cluster.jobs import cancel, first_checkpoint
from pyflink_jobs.rest import Rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bench.survival.site import Site

__all__ = ["Growth", "Soak", "capacity", "soak"]

_BACKLOG = 60_000  # records: enough for a steady rate, in a minute
_SHARE = 0.8  # of the capacity
_EVERY = 5.0  # seconds between two samples
_WARM_UP = 0.2  # of the time: a JVM's memory grows after its start


@dataclass(frozen=True)
class Growth:
    """A process's memory: its mean (MiB of resident set) and its slope by least squares (MiB an hour, +- `error`).

    `error` is the slope's standard error.
    """

    process: str
    mean: float
    slope: float
    error: float


@dataclass(frozen=True)
class Soak:
    """The result of a soak. Rates are records a second; lags are records sent and not yet read as scored."""

    capacity: float
    rate: float
    minutes: float
    records: int
    scored: int
    quarantined: int
    lost: int
    duplicated: int
    restarts: int
    lag_median: float
    lag_worst: int
    lag_slope: float
    lag_error: float
    growth: list[Growth]


def capacity(site: Site, run: str) -> float:
    """Return how many records a second the job reads from a backlog, after its first fifth."""
    flowing = Flow(site, run, rate=1, backlog=_BACKLOG)
    times = flowing.reader.times
    sent = flowing.feeder.sent
    first, last = sent.flights // 5, sent.flights * 19 // 20
    flowing.wait_for(lambda: len(times) > last, 300, "the backlog is not scored")
    rate = (last - first) / (times[last] - times[first]) * sent.records / sent.flights
    flowing.reader.stop()
    cancel(Rest(site.url), flowing.job_id)
    return rate


def soak(site: Site, run: str, full: float, minutes: float, report: Callable[[str], None]) -> Soak:
    """Feed a job at 80 % of its capacity `full` for so many minutes, and count."""
    with flow(site, run, full * _SHARE) as flowing:
        samples = _Samples(flowing)
        began = time.monotonic()
        while (passed := (time.monotonic() - began) / 60) < minutes:
            time.sleep(min(60, 60 * (minutes - passed)))
            report(
                f"  minute {passed + 1:.0f} of {minutes:.0f}, lag {samples.lags[-1] if samples.lags else 0:,} records"
            )
        samples.stop()
        restarts = flowing.restarts()
        flowing.feeder.stop()
        flowing.wait_for_all(120)
        first_checkpoint(Rest(site.url), flowing.job_id, 120)
        flowing.reader.stop()
        scored = _counts(flowing)
        quarantined = places(committed(site.bootstrap, f"quarantine-{run}"), "partition", "offset")
        cancel(Rest(site.url), flowing.job_id)
    sent = flowing.feeder.sent
    lost = duplicated = 0
    for partition, valid in sent.valid.items():
        known = ~np.isnan(np.array(sent.at[partition]))
        times = scored.get(partition, np.zeros(0, np.int64))[: len(known)]
        times = np.pad(times, (0, len(known) - len(times)))
        held = np.zeros(len(known), np.int64)
        for (number, offset), count in quarantined.items():
            if number == partition and offset < len(held):
                held[offset] = count
        right = np.where(np.array(valid, bool), times, held)
        lost += int((known & (right == 0)).sum())
        duplicated += int(np.maximum(times + held - 1, 0)[known].sum())
    lag_slope, lag_error = _slope(samples.moments, samples.lags)
    return Soak(
        full,
        full * _SHARE,
        minutes,
        sent.records,
        sum(int((counts > 0).sum()) for counts in scored.values()),
        len(quarantined),
        lost,
        duplicated,
        restarts,
        float(np.median(samples.lags)),
        max(samples.lags),
        lag_slope,
        lag_error,
        samples.growth(),
    )


class _Samples:
    """Samples memory and lag every few seconds, in a thread."""

    def __init__(self, flowing: Flow) -> None:
        self.moments: list[float] = []
        self.lags: list[int] = []
        self._memory: dict[str, list[tuple[float, float]]] = {}
        self._flowing = flowing
        self._stopped = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def growth(self) -> list[Growth]:
        """Return each process's growth, after the warm-up."""
        grown = []
        begin = self.moments[int(len(self.moments) * _WARM_UP)]
        for name, samples in sorted(self._memory.items()):
            kept = np.array([sample for sample in samples if sample[0] >= begin])
            if len(kept) > 2:  # noqa: PLR2004 - a line's error needs three points
                slope, error = _slope(kept[:, 0].tolist(), kept[:, 1].tolist())
                grown.append(Growth(name, float(kept[:, 1].mean()), slope, error))
        return grown

    def _look(self) -> None:
        while not self._stopped.wait(_EVERY):
            now = time.time()
            site, feeder = self._flowing.site, self._flowing.feeder
            self.moments.append(now)
            self.lags.append(feeder.sent.flights - len(self._flowing.reader.times))
            named = dict(site.processes())
            for role, workers in site.workers().items():
                named |= {f"{role}, Python worker {worker.pid}": worker for worker in workers}
            for name, process in named.items():
                try:
                    self._memory.setdefault(name, []).append((now, process.memory_info().rss / 2**20))
                except psutil.Error:
                    continue


def _counts(flowing: Flow) -> dict[int, NDArray[np.int64]]:
    partitions, offsets = np.array(flowing.reader.partitions), np.array(flowing.reader.offsets)
    return {int(number): np.bincount(offsets[partitions == number]) for number in np.unique(partitions)}


def _slope(seconds: list[float], values: list[float] | list[int]) -> tuple[float, float]:
    """Return the slope by least squares and its standard error, an hour."""
    x = (np.array(seconds) - seconds[0]) / 3600
    y = np.array(values, float)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    rest = y - y.mean() - slope * (x - x.mean())
    return slope, float(np.sqrt((rest**2).sum() / (len(x) - 2) / spread))
