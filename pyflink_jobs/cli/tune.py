"""`millstream tune` and `size`: measure a job on this machine, to choose its options and estimate its needs."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.project.settings import Project
    from pyflink_jobs.tuning.bench import Bench
    from pyflink_jobs.tuning.latency import Bound
    from pyflink_jobs.tuning.least_records import Least
    from pyflink_jobs.tuning.sizing import Cost, Size
    from pyflink_jobs.tuning.throughput import Gain

__all__ = ["size", "tune"]

_SAMPLE = click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="RECORDS",
    help="How many of the newest records to use (default: by speed, at most a million).",
)


def _span(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read a duration such as 50ms; return milliseconds."""
    from pyflink_jobs.project.units import seconds

    if value is None:
        return None
    if (found := seconds(value)) is None:
        raise click.BadParameter(f"{value!r} is not a duration such as 50ms", ctx, param)
    return 1000 * found


@click.command()
@click.argument("job")
@click.option("--throughput", is_flag=True, help="Maximise records a second.")
@click.option(
    "--p99", "limit", callback=_span, metavar="DURATION", help="Keep the 99th percentile of latency below this: 50ms."
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Records a second for --p99.")
@_SAMPLE
@click.option("--only", multiple=True, metavar="OPTION", help="With --throughput: tune only this option; repeatable.")
@click.option("--output", type=click.Path(path_type=Path), help="Output file (default: flink-conf/tuned-JOB.yaml).")
@JSON
@click.pass_obj
def tune(
    context: Context,
    job: str,
    *,
    throughput: bool,
    limit: float | None,
    rate: float | None,
    sample: int | None,
    only: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> int:
    """Measure JOB on this machine, and write a Flink configuration with a reason for each value.

    The job runs about forty times over the newest records of its topic. Its output is discarded, or written to
    temporary topics. --p99 assumes the rate of the topic's records unless --rate is given. Exit code 1 if the limit
    cannot be met, or if there are too few records to measure: 1,000 for each subtask, 20,000 with --p99.

    \b
    Example:
      millstream tune score --throughput
      millstream tune score --p99 50ms --rate 2000
    """
    if throughput == (limit is not None):
        raise click.UsageError("choose one of --throughput and --p99 DURATION")
    if (only and limit is not None) or (rate is not None and throughput):
        raise click.UsageError("--only requires --throughput, --rate requires --p99")
    from pyflink_jobs.tuning import report
    from pyflink_jobs.tuning.latency import BUNDLES, tune_latency
    from pyflink_jobs.tuning.least_records import BATCHES
    from pyflink_jobs.tuning.options import PARALLELISM, current, known
    from pyflink_jobs.tuning.throughput import tune_throughput

    known(only)
    file = output or Path("flink-conf") / f"tuned-{job}.yaml"
    shown = context.project.relative(context.project.root / file).as_posix()
    found: Gain | Bound
    least = BATCHES if limit is None else BUNDLES
    subtasks = None if limit is None else int(current(context.project)[PARALLELISM])
    with _bench(context.project, job, sample, least, subtasks) as bench:
        if limit is None:
            found = tune_throughput(bench, only)
            text = report.of_throughput(bench, found, f"millstream tune {job} --throughput", shown)
            summary = report.too_short(bench) or f"{found.times:.2f} times as many records/s as before"
        else:
            found = tune_latency(bench, limit, rate or _own_rate(bench))
            command = f"millstream tune {job} --p99 {limit:g}ms" + (f" --rate {rate:g}" if rate else "")
            text = report.of_latency(bench, found, command, shown)
            summary = report.expectation(found)
    target = context.project.root / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    if as_json:
        click.echo(json.dumps({"file": shown, **report.as_json(bench, found)}, indent=2))
    else:
        click.echo(text)
        click.echo(f"{shown} written: {summary}")
    return 0 if limit is None or getattr(found, "met", True) else 1


def _own_rate(bench: Bench) -> float:
    from pyflink_jobs.errors import JobError

    if bench.sample.rate is None:
        raise JobError(
            f"the rate of topic `{bench.sample.topic}` is not known: its records have all the same time in Kafka",
            fixes=("set it: --rate 2000",),
        )
    return bench.sample.rate


@click.command()
@click.argument("job")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), required=True, help="Records a second.")
@click.option("--us", type=click.FloatRange(min=0, min_open=True), help="CPU µs a record (default: measured now).")
@click.option(
    "--headroom",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.5,
    show_default=True,
    help="Share of each slot kept free, for peaks and to catch up after a failure.",
)
@_SAMPLE
@JSON
@click.pass_obj
def size(
    context: Context, job: str, *, rate: float, us: float | None, headroom: float, sample: int | None, as_json: bool
) -> None:
    """Estimate the slots, partitions and memory that JOB needs, and show the formulas.

    The cost of a record is measured in three runs with one slot, over the newest records of the job's topic. The runs
    do not write to the job's topics.

    \b
    Example:
      millstream size score --rate 1000000
      millstream size score --rate 1000000 --us 20
    """
    from pyflink_jobs.tuning.sizing import size as needs

    cost, partitions, rests_on = _given(context.project, job, us) if us else _measured(context.project, job, sample)
    found = needs(rate, cost, headroom)
    if as_json:
        click.echo(json.dumps({"job": job, **asdict(found), "rests_on": rests_on}, indent=2))
    else:
        click.echo(_table(job, found, partitions))
        click.echo(f"\n{rests_on}")


