"""How well `millstream size` predicts: the rate at parallelism 2 from a measurement at parallelism 1."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import psutil
from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.one_job import Figures, measure
from bench.records import delete_topic, fill
from pyflink_jobs.tuning.choice import typical
from pyflink_jobs.tuning.sizing import predict

if TYPE_CHECKING:
    from pathlib import Path

    from pyflink_jobs.local.broker import Broker

__all__ = ["JOBS", "size"]

JOBS = ("mlp_blackhole", "gbm_blackhole", "mlp_kafka", "gbm_kafka")
_SLOTS = (1, 2)
_SCORES = "scores"
_COLUMNS = ("job", "one slot", "CPU µs", "broker µs", "2 slots: predicted", "by", "measured", "predicted / measured")


def size(root: Path, broker: Broker, records: int, rounds: int, jobs: tuple[str, ...]) -> dict[str, object]:
    """Run each job with one slot and with two, `rounds` times in turn; print a table, return its figures for JSON.

    The prediction is that of `millstream size`, with the broker's CPU time added: it works on the same cores.
    """
    console = console_for_tables()
    topic = fill(broker.bootstrap_servers, records)
    runs: dict[tuple[str, int], list[tuple[Figures, float]]] = {}
    with console.status("") as status:
        for number in range(1, rounds + 1):
            for job in jobs:
                for slots in _SLOTS if number % 2 else reversed(_SLOTS):
                    status.update(f"round {number} of {rounds}: {job}, {slots} slots")
                    run = _run(root, broker, topic, job, records, slots)
                    runs.setdefault((job, slots), []).append(run)
                    console.print(f"{job:14} {slots}  {run[0].steady:9,.0f}/s  {run[0].cpu_us:5.1f} µs")
    table = Table(title=f"{records:,} records, geometric means of {rounds} rounds; {os.cpu_count()} cores")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in ("job", "by") else "right")
    rows = [_row(runs, job) for job in jobs]
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)
    figures = [{"slots": slots, "broker_us": us, **asdict(f)} for (_, slots), found in runs.items() for f, us in found]
    return {"machine": describe(), "records": records, "rows": rows, "runs": figures}


def _run(root: Path, broker: Broker, topic: str, job: str, records: int, slots: int) -> tuple[Figures, float]:
    """Run a job once; return its figures and the broker's CPU microseconds per record meanwhile."""
    delete_topic(broker.bootstrap_servers, _SCORES)
    variables = {"BENCH_RECORDS": topic, "BENCH_SCORES": _SCORES, "MILLSTREAM_PARALLELISM": str(slots)}
    process = psutil.Process(broker.pid)
    before = process.cpu_times()
    figures = measure(root, job, records, variables)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return figures, 1e6 * spent / records


def _row(runs: dict[tuple[str, int], list[tuple[Figures, float]]], job: str) -> dict[str, object]:
    one, two = runs[job, 1], runs[job, 2]
    slot_rate, us = typical([_steady(f) for f, _ in one]), typical([_us(f) for f, _ in one])
    beside = typical([broker_us for _, broker_us in one])
    predicted = predict(slot_rate, us + beside, 2, float(os.cpu_count() or 1))
    measured = typical([_steady(f) for f, _ in two])
    return {
        "job": job,
        "slot_rate": f"{slot_rate:,.0f}",
        "us": f"{us:.1f}",
        "broker_us": f"{beside:.1f}",
        "predicted": f"{predicted:,.0f}",
        "by": "slots" if math.isclose(predicted, 2 * slot_rate) else "cores",
        "measured": f"{measured:,.0f}",
        "ratio": f"{predicted / measured:.2f}",
    }


def _steady(figures: Figures) -> float:
    return figures.rate if math.isnan(figures.steady) else figures.steady


def _us(figures: Figures) -> float:
    steady = sum(figures.steady_us.values())
    return figures.cpu_us if math.isnan(steady) else steady
