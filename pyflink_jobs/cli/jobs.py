"""`millstream jobs`, `stop` and `logs`: list and stop the jobs of a cluster, show why they failed."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pyflink_jobs.cli.options import JSON, TARGET

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.cluster.jobs import RunningJob
    from pyflink_jobs.rest import Rest

__all__ = ["jobs", "logs", "stop"]


@click.command()
@TARGET
@click.option("--all", "ended", is_flag=True, help="Include jobs that have ended.")
@JSON
@click.pass_obj
def jobs(context: Context, *, target: str, ended: bool, as_json: bool) -> None:
    """List the jobs of a cluster.

    \b
    Example:
      millstream jobs
      millstream jobs --target production --all
    """
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
@TARGET
@click.option("--savepoint", "keep", is_flag=True, help="Keep the state: `submit --from` continues with it.")
@click.option("--folder", default="", help="Where the savepoint goes (default: the cluster's setting).")
@JSON
@click.pass_obj
def stop(context: Context, job: str, *, target: str, keep: bool, folder: str, as_json: bool) -> None:
    """Stop a job; with --savepoint it can continue later where it stopped.

    \b
    Example:
      millstream stop score --savepoint
    """
    from rich.console import Console

    from pyflink_jobs.cluster.jobs import cancel, job_named, stop_with_savepoint

    rest = _rest(context, target)
    running = job_named(rest, job)
    savepoint = None
    with Console(stderr=True).status(f"Stopping {running.name}"):
        if keep or folder:
            savepoint = stop_with_savepoint(rest, running, folder)
        else:
            cancel(rest, running.id)
    if as_json:
        click.echo(json.dumps({"job": running.name, "id": running.id, "savepoint": savepoint}))
    elif savepoint:
        click.echo(f"{running.name} is stopped; to continue: millstream submit {running.name} --from {savepoint}")
    else:
        click.echo(f"{running.name} is stopped, without a savepoint")


@click.command()
@click.argument("job", required=False)
@TARGET
@click.option("--lines", default=40, show_default=True, help="How many lines of each process's log.")
@JSON
@click.pass_obj
def logs(context: Context, job: str | None, *, target: str, lines: int, as_json: bool) -> None:
    """Show why a job failed, and the ends of the logs of the cluster's processes.

    \b
    Example:
      millstream logs score
      millstream logs --lines 200
      millstream logs score --json | jq .failures
    """
    from pyflink_jobs.cluster.jobs import jobs as jobs_of
    from pyflink_jobs.cluster.logs import failures, log_tails
    from pyflink_jobs.errors import JobError

    rest = _rest(context, target)
    found: RunningJob | None = None
    if job:
        found = next((one for one in jobs_of(rest, ended=True) if job in (one.name, one.id)), None)
        if found is None:
            raise JobError(f"no job `{job}` ran at {rest.url}", fixes=("list the jobs: millstream jobs --all",))
    causes = failures(rest, found.id) if found else []
    tails = log_tails(rest, lines)
    if as_json:
        shown = {"job": asdict(found) if found else None, "failures": causes, "logs": dict(tails)}
        click.echo(json.dumps(shown, indent=2))
        return
    if found:
        click.echo(_line(found))
    for when, why in causes:
        click.echo(f"  {_utc(when)}  {why}")
    for process, tail in tails:
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
