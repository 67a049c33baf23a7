"""CPU time per record with more slots, and per value in wider records: both are constant if the cost is linear.

The rates of two and four slots are also those that `millstream size` predicts from one, if it predicts well.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.medians import median_of_known
from bench.peers.contestants import CONTESTANTS, Task
from bench.peers.one_run import measure
from bench.records import COLUMNS, delete_topic, fill
from bench.wide_project import wide_project
from pyflink_jobs.local import broker
from pyflink_jobs.tuning.sizing import predict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.peers.one_run import Figures

__all__ = ["Line", "Predicted", "Shape", "growth_per_doubling", "lines", "predictions", "scaling"]

JOBS = ("none", "mlp")
SLOTS = (1, 2, 4)
FLOATS = (16, 64, 256)
AIM = 0.05
"""How much the cost may grow if slots or floats double."""

_SLOTS = 2  # of the wider records


@dataclass(frozen=True)
class Shape:
    """So many slots, and floats in a record."""

    slots: int
    floats: int


SHAPES = [*(Shape(slots, COLUMNS) for slots in SLOTS), *(Shape(_SLOTS, f) for f in FLOATS if f != COLUMNS)]


@dataclass(frozen=True)
class Line:
    """A job's CPU microseconds (per "record" or per "value") over a number of "slots" or of "floats"."""

    job: str
    over: str
    per: str
    x: list[int]
    us: list[float]
    growth: list[float]
    """From each x to the next, per doubling: 0.05 is 5 %."""


@dataclass(frozen=True)
class Predicted:
    """A job's records per second with some slots: as `millstream size` predicts them from one slot, and measured."""

    job: str
    slots: int
    predicted: float
    measured: float


def scaling(root: Path, bootstrap: str, records: int, rounds: int, jobs: Sequence[str] = JOBS) -> dict[str, object]:
    """Run the jobs in each shape, `rounds` times; print a table, return the figures for JSON.

    `records` are of 16 floats. There are fewer of the wider ones, so that all runs have the same number of values.
    """
    console = console_for_tables()
    running = broker.alive(root / ".millstream")
    assert running is not None, "it has just been started"  # noqa: S101
    machine = describe()
    counts = {floats: max(records * COLUMNS // floats, 1) for floats in FLOATS}
    filled = {floats: fill(bootstrap, count, floats=floats) for floats, count in counts.items()}
    runs: dict[tuple[Shape, str], list[Figures]] = {}
    with TemporaryDirectory(prefix="millstream-scaling-") as scratch, console.status("") as status:
        for shape in SHAPES:
            wide_project(root, _project(scratch, shape), shape.floats, shape.slots)
        for number in range(1, rounds + 1):
            for shape in SHAPES:
                for job in jobs:
                    status.update(f"round {number} of {rounds}: {job}, {_text(shape)}")
                    sink, project = f"scores-{time.time_ns()}", _project(scratch, shape)
                    task = Task(bootstrap, filled[shape.floats], sink, "json", exactly_once=False, project=project)
                    figures = measure(CONTESTANTS[job], task, counts[shape.floats], running.pid, Path(scratch) / "log")
                    runs.setdefault((shape, job), []).append(figures)
                    delete_topic(bootstrap, sink)
                    console.print(f"{job:5} {_text(shape):20} {figures.steady:9,.0f}/s  {figures.cpu_us:7.1f} µs")
    medians = {key: _medians(several) for key, several in runs.items()}
    found = lines({key: median["cpu_us"] for key, median in medians.items()})
    predicted = predictions(medians, float(os.cpu_count() or 1))
    console.print(_table(found, records, rounds))
    for one in predicted:
        console.print(f"{one.job}, {one.slots} slots: {one.predicted:,.0f}/s predicted, {one.measured:,.0f}/s measured")
    return {
        "machine": machine,
        "records": {str(floats): count for floats, count in counts.items()},
        "runs": [{**asdict(shape), **asdict(f)} for (shape, _), several in runs.items() for f in several],
        "lines": [asdict(line) for line in found],
        "predicted": [asdict(one) for one in predicted],
        "aim": AIM,
    }


def _project(scratch: str, shape: Shape) -> Path:
    return Path(scratch) / f"{shape.slots}-{shape.floats}"


def _text(shape: Shape) -> str:
    return f"{shape.slots} slots, {shape.floats} floats"


def _medians(several: Sequence[Figures]) -> dict[str, float]:
    names = ("steady", "cpu_us", "broker_us")
    found = {name: median_of_known(getattr(figures, name) for figures in several) for name in names}
    return {name: math.nan if median is None else median for name, median in found.items()}


def predictions(medians: Mapping[tuple[Shape, str], Mapping[str, float]], cores: float) -> list[Predicted]:
    """Predict the rates of several slots from one; the broker's CPU time is added, for it works on the same cores."""
    found = []
    for job in dict.fromkeys(job for _, job in medians):
        one = medians[Shape(1, COLUMNS), job]
        us = one["cpu_us"] + one["broker_us"]
        for slots in SLOTS[1:]:
            measured = medians[Shape(slots, COLUMNS), job]["steady"]
            found.append(Predicted(job, slots, predict(one["steady"], us, slots, cores), measured))
    return found


def lines(cpu_us: Mapping[tuple[Shape, str], float]) -> list[Line]:
    """Return each job's line over slots, per record, and over floats, per value, from microseconds per record."""
    found = []
    for job in dict.fromkeys(job for _, job in cpu_us):
        of_slots = [cpu_us[Shape(slots, COLUMNS), job] for slots in SLOTS]
        of_floats = [cpu_us[Shape(_SLOTS, floats), job] / floats for floats in FLOATS]
        found.append(Line(job, "slots", "record", [*SLOTS], of_slots, growth_per_doubling(SLOTS, of_slots)))
        found.append(Line(job, "floats", "value", [*FLOATS], of_floats, growth_per_doubling(FLOATS, of_floats)))
    return found


def growth_per_doubling(x: Sequence[int], y: Sequence[float]) -> list[float]:
    """Return by what share `y` grows, from each `x` to the next, for each doubling of `x` on the way."""
    steps = zip(pairwise(x), pairwise(y), strict=True)
    return [(after / before) ** (1 / math.log2(end / start)) - 1 for (start, end), (before, after) in steps]


def _table(found: list[Line], records: int, rounds: int) -> Table:
    title = f"{records:,} JSON records x 16 floats or as many values, Kafka to Kafka, CPU µs, median of {rounds}"
    table = Table(title=title, caption=f"aim: a doubling costs at most {AIM:.0%} more")
    for heading in ("job", "", "from", "to", "CPU µs per", "from", "to", "growth per doubling", "aim met"):
        table.add_column(heading, justify="left" if heading in ("job", "", "CPU µs per") else "right")
    for line in found:
        for x, us, growth in zip(pairwise(line.x), pairwise(line.us), line.growth, strict=True):
            cells = [line.job, line.over, *map(str, x), line.per, *(f"{value:.2f}" for value in us)]
            known = not math.isnan(growth)
            met = ("yes" if growth <= AIM else "no") if known else "-"
            table.add_row(*cells, f"{growth:+.1%}" if known else "-", met)
    return table
