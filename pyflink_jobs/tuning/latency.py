"""Tune a job for a limit on the 99th percentile of its delay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pyflink_jobs.errors import MillstreamError
from pyflink_jobs.project.interpreter import EXECUTION_MODE, PROCESS, THREAD
from pyflink_jobs.tuning import measure_latency
from pyflink_jobs.tuning.bundle_cost import BundleCost, cycle, fit, longest_time
from pyflink_jobs.tuning.least_records import Least
from pyflink_jobs.tuning.options import ARROW, BUFFER, BUNDLE, METRICS, PARALLELISM, REUSE, TIME
from pyflink_jobs.tuning.search import candidates_of, in_turn

if TYPE_CHECKING:
    from pyflink_jobs.tuning.bench import Bench
    from pyflink_jobs.tuning.bundle_cost import Cycle
    from pyflink_jobs.tuning.measure_latency import Latency

__all__ = ["BUNDLES", "Bound", "tune_latency"]

_SIZES = (500, 1000, 2000, 5000, 20000)  # rows of a bundle whose cost is measured

BUNDLES = Least(_SIZES[-1], f"a bundle of {_SIZES[-1]:,} rows, the largest that is timed")
"""For delays."""
_SMALL = {BUNDLE: "1000", TIME: "1000"}  # bundles that end by their size, so that the fixed cost dominates
_ROWS = {EXECUTION_MODE: THREAD, TIME: "1000"}  # a monitor still has bundles, which rows wait for
_ATTEMPTS = 4
_LONG = "1 s"  # a buffer timeout that no limit would allow
_RUNS = 27  # about: one to warm up, 8 for two options, 10 for bundles, 8 at the records' own rate


class _UnknownDelayError(Exception):
    """A job whose delay cannot be measured."""


@dataclass(frozen=True)
class Bound:
    """The result of the search for a bundle.time; times in milliseconds.

    `cost` is that of a bundle, `seconds` the measurements it was fitted to. `expected` is the cycle by the formula,
    None if a subtask cannot keep up. `rest` is the measured delay beyond the formula, 0 if `latencies` is empty: then
    only bundles were measured. `p99` is the largest measured one with the chosen options, or else the formula's.
    `rows` are the delays without bundles, with rows scored in the JVM: measured where bundles do not meet the limit.
    """

    limit: float
    rate: float
    parallelism: int
    cost: BundleCost
    seconds: dict[int, list[float]]
    time: int
    expected: Cycle | None
    rest: float
    latencies: list[Latency]
    p99: float
    rows: list[Latency] = field(default_factory=list)

    @property
    def met(self) -> bool:
        """Whether the limit is met."""
        return self.p99 <= self.limit

    @property
    def in_jvm(self) -> bool:
        """Whether rows are to be scored in the JVM: their delays are the smaller ones."""
        return bool(self.rows) and self.p99 == max(latency.p99 for latency in self.rows)


def tune_latency(bench: Bench, limit: float, rate: float) -> Bound:
    """Choose the options with which the p99 stays below `limit` milliseconds at `rate` records a second.

    First the options that make a bundle cheaper, then the longest bundle.time that meets the limit. If there is none,
    rows in the JVM, without bundles: they share a process with Flink, and are the last resort.
    """
    bench.runs = _RUNS
    bench.search.options[EXECUTION_MODE] = PROCESS
    bench.warm_up()
    bench.time_models()
    for key in (METRICS, REUSE):
        bench.compare(key, _SMALL, f"records/s in bundles of {_SMALL[BUNDLE]} rows")
    parallelism = int(bench.search.options[PARALLELISM])
    seconds = _seconds_of_bundles(bench, parallelism)
    cost = fit(seconds)
    share = rate / parallelism
    time, _ = longest_time(cost, share, limit / 1000)
    rest, found = 0.0, _choose_buffer(bench, time, rate)
    for _ in range(_ATTEMPTS):
        if not found:
            break
        worst = max(latency.p99 for latency in found)
        rest = max(rest, worst - _formula(cost, share, time))
        shorter, _ = longest_time(cost, share, (limit - rest) / 1000)
        if worst <= limit or shorter == time:
            break
        time = shorter
        found = _confirm(bench, time, rate)
    expected = cycle(cost, share, time)
    p99 = max((latency.p99 for latency in found), default=_formula(cost, share, time))
    bench.search.options[TIME] = str(time)
    rows = _in_jvm(bench, rate) if found and p99 > limit else []
    bound = Bound(limit, rate, parallelism, cost, seconds, time, expected, rest, found, p99)
    if rows and (best := max(latency.p99 for latency in rows)) < p99:
        bound = replace(bound, p99=best, rows=rows)
        bench.search.options |= _ROWS
    return bound


def _in_jvm(bench: Bench, rate: float) -> list[Latency]:
    """Return the delays with rows in the JVM; [] for a job that cannot run so."""
    found = []
    for _ in range(2):
        bench.begin(f"{EXECUTION_MODE}: {THREAD} at {rate:,.0f} records/s")
        try:
            latency = measure_latency.measure(bench.trial_runs, {**bench.search.options, **_ROWS}, rate)
        except MillstreamError:
            return []
        if latency is None:
            return []
        found.append(latency)
    return found


def _seconds_of_bundles(bench: Bench, parallelism: int) -> dict[int, list[float]]:
    """Return the seconds that a subtask takes for bundles of some sizes when records are always waiting."""

    def measure(size: str) -> float:
        arrow = str(min(int(size), int(bench.search.options[ARROW])))
        options = {**bench.search.options, **_SMALL, BUNDLE: size, ARROW: arrow}
        return int(size) * parallelism / bench.run(f"bundles of {size} rows", options).rate

    return {int(size): values for size, values in in_turn(list(map(str, _SIZES)), measure).items()}


def _confirm(bench: Bench, time: int, rate: float) -> list[Latency]:
    """Return the delays with a bundle.time, measured at the records' own rate; [] where they cannot be measured."""
    found = []
    for _ in range(2):
        bench.begin(f"{TIME}: {time} at {rate:,.0f} records/s")
        latency = measure_latency.measure(bench.trial_runs, {**bench.search.options, TIME: str(time)}, rate)
        if latency is None:
            return []
        found.append(latency)
    return found


def _choose_buffer(bench: Bench, time: int, rate: float) -> list[Latency]:
    """Choose the buffer timeout by p99; return the delays with it, [] where they cannot be measured."""
    seen: dict[str, list[Latency]] = {}

    def measure(options: dict[str, str]) -> float:
        bench.begin(f"{BUFFER}: {options[BUFFER]}, at {rate:,.0f} records/s")
        latency = measure_latency.measure(bench.trial_runs, options, rate)
        if latency is None:
            raise _UnknownDelayError
        seen.setdefault(options[BUFFER], []).append(latency)
        return max(latency.p99, 1.0)

    now = bench.search.options[BUFFER]
    values = [value for value in candidates_of(BUFFER, now, 1) if value != _LONG or value == now]
    try:
        step = bench.search.step(
            BUFFER, values, measure, f"p99 in ms, bundle.time {time}", smaller=True, others={TIME: str(time)}
        )
    except _UnknownDelayError:
        return []
    return seen[step.choice.chosen]


def _formula(cost: BundleCost, share: float, time: int) -> float:
    found = cycle(cost, share, time)
    return 1000 * found.p99 if found else float("inf")
