"""The cost of a record, measured with one slot on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyflink_jobs.planning.compile.explanation import count_python_operators
from pyflink_jobs.tuning.options import PARALLELISM
from pyflink_jobs.tuning.sizing import WORKER, Cost

if TYPE_CHECKING:
    from pyflink_jobs.planning.declarations import Job
    from pyflink_jobs.tuning.bench import Bench
    from pyflink_jobs.tuning.trial_runs import Trial

__all__ = ["MeasuredCost", "declared_workers", "measure_cost"]

_REPEATS = 2
_LONGEST = 60.0  # seconds of a run: three of them warm up the JVM even if the job is slow
_MIB = 2**20


@dataclass(frozen=True)
class MeasuredCost:
    """A cost and the runs that it was measured in."""

    cost: Cost
    trials: list[Trial]


def measure_cost(bench: Bench) -> MeasuredCost:
    """Run the job twice over the sample at parallelism 1, after a run to warm up."""
    bench.runs = 1 + _REPEATS
    bench.search.options[PARALLELISM] = "1"
    bench.warm_up(_LONGEST)
    trials = [bench.run("one slot", bench.search.options) for _ in range(_REPEATS)]
    with bench.trial_runs.planned(bench.search.options, bench.sample.reads) as planned:
        workers = min(1, count_python_operators(planned))
    held = max(trial.workers for trial in trials) / _MIB
    worker = held / workers if workers and held else float(WORKER)
    us = sum(trial.us for trial in trials) / len(trials)
    return MeasuredCost(Cost(us, sum(trial.rate for trial in trials) / len(trials), workers, worker), trials)


def declared_workers(job: Job) -> tuple[int, float]:
    """Return the number of Python workers in a slot of a job, and the assumed MiB of each, from its SQL alone.

    All Python operators of a slot share one worker.
    """
    calls = {call.key: call for call in job.calls}
    models = [job.models[call.model.text] for call in calls.values()]
    files = sum(Path(path).stat().st_size for model in models for path in model.spec.files)
    return min(1, len(models)), WORKER + files / _MIB
