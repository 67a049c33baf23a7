"""The bench that a job is tuned on: its runs, what they measured, and the options chosen so far."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.minicluster import minicluster
from pyflink_jobs.tuning.least_records import BATCHES, check_records
from pyflink_jobs.tuning.model_rows import rows_of_models
from pyflink_jobs.tuning.options import PARALLELISM, current
from pyflink_jobs.tuning.rows_per_call import InnerBatch, best_inner_batch
from pyflink_jobs.tuning.sample import take_sample
from pyflink_jobs.tuning.search import Search, candidates_of
from pyflink_jobs.tuning.trial_runs import CLUSTER, TrialRuns
from udfs.scoring.call_size import ROWS_PER_CALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.tuning.least_records import Least
    from pyflink_jobs.tuning.sample import Sample
    from pyflink_jobs.tuning.search import Step
    from pyflink_jobs.tuning.trial_runs import Trial

__all__ = ["Bench", "open_bench"]

_ROWS = 20_000  # records for the rows that the models are timed with
_MOST = 1_000_000  # records of a sample without a given size
_LONGEST = 30.0  # seconds of a run; there are about forty runs


@dataclass
class Bench:
    """A job that is tuned: its runs, the options chosen so far, and all measurements.

    `on_progress` is called with the number of runs so far, about how many there will be, and what is measured now.
    `sized` is True if the number of records in the sample was given.
    """

    trial_runs: TrialRuns
    search: Search
    on_progress: Callable[[int, int, str], None]
    sized: bool
    inner: list[InnerBatch] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    runs: int = 0
    _begun: int = 0

    @property
    def sample(self) -> Sample:
        """The records that the job is run over."""
        return self.trial_runs.sample

    def say(self, what: str) -> None:
        """Report what is measured now."""
        self.on_progress(max(0, self._begun - 1), self.runs, what)

    def begin(self, what: str) -> None:
        """Report what the next run is for, and count it."""
        self._begun += 1
        self.say(what)

    def run(self, what: str, options: dict[str, str]) -> Trial:
        """Run the job once over the sample."""
        self.begin(what)
        trial = self.trial_runs.run(options)
        self.trials.append(trial)
        return trial

    def warm_up(self, longest: float = _LONGEST) -> Trial:
        """Run the job once, so that the JVM loads and compiles its classes.

        If the sample has no given size, this run takes `longest` seconds at most, and the sample gets as many records
        as the job reads in that time at the rate of this run. A warm job takes about half as long for them.
        """
        self.begin("warming up")
        trial = self.trial_runs.run(self.search.options, math.inf if self.sized else longest)
        if not self.sized:
            self.trial_runs.sample = self.sample.last(max(1, round(trial.rate * longest)))
        return trial

    def time_models(self) -> None:
        """Choose the rows of a call for each model, on rows that it gets from the newest records of the sample."""
        sample = self.sample.last(_ROWS)
        with self.trial_runs.planned(self.search.options, sample.reads) as planned:
            self.say("reading the models' rows")
            for spec, batch in rows_of_models(planned):

                def show(size: int, name: str = spec.name) -> None:
                    self.say(f"{name}: {size} rows a call")

                found = best_inner_batch(spec, batch, show)
                self.inner.append(found)
                if found.choice:
                    # Also if it is the default, because the project's configuration may have another number.
                    key = f"pipeline.global-job-parameters.{ROWS_PER_CALL}{found.model}"
                    self.search.options[key] = found.choice.chosen

    def compare(self, key: str, others: dict[str, str] | None = None, unit: str = "records/s") -> Step:
        """Choose an option's value by records per second; `unit` names them if they are measured in another way."""
        values = candidates_of(key, self.search.options[key], len(self.sample.offsets))

        def measure(options: dict[str, str]) -> float:
            return self.run(f"{key}: {options[key]}", options).rate

        return self.search.step(key, values, measure, unit, others=others)


@contextmanager
def open_bench(
    project: Project,
    name: str,
    records: int | None,
    on_progress: Callable[[int, int, str], None] = lambda *_: None,
    *,
    least: Least = BATCHES,
    subtasks: int | None = None,
) -> Iterator[Bench]:
    """Take a sample of a job's source, and start a cluster with a slot for each subtask that may be tried.

    Without a number of `records`, the sample's size follows from the job's rate. It must be enough for `least` in each
    of the `subtasks`, or of the most that may be tried.
    Raises JobError for too few records, and what `take_sample` and the start of Flink raise.
    """
    on_progress(0, 0, "reading the project and its topic")
    job = declare(project).job(name)
    sample = take_sample(job, records or _MOST)
    options = current(project)
    slots = max(map(int, candidates_of(PARALLELISM, options[PARALLELISM], len(sample.offsets))))
    check_records(sample, name, least, slots if subtasks is None else subtasks, sized=records is not None)
    on_progress(0, 0, "starting Flink")
    with minicluster(project, slots, CLUSTER) as cluster:
        trial_runs = TrialRuns(project, job, sample, cluster)
        yield Bench(trial_runs, Search(options), on_progress, sized=records is not None)
