"""All benches, at a scale at which they take about half an hour together, and the table of aims."""

from __future__ import annotations

import math
import operator
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from bench.alarms import alarms
from bench.console import console_for_tables
from bench.flights.table import flights
from bench.latency import latency
from bench.latency_ways import BASELINE, WAYS
from bench.peers.comparison import peers
from bench.quarantine import quarantine
from bench.scaling import AIM, scaling
from bench.startup import COMMANDS, startup
from bench.throughput import throughput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.peers.contestants import Form

__all__ = ["aims", "everything"]

# The single benches run longer by default; a JVM is warm after about ten million records.
_RECORDS = 2_000_000
_FEWER = 1_000_000
_DAYS = 45
_BLACKHOLE = ("none_blackhole", "mlp_blackhole")
_LOOPS = ("mlp", "gbm", "loop_mlp", "loop_gbm", "java_mlp", "java_gbm")
_TAKING_PART: dict[tuple[Form, bool], tuple[str, ...]] = {  # the others take minutes for this many records
    ("json", False): ("flink_sql", "monitored", *_LOOPS),
    ("avro", False): _LOOPS,
    ("json", True): ("flink_sql", "mlp", "loop_mlp", "java_mlp"),
}


def everything(root: Path, bootstrap: str) -> Iterator[dict[str, Any]]:
    """Run all benches; print their tables and the table of aims. After each, yield all figures so far for JSON."""
    found: dict[str, Any] = {}
    for name, bench in _benches(root, bootstrap).items():
        found[name] = bench()
        yield found
    table = Table(title="aims")
    for title in ("figure", "aim", "found", "met"):
        table.add_column(title, justify="left" if title in ("figure", "met") else "right")
    for row in aims(found):
        table.add_row(*row)
    console_for_tables().print(table)


def _benches(root: Path, bootstrap: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return the benches in the order in which they run, by name."""

    def compared(form: Form, *, exactly_once: bool) -> Callable[[], dict[str, Any]]:
        names = _TAKING_PART[form, exactly_once]
        return lambda: peers(root, bootstrap, _RECORDS, 1, names, form, exactly_once=exactly_once)

    return {
        "peers": compared("json", exactly_once=False),
        "peers, Avro": compared("avro", exactly_once=False),
        "peers, exactly once": compared("json", exactly_once=True),
        "latency": lambda: latency(root, bootstrap, (2000,), 30, [*WAYS]),
        "startup": lambda: startup(root, bootstrap, 2, COMMANDS),
        "scaling": lambda: scaling(root, bootstrap, _FEWER, 1, jobs=("mlp",)),
        "flights": lambda: flights(root, bootstrap, _DAYS, 1),
        "throughput": lambda: throughput(root, bootstrap, _FEWER, 1, _BLACKHOLE),
        "quarantine": lambda: quarantine(root, bootstrap, _FEWER // 2, 1),
        "alarms": lambda: alarms(references=5, windows=1000, runs=20, bins=256),
    }


def aims(found: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield what is measured, the aim, what was found, and whether it meets the aim; "-" if that is unknown."""
    json, avro, once = (found[name]["medians"] for name in ("peers", "peers, Avro", "peers, exactly once"))
    for medians, form, name, yardstick, column, aim in (
        (json, "JSON", "mlp", "Flink SQL without a model", "sql", 0.9),
        (json, "JSON", "gbm", "Flink SQL without a model", "sql", 0.9),
        (json, "JSON", "monitored", "Flink SQL without a model", "sql", 0.85),
        (json, "JSON", "mlp", "a plain loop", "loop", 1.0),
        (json, "JSON", "gbm", "a plain loop", "loop", 1.0),
        (avro, "Avro", "mlp", "Flink Java in micro-batches", "java", 1.0),
        (avro, "Avro", "gbm", "Flink Java in micro-batches", "java", 1.0),
        (avro, "Avro", "mlp", "a plain loop", "loop", 0.9),
        (avro, "Avro", "gbm", "a plain loop", "loop", 0.9),
        (once, "JSON, exactly once", "mlp", "Flink SQL without a model", "sql", 0.9),
        (once, "JSON, exactly once", "mlp", "Flink Java in micro-batches", "java", 1.0),
        (once, "JSON, exactly once", "mlp", "a plain loop", "loop", 0.9),
    ):
        rate = medians[name][f"{column}_rate"]
        yield _row(f"{form}: {name}, of {yardstick}", aim, rate, "{:.2f}", operator.ge)
    times = {run["way"]: run for run in found["latency"]["runs"]}
    low = times["rows"]
    yield _row("latency, median, ms", 10, low["p50"], "{:.0f}", operator.le)
    yield _row("latency, p99, ms", 35, low["p99"], "{:.0f}", operator.le)
    for name, words, aim in (
        (BASELINE, "the job without a model", 1.5),
        ("java", "Flink Java, a row a call", 1.0),
        ("kafka_streams", "Kafka Streams", 1.0),
    ):
        for key in ("p50", "p99"):
            yield _row(f"latency, {key}, of {words}", aim, low[key] / times[name][key], "{:.2f}", operator.le)
    seconds = {run["command"]: median(run["seconds"]) for run in found["startup"]["runs"]}
    for command, what, aim in (
        ("small", "small job: first prediction, s", 8),
        ("flights", "flights: first prediction, s", 8),
        ("check", "check, s", 5),
        ("help", "--help, s", 0.3),
    ):
        yield _row(what, aim, seconds[command], "{:.1f}", operator.le)
    steady = {kind: figures["steady"] for kind, figures in found["flights"]["medians"].items()}
    for what, kind, base, aim in (
        ("flights, monitored, of their SQL without a model", "monitored, 1 slots", "sql, 1 slots", 0.9),
        ("flights, monitored, two slots, of one", "monitored, 2 slots", "monitored, 1 slots", 1.7),
    ):
        share = steady[kind] / steady[base] if steady[kind] and steady[base] else None
        yield _row(what, aim, share, "{:.2f}", operator.ge)
    for line in found["scaling"]["lines"]:
        worst = float(np.max(line["growth"]))  # NaN if one of them is
        yield _row(f"{line['job']}: growth per doubling of {line['over']}", AIM, worst, "{:+.0%}", operator.le)


def _row(what: str, aim: float, value: float | None, form: str, meets: Any) -> tuple[str, str, str, str]:  # noqa: ANN401 - operator's functions have no common type
    if value is None or math.isnan(value):
        return what, form.format(aim), "-", "-"
    return what, form.format(aim), form.format(value), "yes" if meets(value, aim) else "no"
