"""A coordinate search: one option after the other, each candidate measured twice, in turn with the others."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pyflink_jobs.tuning.choice import Choice, choose, noise
from pyflink_jobs.tuning.options import PARALLELISM, TRIED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["REPEATS", "Search", "Step", "candidates_of", "in_turn"]

REPEATS = 2
T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """The measurements of one option's candidates, the value before, and the choice.

    `unit` is that of `measured`, such as "records/s".
    """

    key: str
    before: str
    measured: dict[str, list[float]]
    unit: str
    choice: Choice


@dataclass
class Search:
    """The options chosen so far, and the steps that chose them."""

    options: dict[str, str]
    steps: list[Step] = field(default_factory=list)

    def step(
        self,
        key: str,
        candidates: Sequence[str],
        measure: Callable[[dict[str, str]], float],
        unit: str,
        *,
        smaller: bool = False,
        others: Mapping[str, str] | None = None,
    ) -> Step:
        """Measure an option's candidates under the options chosen so far, and choose one.

        `others` are options for these measurements alone. The noise is that of all steps of this unit.
        """
        before = self.options[key]
        runs = in_turn(candidates, lambda value: measure({**self.options, **(others or {}), key: value}))
        alike = [step.measured for step in self.steps if step.unit == unit]
        sd = noise(values for measured in [*alike, runs] for values in measured.values())
        step = Step(key, before, runs, unit, choose(runs, before, sd, smaller=smaller))
        self.options[key] = step.choice.chosen
        self.steps.append(step)
        return step


def in_turn(candidates: Sequence[str], measure: Callable[[str], T]) -> dict[str, list[T]]:
    """Measure each candidate REPEATS times, in turn, every other round in reverse, so that trends affect all alike."""
    found: dict[str, list[T]] = {candidate: [] for candidate in candidates}
    for number in range(REPEATS):
        for candidate in reversed(candidates) if number % 2 else candidates:
            found[candidate].append(measure(candidate))
    return found


def candidates_of(key: str, now: str, partitions: int) -> list[str]:
    """Return the values of an option to try; a parallelism is at most the topic's number of partitions."""
    if key != PARALLELISM:
        return TRIED[key].candidates(now)
    most = min(os.cpu_count() or 1, partitions)
    powers = [2**i for i in range(most.bit_length()) if 2**i <= most]
    return [str(value) for value in sorted({*powers, most, int(now)})]
