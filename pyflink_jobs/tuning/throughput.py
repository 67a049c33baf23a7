"""Tune a job for records per second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.tuning.choice import noise, typical
from pyflink_jobs.tuning.options import TRIED
from pyflink_jobs.tuning.search import REPEATS, candidates_of, in_turn

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyflink_jobs.tuning.bench import Bench

__all__ = ["Gain", "tune_throughput"]


@dataclass(frozen=True)
class Gain:
    """Records per second before and after tuning, measured in turn, and the `noise` of one measurement."""

    before: list[float]
    tuned: list[float]
    noise: float

    @property
    def times(self) -> float:
        """How many times as fast the tuned job is."""
        return typical(self.tuned) / typical(self.before)


def tune_throughput(bench: Bench, only: Collection[str] = ()) -> Gain:
    """Choose the options, or `only` some of them, one after the other; then measure the gain of all together."""
    before = dict(bench.search.options)
    calls_models = bool(bench.trial_runs.job.calls)
    keys = [key for key, option in TRIED.items() if key in only or (not only and (calls_models or not option.python))]
    partitions = len(bench.sample.offsets)
    candidates = sum(len(candidates_of(key, before[key], partitions)) for key in keys)
    bench.runs = 1 + REPEATS * (candidates + 2)
    bench.warm_up()
    if not only:
        bench.time_models()
    for key in keys:
        bench.compare(key)
    settings = {"before": before, "tuned": bench.search.options}

    def measure(name: str) -> float:
        return bench.run("before tuning" if name == "before" else "after tuning", settings[name]).rate

    runs = in_turn(list(settings), measure)
    values = [rates for step in bench.search.steps for rates in step.measured.values()]
    return Gain(runs["before"], runs["tuned"], noise([*values, *runs.values()]))
