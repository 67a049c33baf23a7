"""`millstream submit`: send a job to a Flink cluster."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyflink_jobs.cli.options import JSON, TARGET

if TYPE_CHECKING:
    from pyflink_jobs.cli.main import Context
    from pyflink_jobs.cluster.submit import Submission

__all__ = ["submit"]

_MOST_FILES = 8  # of a package, shown to people


@click.command()
@click.argument("job")
@TARGET
@click.option("--from", "savepoint", default="", help="Begin with the state of this savepoint.")
@click.option("--ship-env", is_flag=True, help="Send this Python environment to the workers.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option("--within", default=300.0, show_default=True, help="Seconds to wait until it runs.")
@JSON
@click.pass_obj
def submit(
    context: Context,
    job: str,
    *,
    target: str,
    savepoint: str,
    ship_env: bool,
    dry_run: bool,
    within: float,
    as_json: bool,
) -> None:
    """Send a job to a cluster, with its models and code, and wait until it runs.

    \b
    Example:
      millstream up --cluster
      millstream submit score --dry-run
      millstream submit score
    """
    from rich.console import Console

    from pyflink_jobs.cluster.deploy import deploy
    from pyflink_jobs.cluster.jobs import connect, jobs, wait_until_running
    from pyflink_jobs.cluster.submit import prepare, send
    from pyflink_jobs.cluster.submitted_copies import keep_record
    from pyflink_jobs.cluster.targets import target_named
    from pyflink_jobs.errors import JobError
    from pyflink_jobs.local.broker import bootstrap_servers

    project = context.project
    to = target_named(project, target)
    if to.kind != "session":
        deploy(project, job, to, dry_run=dry_run)
        return
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="millstream-") as folder:
        rest = None if dry_run else connect(to)
        if rest and any(running.name == job for running in jobs(rest)):
            raise JobError(
                f"job `{job}` runs at {to.url} already",
                fixes=(f"replace it: millstream upgrade {job}", f"stop it first: millstream stop {job}"),
            )
        with console.status(f"{job}: planning"):
            submission = prepare(project, job, to, Path(folder), ship_env=ship_env)
        if rest is None:
            described = _described(submission, Path(folder))
            click.echo(json.dumps(described, indent=2) if as_json else _text(described))
            return
        with console.status(f"{job}: sending, waiting until it runs"):
            job_id = send(submission, Path(folder), savepoint)
            keep_record(project, submission, job_id, bootstrap_servers(project), ship_env=ship_env)
            wait_until_running(rest, job_id, within)
    click.echo(
        json.dumps({"job": job, "id": job_id, "url": to.url}) if as_json else f"{job} runs at {to.url}: {job_id}"
    )


def _described(submission: Submission, folder: Path) -> dict[str, Any]:
    """Return all that would be sent; files by their names alone, for the folder is another each time."""
    from pyflink_jobs.cluster.ship_models import files_of

    def bare(value: str) -> str:
        return value.replace(f"{folder}/", "")

    models = {str(file): digest for file, digest in files_of(list(submission.models)).items()} if submission.put else {}
    return {
        "job": submission.planned.name,
        "target": submission.target.name,
        "url": submission.target.url,
        "packages": {
            p.file.name: {"sha256": p.sha256, "bytes": p.file.stat().st_size, "contents": list(p.contents)}
            for p in submission.packages
        },
        **({"models": {"uri": submission.put, "sha256": models}} if submission.put else {}),
        "options": {key: bare(value) for key, value in sorted(submission.options.items())},
        "plan": {"sha256": submission.plan.digest, "operators": len(submission.plan.operators)},
        "statements": submission.planned.inserts,
    }


def _text(described: dict[str, Any]) -> str:
    lines = [f"{described['job']} to target {described['target']} at {described['url']}", "", "packages"]
    for name, package in described["packages"].items():
        lines.append(f"  {name}  {package['bytes']:,} bytes  sha256 {package['sha256']}")
        contents = package["contents"]
        lines += [f"    {file}" for file in contents[:_MOST_FILES]]
        lines += [f"    and {len(contents) - _MOST_FILES:,} more"] if contents[_MOST_FILES:] else []
    if "models" in described:
        lines += ["", f"models, at {described['models']['uri']}"]
        lines += [f"  {file}  sha256 {digest}" for file, digest in described["models"]["sha256"].items()]
    lines += ["", "options", *(f"  {key}: {value}" for key, value in described["options"].items())]
    lines += ["", f"plan: {described['plan']['operators']} operators, sha256 {described['plan']['sha256']}"]
    lines += ["", "statements", *(f"{text};\n" for text in described["statements"])]
    return "\n".join(lines).rstrip()
