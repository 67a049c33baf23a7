"""One round: a job scores flights while faults are injected one after the other; then all records are counted."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random
from typing import TYPE_CHECKING

from bench.survival.flow import flow
from bench.survival.tally import Difference, Row, Try, differences, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.survival.faults import Fault
    from bench.survival.flow import Flow
    from bench.survival.site import Site

__all__ = ["RESCALED", "Round", "Step", "fault_steps", "rescale_steps", "run_round"]

_APART = 0.5, 3.5  # seconds between recovery and the next fault: at any moment between two checkpoints
_PARALLELISM = 4, 1, 2  # in turn; the job starts with the last
RESCALED = "savepoint, parallelism 2 -> 4 -> 1"


@dataclass(frozen=True)
class Step:
    """Something that happens to a job."""

    name: str
    happen: Callable[[Flow, Random], Try]


@dataclass(frozen=True)
class Round:
    """The rows of the table, and how each sink compares with that of the undisturbed run.

    `gave_up` are processes of the cluster that ended without being killed, by the fault before.
    """

    rows: list[Row]
    differences: dict[str, Difference]
    gave_up: list[str]


def fault_steps(faults: Sequence[Fault], tries: int) -> list[Step]:
    """Return steps that inject each fault `tries` times, in turn; outages a third as often.

    A kill affects a job at one moment. An outage covers all moments, and takes long.
    """

    def step(fault: Fault) -> Step:
        return Step(fault.name, lambda flowing, chance: _inject(flowing, fault, chance))

    often = {fault: math.ceil(tries / 3) if fault.lasts else tries for fault in faults}
    return [step(fault) for number in range(tries) for fault in faults if number < often[fault]]


def rescale_steps(tries: int) -> list[Step]:
    """Return `tries` steps, at least two, that stop the job with a savepoint and start it with another parallelism.

    One more if it would end with the highest: the undisturbed job needs slots too.
    """

    def step(parallelism: int) -> Step:
        return Step(RESCALED, lambda flowing, _: _rescale(flowing, parallelism))

    chosen = list(islice(cycle(_PARALLELISM), max(tries, 2) + 1))
    return [step(parallelism) for parallelism in (chosen if chosen[-2] == max(_PARALLELISM) else chosen[:-1])]


def run_round(site: Site, run: str, steps: Sequence[Step], rate: float, report: Callable[[str], None]) -> Round:
    """Run the steps one after the other, with `rate` records a second, and compare."""
    chance = Random(run)  # noqa: S311 - no secrets
    tries: list[Try] = []
    gave_up: list[str] = []
    with flow(site, run, rate) as flowing:
        for number, step in enumerate(steps, 1):
            time.sleep(chance.uniform(*_APART))
            report(f"{number} of {len(steps)}, {step.name}")
            tries.append(step.happen(flowing, chance))
            report(f"  flights are scored again after {tries[-1].recovered - tries[-1].over:.1f} s")
            # As a supervisor of the cluster's processes does.
            gave_up += [f"{role} after {step.name}" for role in site.start_cluster()]
        report("the undisturbed run")
        found, expected = flowing.end()
        rows = tally(tries, flowing.feeder.sent, found)
        return Round(rows, differences(found, expected, flowing.feeder.closing_ms), gave_up)


def _inject(flowing: Flow, fault: Fault, chance: Random) -> Try:
    restarts = flowing.restarts() if fault.must_restart else 0
    fault.begin(flowing.site, chance.randrange(1000))
    time.sleep(fault.lasts)
    over = time.time()
    fault.end(flowing.site)
    restarted = flowing.wait_for_restart(restarts) if fault.must_restart else over
    return Try(fault.name, over, flowing.wait_for_flights_sent_after(restarted))


def _rescale(flowing: Flow, parallelism: int) -> Try:
    stopped = flowing.rescale(parallelism)
    return Try(RESCALED, stopped, flowing.wait_for_flights_sent_after(stopped))
