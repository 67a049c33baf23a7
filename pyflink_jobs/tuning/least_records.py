"""How many records a measurement needs at least: with fewer, a run is only its start, and options make no difference.

An option decides how many rows go together. It makes a difference only if each subtask gets at least as many rows as
the smallest group that is tried, or as the group that is timed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink_jobs.errors import JobError
from pyflink_jobs.tuning.options import ARROW, TRIED

if TYPE_CHECKING:
    from pyflink_jobs.tuning.sample import Sample

__all__ = ["BATCHES", "Least", "check_records"]


@dataclass(frozen=True)
class Least:
    """The rows that each subtask must get, and what they are."""

    rows: int
    what: str


BATCHES = Least(
    int(TRIED[ARROW].values[0]), f"an Arrow batch of {int(TRIED[ARROW].values[0]):,} rows, the smallest that is tried"
)
"""For rates: see `Option.values`."""


def check_records(sample: Sample, job: str, least: Least, subtasks: int, *, sized: bool) -> None:
    """Raise JobError for a sample with fewer records than a measurement needs; `sized` if its size was given."""
    needed = least.rows * subtasks
    if sample.records >= needed:
        return
    each = f"in each of {subtasks} subtasks" if subtasks > 1 else "in a subtask"
    raise JobError(
        f"{sample.records:,} records of topic `{sample.topic}` are too few to measure job `{job}`: at least {needed:,} "
        "are needed",
        facts=(f"a run must fill {least.what}, {each}; with fewer, it is only its start",),
        fixes=("use a larger --sample, or none",) if sized else ("write more records to the topic first",),
    )
