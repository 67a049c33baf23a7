"""Records per second, time to the first prediction and CPU time of the flights' job, as it is and without parts."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.table import Table

from bench.console import console_for_tables
from bench.flights.ways import LOOP, WAYS, contestant, write_projects
from bench.machine import describe
from bench.medians import add_columns, cells, median_of_known
from bench.peers.append_times import appended_before
from bench.peers.contestants import Task
from bench.peers.one_run import measure
from bench.records import delete_topic
from pyflink_jobs.demo.flights import events
from pyflink_jobs.demo.ready_topics import make_ready
from pyflink_jobs.demo.send_flights import send_flights
from pyflink_jobs.local import broker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.peers.one_run import Figures

__all__ = ["flights"]

_START = datetime(2013, 4, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """A run of a way: its figures, the records it scored, and seconds from its start to its first prediction."""

    way: str
    slots: int
    records: int
    first: float
    figures: Figures


def flights(
    root: Path, bootstrap: str, days: int, rounds: int, ways: Sequence[str] = WAYS, slots: Sequence[int] = (1, 2)
) -> dict[str, object]:
    """Run the ways in turn, `rounds` times, over some days of flights; print a table, return its figures for JSON."""
    console = console_for_tables()
    running = broker.alive(root / ".millstream")
    assert running is not None, "it has just been started"  # noqa: S101
    machine = describe()
    sample = events(_START, _START + timedelta(days=days))
    make_ready(bootstrap, fresh=True)
    send_flights(sample, bootstrap)
    count = len(sample.topics["departures"])
    runs: list[Run] = []
    with TemporaryDirectory(prefix="millstream-flights-") as scratch, console.status("") as status:
        write_projects(Path(scratch))
        for number in range(1, rounds + 1):
            for way in ways:
                for several in slots if way != LOOP else slots[:1]:
                    status.update(f"round {number} of {rounds}: {way}, {several} slots")
                    run = _measure(Path(scratch), bootstrap, running.pid, way, several, count)
                    runs.append(run)
                    f = run.figures
                    console.print(
                        f"{way:10} {several} slots {f.steady:7,.0f}/s  {f.cpu_us:6.0f} µs  "
                        f"first {run.first:5.1f} s  all {f.seconds:5.1f} s"
                    )
    medians = _medians(runs)
    console.print(_table(medians, count, rounds))
    return {
        "machine": machine,
        "departures": count,
        "runs": [{**asdict(run), **asdict(run.figures)} for run in runs],
        "medians": medians,
    }


def _measure(scratch: Path, bootstrap: str, broker_id: int, way: str, slots: int, records: int) -> Run:
    sink = f"predictions-{time.time_ns()}"
    task = Task(bootstrap, "departures", sink, "json", exactly_once=False, project=scratch / way)
    began = time.time()
    figures = measure(contestant(way, slots), task, records, broker_id, scratch / "log")
    first = _first(bootstrap, sink, began, time.time()) - began
    delete_topic(bootstrap, sink)
    return Run(way, slots, records, first, figures)


def _first(bootstrap: str, topic: str, began: float, ended: float) -> float:
    """Return when a topic got its first record, in seconds since 1970."""
    with appended_before(bootstrap, topic) as appended:
        moments = range(math.floor(1000 * began), math.ceil(1000 * ended) + 2)
        return moments[bisect_left(moments, 1, key=appended)] / 1000


def _medians(runs: Iterable[Run]) -> dict[str, dict[str, float | None]]:
    """Return the medians of a way with some slots; None for runs too short to measure."""
    values: dict[str, list[dict[str, float]]] = {}
    for run in runs:
        f = run.figures
        figures = {"steady": f.steady, "first": run.first, "seconds": f.seconds, "cpu_us": f.cpu_us, "steal": f.steal}
        values.setdefault(f"{run.way}, {run.slots} slots", []).append(figures)
    return {
        kind: {name: median_of_known(each[name] for each in several) for name in several[0]}
        for kind, several in values.items()
    }


def _table(medians: Mapping[str, Mapping[str, float | None]], count: int, rounds: int) -> Table:
    table = Table(title=f"{count:,} flights, Kafka to Kafka, median of {rounds}")
    columns = {
        "steady": ("steady/s", "{:,.0f}"),
        "cpu_us": ("CPU µs", "{:.0f}"),
        "first": ("first prediction, s", "{:.1f}"),
        "seconds": ("whole run, s", "{:.1f}"),
        "steal": ("steal s", "{:.1f}"),
    }
    table.add_column("")
    add_columns(table, columns)
    for kind, figures in medians.items():
        table.add_row(kind, *cells(figures, columns))
    return table
