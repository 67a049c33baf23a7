"""`millstream jobs`, `stop` and `logs`: look after the jobs of a cluster."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.cluster.jobs import RunningJob
    from pyflink_jobs.rest import Rest

__all__ = ["jobs", "logs", "stop"]


@click.command()
@click.option("--target", default="local", show_default=True, help="Which cluster.")
@click.option("--all", "ended", is_flag=True, help="Also those that have ended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def jobs(context: Context, *, target: str, ended: bool, as_json: bool) -> None:
    """List the jobs of a cluster.

    \b
    Example:
      millstream jobs
      millstream jobs --target production --all
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from pyflink_jobs.cluster.jobs import jobs as jobs_of

    rest = _rest(context, target)
    found = jobs_of(rest, ended=ended)
    if as_json:
        click.echo(json.dumps([asdict(job) for job in found], indent=2))
        return
    if not found:
        click.echo(f"no job runs at {rest.url}")
    for job in found:
        click.echo(_line(job))


@click.command()
@click.argument("job")
@click.option("--target", default="local", show_default=True, help="Which cluster.")
@click.option("--savepoint", "keep", is_flag=True, help="Keep its state: a later `submit --from` goes on with it.")
@click.option("--folder", default="", help="Where the savepoint goes (default: the cluster's setting).")
@click.pass_obj
def stop(context: Context, job: str, *, target: str, keep: bool, folder: str) -> None:
    """Stop a job; with --savepoint it can go on later where it was.

    \b
    Example:
      millstream stop score --savepoint
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from rich.console import Console

    from pyflink_jobs.cluster.jobs import cancel, job_named, stop_with_savepoint

    rest = _rest(context, target)
    running = job_named(rest, job)
    with Console(stderr=True).status(f"Stopping {running.name}"):
        if keep or folder:
            location = stop_with_savepoint(rest, running, folder)
            click.echo(f"{running.name} is stopped; to go on: millstream submit {running.name} --from {location}")
        else:
            cancel(rest, running.id)
            click.echo(f"{running.name} is stopped, without a savepoint")


@click.command()
@click.argument("job", required=False)
@click.option("--target", default="local", show_default=True, help="Which cluster.")
@click.option("--lines", default=40, show_default=True, help="How many lines of each process's log.")
@click.pass_obj
def logs(context: Context, job: str | None, *, target: str, lines: int) -> None:
    """Show why a job failed, and the ends of the logs of the cluster's processes.

    \b
    Example:
      millstream logs score
      millstream logs --lines 200
    """  # noqa: D301 - \b is click's mark for lines it must not wrap
    from pyflink_jobs.cluster.jobs import jobs as jobs_of
    from pyflink_jobs.cluster.logs import failures, log_tails
    from pyflink_jobs.errors import JobError

    rest = _rest(context, target)
    if job:
        found = [one for one in jobs_of(rest, ended=True) if job in (one.name, one.id)]
        if not found:
            raise JobError(f"no job `{job}` ran at {rest.url}", fixes=("see which: millstream jobs --all",))
        click.echo(_line(found[0]))
        for when, why in failures(rest, found[0].id):
            click.echo(f"  {_utc(when)}  {why}")
    for process, tail in log_tails(rest, lines):
        click.secho(f"\n{process}", bold=True)
        click.echo("\n".join(tail))


def _rest(context: Context, target: str) -> Rest:
    from pyflink_jobs.cluster.jobs import connect
    from pyflink_jobs.cluster.targets import target_named

    return connect(target_named(context.project, target))


def _line(job: RunningJob) -> str:
    since = f"ended {_utc(job.ended)}" if job.ended else f"since {_utc(job.started)}"
    failures = f", {job.failures} failures" if job.failures else ""
    return f"{job.name}  {job.state}  {since}  {job.tasks} tasks, {job.checkpoints} checkpoints{failures}  {job.id}"


def _utc(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S}"
