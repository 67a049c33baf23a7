"""`millstream run`: a job in a MiniCluster on this machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyflink_jobs import JobCounts, Outcome
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.project.settings import Project

__all__ = ["run"]

_PATIENCE = 10.0  # seconds
_FOREVER = 2**62  # a bounded source that has ended sends a watermark beyond this


@click.command()
@click.argument("job")
@click.option("--bounded", is_flag=True, help="Read what is in the topics now, then end.")
@click.option("--parallelism", type=click.IntRange(min=1), help="Parallel subtasks (default: the project's setting).")
@JSON
@click.pass_obj
def run(context: Context, job: str, *, bounded: bool, parallelism: int | None, as_json: bool) -> None:
    """Run a job until Ctrl-C; with --bounded, until it has read what is in its topics now.

    \b
    Example:
      millstream run score --bounded
    """
    from pyflink_jobs.running.minicluster import early_minicluster, slots_of

    meter = _Meter()
    project = context.project
    with early_minicluster(project, parallelism or slots_of(project)) as starting:
        from rich.console import Console

        with Console(stderr=True).status(f"{job}: planning, starting Flink") as status:
            from pyflink_jobs import run as run_job
            from pyflink_jobs.running.progress import expired_words

            names = _Names(project)

            def show(counts: JobCounts) -> None:
                status.update(f"{job}: {meter.line(counts)}")
                names.look(counts.read)

            outcome = run_job(
                project, job, bounded=bounded, parallelism=parallelism, on_progress=show, starting=starting
            )
        names.end()
        for line in expired_words(outcome.counts.expired):
            click.secho(line, fg="yellow", err=True)
        if as_json:
            click.echo(json.dumps(_as_json(outcome), indent=2))
        else:
            click.echo(_summary(job, outcome))


class _Names:
    """Compares names of columns with those in records, once a table has some: beside the job, which reads as before."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._looked: set[str] = set()
        self._threads: list[Thread] = []

    def look(self, tables: Iterable[str]) -> None:
        """Begin with those of the tables that are new."""
        new = sorted(set(tables) - self._looked)
        if new:
            self._looked |= set(new)
            self._threads.append(Thread(target=_print_absent_columns, args=(self._project, new), daemon=True))
            self._threads[-1].start()

    def end(self) -> None:
        """Wait for what is printed, some seconds."""
        deadline = monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0, deadline - monotonic()))


def _print_absent_columns(project: Project, tables: list[str]) -> None:
    from pyflink_jobs.planning.checks.absent_columns import absent_columns
    from pyflink_jobs.planning.project_tables import ProjectTables

    declared = ProjectTables(project).declared
    for absent in absent_columns(declared[name] for name in tables if name in declared):
        click.secho(str(absent.finding), fg="red" if absent.near else "yellow", err=True)


class _Meter:
    """Writes counts as a line: records read and scored, rate, watermark, lag."""

    def __init__(self) -> None:
        self._last = (monotonic(), 0)

    def line(self, counts: JobCounts) -> str:
        read, (then, before) = sum(counts.read.values()), self._last
        now = monotonic()
        rate = (read - before) / (now - then)
        self._last = (now, read)
        parts = [f"in {read:,}", f"scored {counts.scored:,}", f"{max(rate, 0):,.0f}/s"]
        if counts.watermark is not None:
            parts.append(f"watermark {_utc(counts.watermark)}")
        if counts.lag is not None:
            parts.append(f"lag {counts.lag:,}")
        if counts.expired:
            parts.append(f"expired {counts.expired.total():,}")
        return "  ".join(parts)


def _utc(epoch_ms: int) -> str:
    return "end" if epoch_ms >= _FOREVER else f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _summary(job: str, outcome: Outcome) -> str:
    verb = {"FINISHED": "finished", "CANCELED": "stopped"}[outcome.state]
    read = ", ".join(f"{count:,} {table}" for table, count in outcome.counts.read.items())
    written = ", ".join(f"{count:,} {table}" for table, count in outcome.counts.written.items())
    return f"{job} {verb} after {outcome.seconds:.1f} s: read {read or 'nothing'}; wrote {written or 'nothing'}"


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "state": outcome.state,
        "seconds": round(outcome.seconds, 3),
        "read": dict(outcome.counts.read),
        "written": dict(outcome.counts.written),
    }