def _table(job: str, found: Size, partitions: int | None) -> str:
    from pyflink_jobs.tuning.sizing import lines

    rows = lines(found, partitions)
    wide, long = (max(len(row[column]) for row in rows) for column in (0, 1))
    head = f"{job} at {found.rate:,.0f} records/s"
    return "\n".join([head, *(f"  {name:<{wide}}  {formula:<{long}}  = {result}" for name, formula, result in rows)])


def _given(project: Project, job: str, us: float) -> tuple[Cost, int | None, str]:
    from pyflink_jobs.planning.declare import declare
    from pyflink_jobs.tuning.measured_cost import declared_workers
    from pyflink_jobs.tuning.sizing import Cost

    workers, worker = declared_workers(declare(project).job(job))
    words = f"Based on --us {us:g}; nothing was measured. A worker is assumed to use 190 MiB plus its models."
    return Cost(us, None, workers, worker), None, words


def _measured(project: Project, job: str, sample: int | None) -> tuple[Cost, int | None, str]:
    from pyflink_jobs.tuning import report
    from pyflink_jobs.tuning.least_records import BATCHES
    from pyflink_jobs.tuning.measured_cost import measure_cost

    with _bench(project, job, sample, BATCHES, 1) as bench:
        found = measure_cost(bench)
    each = " and ".join(f"{trial.us:.1f} µs at {trial.rate:,.0f}/s" for trial in found.trials)
    read = found.trials[0].records
    words = (
        f"Based on two runs with one slot, {read:,} records each, on this machine: {each}. {report.machine()}. "
        f"{report.sample_in_words(bench)} Other processors, brokers and networks differ."
    )
    if not all(trial.steady for trial in found.trials):
        words += " The sample is too small for a steady rate: start-up is included, so the estimate is far too high."
    return found.cost, len(bench.sample.offsets), words


@contextmanager
def _bench(project: Project, job: str, sample: int | None, least: Least, subtasks: int | None) -> Iterator[Bench]:
    """Open a bench with a progress bar on a terminal; elsewhere, print a line for each run."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from pyflink_jobs.tuning.bench import open_bench

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        shown: tuple[int, int] | None = None

        def show(done: int, runs: int, what: str) -> None:
            nonlocal shown
            bar.update(task, completed=done, total=max(runs, done + 1) if runs else None, description=what)
            if bar.disable and (not runs or shown != (done, runs)):
                shown = (done, runs)
                click.echo(f"run {done + 1} of {max(runs, done + 1)}: {what}" if runs else what, err=True)

        with open_bench(project, job, sample, show, least=least, subtasks=subtasks) as bench:
            yield bench
