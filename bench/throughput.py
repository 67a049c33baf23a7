"""Records per second from JSON in Kafka, with a model and without, and their ratio."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from bench.console import console_for_tables
from bench.machine import describe
from bench.medians import add_columns, cells, median_of_known
from bench.one_job import Figures, measure
from bench.records import delete_topic, fill

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["JOBS", "throughput"]

JOBS = tuple(f"{model}_{sink}" for sink in ("blackhole", "kafka") for model in ("none", "mlp", "monitored", "gbm"))
SCORES = "scores"
"""The topic with the last Kafka job's output."""


def throughput(root: Path, bootstrap: str, records: int, rounds: int, jobs: tuple[str, ...]) -> dict[str, object]:
    """Run the jobs in turn, `rounds` times; print a table, return its figures for JSON."""
    console = console_for_tables()
    topic = fill(bootstrap, records)
    machine = describe()
    runs: list[dict[str, Figures]] = []
    with console.status("") as status:
        for number in range(1, rounds + 1):
            runs.append({})
            for job in jobs:
                status.update(f"round {number} of {rounds}: {job}")
                delete_topic(bootstrap, SCORES)
                figures = measure(root, job, records, {"BENCH_RECORDS": topic, "BENCH_SCORES": SCORES})
                runs[-1][job] = figures
                console.print(f"{job:14} {figures.seconds:6.1f} s  {figures.steady:9,.0f}/s  {figures.cpu_us:5.1f} µs")
    console.print(_table(runs, records))
    return {
        "machine": machine,
        "records": records,
        "runs": [asdict(figures) for run in runs for figures in run.values()],
        "jobs": {job: _medians(runs, job) for job in jobs},
    }


def _medians(runs: list[dict[str, Figures]], job: str) -> dict[str, float | None]:
    """Return a job's medians over the rounds; a ratio is taken within its round."""
    mine = [run[job] for run in runs]
    model, _, sink = job.partition("_")
    # A monitored model is compared with the same model without a monitor.
    yardstick = f"mlp_{sink}" if model == "monitored" else f"none_{sink}"
    base = [run[yardstick] for run in runs if yardstick in run]
    values = {
        "seconds": [f.seconds for f in mine],
        "rate": [f.rate for f in mine],
        "steady": [f.steady for f in mine],
        "cpu_us": [f.cpu_us for f in mine],
        "jvm_us": [f.steady_us["jvm"] for f in mine],
        "python_us": [f.steady_us["python"] for f in mine],
        "steal": [f.steal for f in mine],
        "ratio": [f.rate / b.rate for f, b in zip(mine, base, strict=False)],
        "steady_ratio": [f.steady / b.steady for f, b in zip(mine, base, strict=False)],
    }
    return {name: median_of_known(numbers) for name, numbers in values.items()}


def _table(runs: list[dict[str, Figures]], records: int) -> Table:
    table = Table(
        title=f"{records:,} JSON records x 16 floats from Kafka, median of {len(runs)}; base: none, of monitored: mlp"
    )
    table.add_column("job")
    columns = {
        "seconds": ("seconds", "{:.1f}"),
        "rate": ("records/s", "{:,.0f}"),
        "ratio": ("of base", "{:.2f}"),
        "steady": ("steady/s", "{:,.0f}"),
        "steady_ratio": ("of base", "{:.2f}"),
        "cpu_us": ("CPU µs", "{:.1f}"),
        "jvm_us": ("steady: JVM", "{:.1f}"),
        "python_us": ("Python", "{:.1f}"),
        "steal": ("steal s", "{:.1f}"),
    }
    add_columns(table, columns)
    for job in runs[0]:
        table.add_row(job, *cells(_medians(runs, job), columns))
    return table
