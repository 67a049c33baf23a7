"""The demo: send five months of real flights to Kafka, score them with Flink, and write a report."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyflink_jobs.demo import flights
from pyflink_jobs.demo.bad_records import send_bad_records
from pyflink_jobs.demo.delete_topics import delete
from pyflink_jobs.demo.outcomes import Outcomes, read_outcomes
from pyflink_jobs.demo.pictures import require_matplotlib
from pyflink_jobs.demo.ready_topics import make_ready
from pyflink_jobs.demo.report import write
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.errors import ProjectError
from pyflink_jobs.local import broker
from pyflink_jobs.planning.compile.load import Run
from pyflink_jobs.planning.declare import declare
from pyflink_jobs.running.job import run_job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyflink_jobs.demo.steps import Steps
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.running.progress import JobCounts

__all__ = ["SPAN", "Demo", "run_demo"]

JOB = "score"
FROM, TO = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 9, 1, tzinfo=UTC)
SPAN = "April to August 2013"
FILLED = ("predictions", "drift", "alerts", "quarantine")  # topics that the job fills
ELSEWHERE = ("MILLSTREAM_KAFKA", "KAFKA_BOOTSTRAP_SERVERS")  # variables that name another Kafka


@dataclass(frozen=True)
class Demo:
    """The demo's results; `rate` is in flights a second; `kafka_runs` if the broker was running before and still is."""

    outcomes: Outcomes
    rate: float
    kafka_runs: bool


def run_demo(project: Project, file: Path, steps: Steps) -> Demo:
    """Send the flights of April to August 2013, score them, write the report to `file`, and stop what was started.

    The local broker's topics departures, weather, arrivals and those of FILLED are emptied first.
    Raises ProjectError where the project has no job `score`, another Kafka is set, or matplotlib or the flights are
    not installed, and what the steps raise.
    """
    _check(project)
    with _kafka(project, steps) as kafka:
        departures = _send(kafka.bootstrap_servers, steps)
        rate = _score(project, departures, steps)
        with steps.step("Report") as step:
            step.show("reading predictions and arrivals")
            outcomes = read_outcomes(kafka.bootstrap_servers)
            step.show("drawing")
            write(file, outcomes, rate)
            step.show(f"compared {outcomes.labelled:,} predictions with arrivals")
    return Demo(outcomes, rate, not kafka.started_now)


def _check(project: Project) -> None:
    """Find what would stop the demo later, before anything starts."""
    if elsewhere := [name for name in ELSEWHERE if name in os.environ]:
        raise ProjectError(
            "the demo empties topics, so it only uses the local broker",
            facts=tuple(f"{name} is {os.environ[name]}" for name in elsewhere),
            fixes=(f"unset it: env {' '.join(f'-u {name}' for name in elsewhere)} millstream demo",),
        )
    require_matplotlib()
    declare(project).job(JOB)


@contextmanager
def _kafka(project: Project, steps: Steps) -> Iterator[broker.Broker]:
    with steps.step("Kafka") as step:
        step.show("starting")
        kafka = broker.start(project.state)
        state = f"{'listens' if kafka.started_now else 'already runs'} at {kafka.bootstrap_servers}"
        step.show("; ".join([state, *kafka.notes]))
    try:
        yield kafka
    finally:
        if kafka.started_now:
            broker.stop(project.state)


def _send(bootstrap: str, steps: Steps) -> int:
    """Fill the topics and return the number of departures."""
    with steps.step("Flights") as step:
        step.show(f"reading {SPAN}")
        events = flights.events(FROM, TO)
        emptied = delete(bootstrap, [*flights.TOPICS, *FILLED])
        make_ready(bootstrap, fresh=False)

        def show(count: int, sent_ms: int) -> None:
            step.show(f"{datetime.fromtimestamp(sent_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC", count, len(events))

        sent = send_flights(events, bootstrap, progress=show)
        bad = send_bad_records(bootstrap)
        instead = f", in place of {sum(topic.records for topic in emptied):,} older ones" if emptied else ""
        counts = ", ".join(f"{count:,} {name}" for name, count in sent.records.items())
        step.show(f"{SPAN}: {counts}{instead}; and {bad} made-up invalid records")
    return sent.records["departures"]


def _score(project: Project, departures: int, steps: Steps) -> float:
    """Run the job and return its rate in departures a second."""
    with steps.step("Score") as step:
        step.show("planning SQL, starting Flink")

        def show(counts: JobCounts) -> None:
            read = f"{sum(counts.read.values()):,} records read"
            if counts.state == "RUNNING":  # the final counts do not have scored rows
                step.show(f"{read}, {counts.scored:,} of {departures:,} flights scored", counts.scored, departures)

        outcome = run_job(project, declare(project).job(JOB), Run(bounded=True), on_progress=show)
        if outcome.state != "FINISHED":
            raise KeyboardInterrupt  # Ctrl-C, which running the job has turned into a state
        read, rate = outcome.counts.read["departures"], departures / outcome.seconds
        step.show(f"{read:,} flights read in {outcome.seconds:.1f} s, the job's start included: {rate:,.0f}/s")
    return rate
